"""Beneficiaries, payments and batches, rules and approvals, dispatches, sweep rules."""

from payments.models.approvals import ApprovalRequest, ApprovalRule, ApprovalStep, Decision
from payments.models.beneficiaries import Beneficiary
from payments.models.dispatches import Dispatch
from payments.models.payments import Batch, ImportedFile, Payment, PaymentVersion
from payments.models.sweeps import SweepRule, SweepRun

__all__ = [
    "ApprovalRequest",
    "ApprovalRule",
    "ApprovalStep",
    "Batch",
    "Beneficiary",
    "Decision",
    "Dispatch",
    "ImportedFile",
    "Payment",
    "PaymentVersion",
    "SweepRule",
    "SweepRun",
]
