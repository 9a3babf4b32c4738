"""Pages of sweeps: the rules, proposing and stopping one, the dry run in words, running, the runs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from payments import pooling
from payments.models import SweepRule, SweepRun
from payments.services import sweep_rules, sweeping
from payments.services.preparing import REFUSALS
from payments.services.sweep_rules import PERMISSION, SweepRuleRefusedError
from payments.services.sweep_words import explain
from treasury.models import Account, ProposedChange
from treasury.services import access, changes
from treasury.services.changes import ChangeRefusedError
from treasury.views.columns import Column
from treasury.views.detail import DetailPage
from treasury.views.listing import ListPage


class SweepRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """The terms of a rule as somebody proposes them."""

    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=500,
        required=False,
        help_text=gettext_lazy("For the second person."),
    )

    class Meta:
        model = SweepRule
        fields = sweep_rules.FIELDS
        help_texts = {
            "member": gettext_lazy("The account that is kept at its target."),
            "header": gettext_lazy("The account that takes what is above and gives what is missing."),
            "minimum_transfer": gettext_lazy("Less than this is not moved."),
            "leave_in_header": gettext_lazy("Never drawn on when cash is moved down."),
            "order": gettext_lazy("Rules with a smaller number are served first."),
        }

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = Account.objects.visible_to(user).open().select_related("company")
        for name in ("header", "member"):
            self.fields[name].queryset = mine  # type: ignore[attr-defined]
            self.fields[name].label_from_instance = lambda a: f"{a.company.code}: {a}"  # type: ignore[attr-defined]

    def validate_unique(self) -> None:
        """Constraints on stored rules are the service's to explain."""


class SweepRulesPage(ListPage):
    """Rules of which the reader may see both accounts."""

    empty = gettext_lazy("No sweep rule yet. Propose one; a second person puts it in force.")
    model, title = SweepRule, gettext_lazy("Sweeps")
    lead = gettext_lazy("Standing rules that move cash between own accounts (资金归集, 下拨).")
    template_name = "payments/sweep_rules.html"
    related = ("header", "member")
    order = ("order", "id")
    columns = (
        Column("name", gettext_lazy("Name"), url=lambda r: reverse("payments:sweep_rule", args=[r.pk])),
        Column("member", gettext_lazy("Member account")),
        Column("header", gettext_lazy("Main account")),
        Column("direction", gettext_lazy("Direction"), value=lambda r: r.get_direction_display()),
        Column("target_balance", gettext_lazy("Target"), kind="amount", currency="member.currency"),
        Column("currency", gettext_lazy("Currency"), value="member.currency"),
        Column("active", gettext_lazy("In force"), kind="yes_no"),
    )

    def more(self) -> dict[str, Any]:
        return {
            "may_sweep": access.may(self.request.user, PERMISSION),
            "waiting": waiting_for(self.request.user).filter(object_id__isnull=True),
        }


def waiting_for(user: Any) -> Any:
    """Proposed rules that the reader made or may decide on."""
    pending = ProposedChange.State.PENDING
    return changes.visible_to(user).filter(kind=sweep_rules.KIND, state=pending).select_related("made_by")


class SweepRulePage(DetailPage):
    """One rule with its terms, what waits, and its history."""

    model, template_name, timeline = SweepRule, "payments/sweep_rule.html", True
    related = ("header__company", "member__company")
    facts = (
        *SweepRulesPage.columns[1:5],
        Column(
            "minimum_transfer", gettext_lazy("Smallest transfer"), kind="amount", currency="member.currency"
        ),
        Column(
            "leave_in_header", gettext_lazy("Kept in main account"), kind="amount", currency="member.currency"
        ),
        Column("order", gettext_lazy("Order")),
        Column("purpose", gettext_lazy("Purpose")),
        Column("active", gettext_lazy("In force"), kind="yes_no"),
    )

    def more(self, found: Any) -> dict[str, Any]:
        return {
            "may_sweep": access.may(self.request.user, PERMISSION),
            "waiting": waiting_for(self.request.user).filter(object_id=found.pk),
        }


