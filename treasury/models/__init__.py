"""The ground: companies and accounts, people, the audit trail, proposed changes, plans."""

from treasury.models.answers import IdempotentAnswer
from treasury.models.auditing import AuditEvent, AuditHead, ProposedChange
from treasury.models.companies import Account, Balance, Bank, Company, ExchangeRate
from treasury.models.people import ApiToken, User
from treasury.models.planning import PlanImport, PlannedFlow, RecurringFlow

__all__ = [
    "Account",
    "ApiToken",
    "AuditEvent",
    "AuditHead",
    "Balance",
    "Bank",
    "Company",
    "ExchangeRate",
    "IdempotentAnswer",
    "PlanImport",
    "PlannedFlow",
    "ProposedChange",
    "RecurringFlow",
    "User",
]
