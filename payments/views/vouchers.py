"""The payment voucher (付款凭证) as PDF, A5 landscape: our own record, never a bank's receipt."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from payments import cny
from payments.models import Decision, Payment
from treasury import pdf
from treasury.templatetags import portal


def voucher(request: HttpRequest, pk: int) -> HttpResponse:
    """The voucher of one payment the reader may see."""
    related = ("account__company", "account__bank", "created_by", "submitted_by")
    payment = get_object_or_404(Payment.objects.visible_to(request.user).select_related(*related), pk=pk)
    response = HttpResponse(drawn(payment, timezone.now()), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{payment.reference}.pdf"'
    return response


def drawn(payment: Payment, at: Any) -> bytes:
    """The paper: payer and payee, the amount in words and figures, who made and who approved it."""
    paper = pdf.Paper(
        title=" ".join((_("Payment voucher"), payment.reference)),
        at=at,
        size=pdf.A5_LANDSCAPE,
        footer=_("Internal voucher, not a bank receipt."),
    )
    paper.heading(_("Payment voucher"), style="title", align="center")
    paper.facts(
        [
            (_("Reference"), payment.reference),
            (_("Execution date"), payment.execute_on),
            (_("State"), payment.get_state_display()),
        ],
        columns=3,
    )
    account = payment.account
    paper.beside(
        (
            _("Payer"),
            [
                (_("Name"), account.company.name),
                (_("Account"), account.number),
                (_("Bank"), account.bank.name),
            ],
        ),
        (
            _("Payee"),
            [
                (_("Name"), payment.payee_name),
                (_("Account"), payment.payee_account),
                (_("Bank"), f"{payment.payee_bank_name} {payment.payee_bank_code}".strip() or "—"),
            ],
        ),
    )
    paper.table(
        [_("Amount in words"), _("Amount")],
        [[_in_words(payment), _in_figures(payment)]],
        shares=[3, 2],
        align=["left", "right"],
    )
    paper.facts([(_("Purpose"), payment.purpose or "—")])
    paper.table([_("Role"), _("Person"), _("At"), _("Signature")], _hands(payment), shares=[2, 2, 3, 5])
    return paper.content()


def _in_words(payment: Payment) -> str:
    if payment.currency != "CNY":
        return payment.currency
    return f"人民币{cny.capitals(payment.amount)}"


def _in_figures(payment: Payment) -> str:
    figures = portal.money(payment.amount, payment.currency)
    return f"¥{figures}" if payment.currency == "CNY" else f"{payment.currency} {figures}"


def _hands(payment: Payment) -> list[list[object]]:
    """Maker, submitter and those who approved the version that stands."""
    rows: list[list[object]] = [[_("Entered by"), payment.created_by, _local(payment.created_at), ""]]
    if payment.submitted_by is not None:
        rows.append([_("Submitted by"), payment.submitted_by, _local(payment.submitted_at), ""])
    decisions = Decision.objects.filter(
        request__payment=payment,
        request__version=payment.version,
        digest=payment.digest,
        verdict=Decision.Verdict.APPROVE,
    ).select_related("person")
    for decision in decisions:
        signature = f"#{decision.pk} {decision.signature.rsplit(':', 1)[-1][:24]}…"
        rows.append([_("Approved by"), decision.person, _local(decision.at), signature])
    return rows


def _local(instant: Any) -> str:
    return f"{timezone.localtime(instant):%Y-%m-%d %H:%M}"
