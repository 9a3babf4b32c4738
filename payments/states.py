"""The life of a payment and of its approval, read at a glance.

A payment leaves DRAFT only by submission, reaches SENDING only from APPROVED, and ends where
the bank says. UNKNOWN is not a failure: only the bank's word, or two people, move it on.
SETTLED can still become RETURNED (退票).
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class PaymentState(models.TextChoices):
    DRAFT = "DRAFT", _("Draft")
    SUBMITTED = "SUBMITTED", _("Waiting for approval")
    APPROVED = "APPROVED", _("Approved")
    SENDING = "SENDING", _("Sending")
    PROCESSING = "PROCESSING", _("Processing at the bank")
    BANK_APPROVAL = "BANK_APPROVAL", _("Waiting for approval at the bank")
    UNKNOWN = "UNKNOWN", _("Outcome unknown")
    SETTLED = "SETTLED", _("Settled")
    RETURNED = "RETURNED", _("Returned")
    FAILED = "FAILED", _("Refused by the bank")
    REJECTED = "REJECTED", _("Rejected")
    CANCELLED = "CANCELLED", _("Cancelled")


S = PaymentState

TRANSITIONS: dict[str, frozenset[str]] = {
    S.DRAFT: frozenset({S.SUBMITTED, S.CANCELLED}),
    S.SUBMITTED: frozenset({S.APPROVED, S.DRAFT, S.REJECTED, S.CANCELLED}),
    S.APPROVED: frozenset({S.SENDING, S.DRAFT, S.CANCELLED}),
    # back to APPROVED only when it is certain that nothing reached the bank
    S.SENDING: frozenset(
        {S.APPROVED, S.PROCESSING, S.BANK_APPROVAL, S.UNKNOWN, S.SETTLED, S.FAILED, S.RETURNED}
    ),
    S.PROCESSING: frozenset({S.BANK_APPROVAL, S.UNKNOWN, S.SETTLED, S.FAILED, S.RETURNED}),
    S.BANK_APPROVAL: frozenset({S.PROCESSING, S.UNKNOWN, S.SETTLED, S.FAILED, S.RETURNED}),
    # to APPROVED only when the bank's rules prove that it never took the message on
    S.UNKNOWN: frozenset({S.APPROVED, S.PROCESSING, S.BANK_APPROVAL, S.SETTLED, S.FAILED, S.RETURNED}),
    S.SETTLED: frozenset({S.RETURNED}),
    S.RETURNED: frozenset(),
    S.FAILED: frozenset(),
    S.REJECTED: frozenset(),
    S.CANCELLED: frozenset(),
}

AT_THE_BANK = frozenset({S.SENDING, S.PROCESSING, S.BANK_APPROVAL, S.UNKNOWN})
EDITABLE = frozenset({S.DRAFT, S.SUBMITTED, S.APPROVED})
FINAL = frozenset({S.SETTLED, S.RETURNED, S.FAILED, S.REJECTED, S.CANCELLED})


class RequestState(models.TextChoices):
    """An approval request lives for one version of one payment."""

    OPEN = "OPEN", _("Open")
    COMPLETE = "COMPLETE", _("Complete")
    REJECTED = "REJECTED", _("Rejected")
    SENT_BACK = "SENT_BACK", _("Sent back")
    VOID = "VOID", _("Void")


REQUEST_TRANSITIONS: dict[str, frozenset[str]] = {
    RequestState.OPEN: frozenset(
        {RequestState.COMPLETE, RequestState.REJECTED, RequestState.SENT_BACK, RequestState.VOID}
    ),
    RequestState.COMPLETE: frozenset({RequestState.VOID}),
    RequestState.REJECTED: frozenset(),
    RequestState.SENT_BACK: frozenset(),
    RequestState.VOID: frozenset(),
}


class BeneficiaryState(models.TextChoices):
    """Only an ACTIVE beneficiary can be paid. A pending change leaves the old data in force."""

    PENDING = "PENDING", _("Waiting for a second person")
    ACTIVE = "ACTIVE", _("Active")
    BLOCKED = "BLOCKED", _("Blocked")


BENEFICIARY_TRANSITIONS: dict[str, frozenset[str]] = {
    BeneficiaryState.PENDING: frozenset({BeneficiaryState.ACTIVE, BeneficiaryState.BLOCKED}),
    BeneficiaryState.ACTIVE: frozenset({BeneficiaryState.BLOCKED}),
    BeneficiaryState.BLOCKED: frozenset({BeneficiaryState.ACTIVE}),
}