def propose(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Propose a new rule, or new terms for one."""
    access.require(request.user, PERMISSION)
    rule = get_object_or_404(SweepRule.objects.visible_to(request.user), pk=pk) if pk else SweepRule()
    form = SweepRuleForm(request.POST or None, instance=rule, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            sweep_rules.propose_rule(
                draft=form.save(commit=False),
                reason=form.cleaned_data["reason"],
                by=request.user,
                at=timezone.now(),
            )
        except (SweepRuleRefusedError, ChangeRefusedError) as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Proposed. The rule takes effect when a second person confirms it."))
            return redirect("payments:sweep_rule", pk) if pk else redirect("payments:sweep_rules")
    context = {"form": form, "form_has_errors": bool(form.errors), "rule": rule if pk else None}
    return render(request, "payments/sweep_propose.html", context, status=422 if form.errors else 200)


@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    rule = get_object_or_404(SweepRule.objects.visible_to(request.user), pk=pk)
    try:
        sweep_rules.stop_rule(
            rule=rule, by=request.user, at=timezone.now(), reason=request.POST.get("reason", "")
        )
    except SweepRuleRefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("%(rule)s is no longer in force.") % {"rule": rule})
    return redirect("payments:sweep_rule", pk)


def dry_run(request: HttpRequest) -> HttpResponse:
    """What a run would do now, each leg in words. `?again=1` looks past today's earlier run."""
    access.require(request.user, PERMISSION)
    rules = list(SweepRule.objects.visible_to(request.user).filter(active=True))
    again = request.GET.get("again") == "1"
    now = timezone.now()
    legs = sweeping.dry_run(rules=rules, at=now, forced=again)
    context = {
        "legs": [explain(leg) for leg in legs],
        "moves": any(leg.moves for leg in legs),
        "ran": any(leg.why == pooling.ALREADY_RUN for leg in legs),
        "again": again,
        "rules": rules,
        "fingerprint": pooling.fingerprint(legs),
        "at": now,
    }
    return render(request, "payments/sweep_dry_run.html", context)


@require_POST
def run(request: HttpRequest) -> HttpResponse:
    """Make and submit the transfers of the dry run the reader looked at."""
    ids = [int(pk) for pk in request.POST.getlist("rules") if pk.isdecimal()]
    reason = request.POST.get("reason", "")
    again = request.POST.get("again") == "1"
    page = reverse("payments:sweep_dry_run") + ("?again=1" if again else "")
    if again and not reason.strip():
        messages.error(request, _("Running again on the same day needs a reason. Write why."))
        return redirect(page)
    try:
        made = sweeping.run_sweep(
            rules=SweepRule.objects.visible_to(request.user).filter(pk__in=ids),
            by=request.user,
            at=timezone.now(),
            reason=reason if again else "",
            expected=request.POST.get("fingerprint", ""),
        )
    except (sweeping.SweepRefusedError, *REFUSALS) as error:
        if isinstance(error, access.AccessDeniedError):
            raise
        messages.error(request, _("Nothing was moved. %(why)s") % {"why": error})
        return redirect(page)
    messages.success(request, _("The transfers are made and wait for approval."))
    return redirect("payments:sweep_run", made.pk)


class SweepRunsPage(ListPage):
    """Runs whose transfers the reader may see."""

    empty = gettext_lazy("No sweep has run yet. Start one with a dry run under Sweeps.")
    model, title = SweepRun, gettext_lazy("Sweep runs")
    template_name = "payments/sweep_runs.html"
    related = ("made_by",)
    columns = (
        Column("on", gettext_lazy("Day"), url=lambda r: reverse("payments:sweep_run", args=[r.pk])),
        Column("made_by", gettext_lazy("Run by")),
        Column("made_at", gettext_lazy("Run at"), kind="instant"),
        Column(
            "transfers", gettext_lazy("Transfers"), kind="number",
            value=lambda r: sum(1 for leg in r.legs if leg.get("payment")),
        ),
        Column("reason", gettext_lazy("Reason to run again")),
    )  # fmt: skip


class SweepRunPage(DetailPage):
    """One run: its legs as they were computed, and the transfers they became."""

    # no timeline: the audit event names every leg, also of accounts the reader may not see
    model, template_name = SweepRun, "payments/sweep_run.html"
    related = ("made_by",)
    facts = (
        Column("on", gettext_lazy("Day"), kind="date"),
        Column("made_by", gettext_lazy("Run by")),
        Column("made_at", gettext_lazy("Run at"), kind="instant"),
        Column("reason", gettext_lazy("Reason to run again")),
    )

    def more(self, found: Any) -> dict[str, Any]:
        mine = set(Account.objects.visible_to(self.request.user).values_list("pk", flat=True))
        batches = found.batches.visible_to(self.request.user).prefetch_related("payments")
        legs = [
            explain(leg, stored.get("payment"))
            for stored in found.legs
            for leg in [pooling.leg_from_json(stored)]
            if {leg.debit, leg.credit} <= mine
        ]
        return {"legs": legs, "payments": {p.pk: p for batch in batches for p in batch.payments.all()}}
