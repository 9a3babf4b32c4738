"""The list of payments, one payment with its history, and every act a person has on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from payments.models import Payment
from payments.services import approving, preparing, querying, resolving, warnings
from payments.states import AT_THE_BANK, EDITABLE, PaymentState
from treasury.models import Account, ProposedChange
from treasury.services import access
from treasury.services.changes import ChangeRefusedError
from treasury.views.columns import Column
from treasury.views.detail import DetailPage
from treasury.views.listing import Filters, ListPage

REFUSED = (
    *preparing.REFUSALS,
    preparing.StaleEditError,
    approving.ApprovalRefusedError,
    resolving.NotResolvableError,
    ChangeRefusedError,
)


class PaymentFilters(Filters):
    search = forms.CharField(label=gettext_lazy("Reference, payee or purpose"))
    account = forms.ModelChoiceField(Account.objects.none(), label=gettext_lazy("Debit account"))
    currency = forms.CharField(label=gettext_lazy("Currency"), max_length=3)
    since = forms.DateField(label=gettext_lazy("Executed from"))
    until = forms.DateField(label=gettext_lazy("to"))
    batch = forms.IntegerField(widget=forms.HiddenInput)
    lookups = {
        "search": ("reference__iexact", "payee_name__icontains", "payee_account", "purpose__icontains"),
        "account": "account",
        "currency": "currency__iexact",
        "since": "execute_on__gte",
        "until": "execute_on__lte",
        "batch": "batch",
    }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = Account.objects.visible_to(self.user)  # type: ignore[attr-defined]


class PaymentsPage(ListPage):
    """All payments of accounts the reader may see, in tabs by state."""

    empty = gettext_lazy(
        "No payment yet. Enter one or import a file; payments need an account granted to you."
    )
    model, title, filters = Payment, gettext_lazy("Payments"), PaymentFilters
    template_name = "payments/payments.html"
    related = ("account", "created_by", "batch")
    totals = ("amount", "currency")
    tab_field, tab_choices = "state", PaymentState.choices
    rare_tabs = frozenset(
        {
            PaymentState.SENDING,
            PaymentState.BANK_APPROVAL,
            PaymentState.RETURNED,
            PaymentState.REJECTED,
            PaymentState.CANCELLED,
        }
    )
    selection_url = reverse_lazy("payments:submit_selected")  # type: ignore[assignment]
    columns = (
        Column(
            "reference",
            gettext_lazy("Reference"),
            url=lambda p: reverse("payments:payment", args=[p.pk]),
        ),
        Column("payee_name", gettext_lazy("Payee"), sort=True, roomy=True),
        Column("payee_account", gettext_lazy("Payee account")),
        Column("amount", gettext_lazy("Amount"), kind="amount", sort=True, with_currency=True),
        Column("currency", gettext_lazy("Currency"), only_in_files=True),
        Column("execute_on", gettext_lazy("Execution date"), kind="date", sort=True),
        Column("account", gettext_lazy("Debit account"), roomy=True),
        Column("state", gettext_lazy("State"), kind="state"),
        Column("created_by", gettext_lazy("Entered by")),
        Column("note", gettext_lazy("Remark")),
    )

    @property
    def selectable(self) -> bool:  # type: ignore[override]
        return access.may(self.request.user, preparing.PREPARE)

    def more(self) -> dict[str, Any]:
        return {"may_prepare": self.selectable}


class PaymentPage(DetailPage):
    """One payment: what it pays, who said what about it, what the bank said."""

    model, template_name, timeline = Payment, "payments/payment.html", True
    related = (
        "account__company",
        "account__bank",
        "beneficiary",
        "own_account__company",
        "own_account__bank",
        "batch",
        "created_by",
    )
    facts = (
        Column("amount", gettext_lazy("Amount"), kind="amount"),
        Column("currency", gettext_lazy("Currency")),
        Column("payee_name", gettext_lazy("Payee")),
        Column("payee_account", gettext_lazy("Payee account")),
        Column("payee_bank_name", gettext_lazy("Payee's bank")),
        Column("payee_bank_code", gettext_lazy("Bank code")),
        Column("account", gettext_lazy("Debit account")),
        Column("company", gettext_lazy("Company"), value="account.company"),
        Column("execute_on", gettext_lazy("Execution date"), kind="date"),
        Column("purpose", gettext_lazy("Purpose")),
        Column("urgent", gettext_lazy("Urgent"), value=lambda p: _("yes") if p.urgent else _("no")),
        Column("kind", gettext_lazy("Kind"), value=lambda p: p.get_kind_display()),
        Column("created_by", gettext_lazy("Entered by")),
        Column("source", gettext_lazy("Source"), value=lambda p: p.get_source_display()),
        Column("bank_reference", gettext_lazy("Bank reference")),
        Column("settled_at", gettext_lazy("Settled at"), kind="instant", zone="account.time_zone"),
    )

    def more(self, found: Payment) -> dict[str, Any]:
        user, at = self.request.user, timezone.now()
        requests = found.approval_requests.order_by("-version").prefetch_related("decisions__person")
        prepares = access.may(user, preparing.PREPARE)
        return {
            "hints": warnings.warnings_for(found, at),
            "requests": [(request, approving.standing(request)) for request in requests],
            "versions": found.versions.select_related("made_by").order_by("-version"),
            "dispatch": getattr(found, "dispatch", None),
            "resolution": ProposedChange.objects.filter(
                kind=resolving.KIND, object_id=found.pk, state=ProposedChange.State.PENDING
            ).first(),
            "may_decide": Payment.objects.waiting_for(user).filter(pk=found.pk).exists(),
            "may_edit": prepares and found.state in EDITABLE and not hasattr(found, "dispatch"),
            "may_submit": prepares and found.state == PaymentState.DRAFT,
            "may_withdraw": found.state == PaymentState.SUBMITTED
            and user.pk in {found.created_by_id, found.submitted_by_id},
            "may_cancel": found.state in EDITABLE and (prepares or access.may(user, approving.APPROVE)),
            "may_ask": found.state in AT_THE_BANK,
            "may_resolve": found.state == PaymentState.UNKNOWN
            and access.may(user, "payments.resolve_payment"),
        }


# --- acts ---------------------------------------------------------------------------------


def _ask(payment: Payment, data: Any, by: Any, at: Any) -> None:
    access.require_account(by, payment.account)
    querying.ask_soon(references=[payment.reference], at=at)


ACTS: dict[str, tuple[Callable[..., Any], Any]] = {
    "submit": (
        lambda p, d, by, at: preparing.submit_payment(payment=p, by=by, at=at),
        gettext_lazy("%(payment)s waits for its approvers."),
    ),
    "withdraw": (
        lambda p, d, by, at: preparing.withdraw_payment(payment=p, by=by, at=at),
        gettext_lazy("%(payment)s is a draft again."),
    ),
    "cancel": (
        lambda p, d, by, at: preparing.cancel_payment(payment=p, by=by, at=at, reason=d.get("reason", "")),
        gettext_lazy("%(payment)s is cancelled."),
    ),
    "refresh": (
        lambda p, d, by, at: preparing.edit_payment(payment=p, by=by, at=at),
        gettext_lazy("%(payment)s carries the payee's confirmed data now."),
    ),
    "approve": (
        lambda p, d, by, at: approving.approve_payment(
            payment=p, expected_digest=d.get("digest", ""), by=by, at=at
        ),
        gettext_lazy("Your approval of %(payment)s is signed."),
    ),
    "send-back": (
        lambda p, d, by, at: approving.send_back(
            payment=p, expected_digest=d.get("digest", ""), reason=d.get("reason", ""), by=by, at=at
        ),
        gettext_lazy("%(payment)s went back to its maker."),
    ),
    "reject": (
        lambda p, d, by, at: approving.reject(
            payment=p, expected_digest=d.get("digest", ""), reason=d.get("reason", ""), by=by, at=at
        ),
        gettext_lazy("%(payment)s is rejected."),
    ),
    "ask": (_ask, gettext_lazy("The bank is asked about %(payment)s at the next turn of the worker.")),
    "resolve": (
        lambda p, d, by, at: resolving.propose_resolution(
            payment=p,
            outcome=d.get("outcome", ""),
            reason=d.get("reason", ""),
            evidence=d.get("evidence", ""),
            by=by,
            at=at,
        ),
        gettext_lazy("The outcome of %(payment)s waits for a second person."),
    ),
}


@require_POST
def act(request: HttpRequest, pk: int, what: str) -> HttpResponse:
    """One act on one payment; the service says whether it is allowed."""
    payment = get_object_or_404(Payment.objects.visible_to(request.user).select_related("account"), pk=pk)
    service, done = ACTS[what]
    try:
        service(payment, request.POST, request.user, timezone.now())
    except access.AccessDeniedError:
        raise
    except REFUSED as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done % {"payment": payment})
    return redirect("payments:payment", pk)


@require_POST
def submit_selected(request: HttpRequest) -> HttpResponse:
    """Submit the drafts that were ticked; what is refused is told one by one."""
    keys = [key for key in request.POST.getlist("ids") if key.isdecimal()]
    chosen = list(Payment.objects.visible_to(request.user).filter(pk__in=keys))
    results = preparing.submit_payments(payments=chosen, by=request.user, at=timezone.now())
    tell(request, results, _("%(count)d submitted."))
    return redirect("payments:payments")


def tell(request: HttpRequest, results: list[preparing.Result], done: str) -> None:
    """Results as messages: how many worked, and each refusal with its reason (the first twenty)."""
    good = sum(1 for result in results if result.done)
    if good:
        messages.success(request, done % {"count": good})
    refused = [result for result in results if not result.done]
    for result in refused[:20]:
        messages.error(request, f"{result.reference}: {result.error}")
    if len(refused) > 20:
        messages.error(request, _("%(count)d more were refused.") % {"count": len(refused) - 20})
    if not results:
        messages.warning(request, _("Nothing was selected."))
