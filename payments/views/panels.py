"""What the shell shows of payments: pages of the side bar, the list of what waits, names of acts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.models import Decision, Payment
from payments.states import PaymentState
from treasury import shell
from treasury.services import access


def waiting(user: Any, at: datetime) -> Mapping[str, Any] | None:
    """Entries of the list of what waits; None when nothing does."""
    found: list[dict[str, Any]] = []

    def add(count: int, label: str, url: str, icon: str) -> None:
        if count:
            found.append({"count": count, "label": label, "url": url, "icon": icon})

    if access.may(user, "payments.approve_payment"):
        mine = Payment.objects.waiting_for(user).count()
        add(mine, _("Payments wait for your approval"), reverse("payments:approvals"), "list-check")
    payments = reverse("payments:payments")
    if access.may(user, "payments.prepare_payment"):
        back = Payment.objects.sent_back_to(user).count()
        add(back, _("Payments came back to you"), f"{payments}?state=DRAFT", "arrow-back-up")
    unknown = Payment.objects.visible_to(user).filter(state=PaymentState.UNKNOWN).count()
    add(unknown, _("Outcome unknown: do not pay again"), f"{payments}?state=UNKNOWN", "zoom-question")
    return {"entries": found} if found else None


def badge(user: Any) -> int:
    """The number beside "Approvals" in the side bar."""
    return Payment.objects.waiting_for(user).count()


PAGES = (
    shell.Page(gettext_lazy("Payments"), "payments:payments", "send", "payments", order=10, shortcut="p"),
    shell.Page(
        gettext_lazy("Approvals"),
        "payments:approvals",
        "list-check",
        "payments",
        permission="payments.approve_payment",
        order=20,
        badge=badge,
        shortcut="a",
    ),
    shell.Page(gettext_lazy("Beneficiaries"), "payments:beneficiaries", "users", "payments", order=30),
    shell.Page(
        gettext_lazy("Import payments"),
        "payments:import",
        "file-import",
        "payments",
        permission="payments.prepare_payment",
        order=40,
    ),
    shell.Page(gettext_lazy("Approval rules"), "payments:rules", "scale", "payments", order=70),
)
WAITING = shell.Panel(
    "payments-waiting",
    gettext_lazy("Payments"),
    "parts/waiting_items.html",
    waiting,
    order=10,
    column="waiting",
)
TONES = {"COMPLETE": "good", "VOID": "off", "BLOCKED": "bad", "BANK_APPROVAL": "wait"}
ACTIONS = {
    "payments.created": gettext_lazy("Entered"),
    "payments.edited": gettext_lazy("Edited"),
    "payments.submitted": gettext_lazy("Submitted for approval"),
    "payments.decided": gettext_lazy("Decided"),
    "payments.approved": gettext_lazy("Fully approved"),
    "payments.sent_back": gettext_lazy("Sent back"),
    "payments.rejected": gettext_lazy("Rejected"),
    "payments.withdrawn": gettext_lazy("Withdrawn"),
    "payments.cancelled": gettext_lazy("Cancelled"),
    "payments.request_complete": gettext_lazy("Approvals complete"),
    "payments.release_refused": gettext_lazy("Not released: back to draft"),
    "payments.claimed": gettext_lazy("Sending begun"),
    "payments.not_composed": gettext_lazy("No order could be written: back to draft"),
    "payments.answer_came_late": gettext_lazy("Bank's answer came late"),
    "payments.not_taken_on": gettext_lazy("Sending not begun"),
    "payments.lease_ran_out": gettext_lazy("Sending broke off"),
    "payments.bank_said": gettext_lazy("Bank reported"),
    "payments.outcome_unclear": gettext_lazy("No clear answer from the bank"),
    "payments.bank_answered": gettext_lazy("Bank answered"),
    "payments.bank_contradicts": gettext_lazy("Bank contradicts what it said before"),
    "payments.resolved": gettext_lazy("Outcome decided by two people"),
    "payments.file_uploaded": gettext_lazy("File uploaded"),
    "payments.sweep_run": gettext_lazy("Sweep run"),
    "payments.sweep_rule_stopped": gettext_lazy("Sweep rule stopped"),
    "payments.voided": gettext_lazy("Approvals void: payee changed"),
    "payments.payee_changed": gettext_lazy("Payee changed"),
    "payments.batch_created": gettext_lazy("Batch entered"),
    "payments.batch_undone": gettext_lazy("Batch undone"),
    "payments.beneficiary.applied": gettext_lazy("Change confirmed"),
    "payments.beneficiary_activated": gettext_lazy("Active"),
    "payments.beneficiary_blocked": gettext_lazy("Blocked"),
    "payments.beneficiary_not_confirmed": gettext_lazy("Not confirmed"),
}
"""What audited acts are called on screen."""
BANK_STATES = {
    "PROCESSING": gettext_lazy("Processing at the bank"),
    "BANK_APPROVAL": gettext_lazy("Waiting for approval at the bank"),
    "BOOKED": gettext_lazy("Booked"),
    "REJECTED": gettext_lazy("Refused by the bank"),
    "RETURNED": gettext_lazy("Returned"),
    "UNKNOWN": gettext_lazy("Outcome unknown"),
}
"""What the bank's word on a payment is called on screen."""
CODES = {"verdict": dict(Decision.Verdict.choices), "bank_state": BANK_STATES}
