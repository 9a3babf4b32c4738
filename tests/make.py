"""Typed builders. They go through the real services wherever one exists, so that only states a
real installation can reach are tested. One cast everywhere: Alice prepares, Bob and Bella
approve, Carol is treasurer, Dave reconciles, Erin and Eve administer, Mallory may see nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import Group
from guardian.shortcuts import assign_perm

from banks.models import ConnectedAccount, Connection
from payments.models import Beneficiary, Payment
from payments.services import approving, beneficiaries, preparing, rule_sets
from payments.services.checking import Wish
from payments.services.rule_sets import Band
from treasury import secrets
from treasury.models import Account, Bank, Company, ProposedChange, User
from treasury.services import changes
from treasury.services.access import fill_roles

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
"""What the fixture `now` gives: a Tuesday, 10:00 in Shanghai."""

PASSWORD = "correct horse battery staple"  # the cast's, in tests and demo alike


def person(name: str, role: str | None, *companies: Company, **fields: Any) -> User:
    """A user with one role and grants on whole companies."""
    user = User.objects.create_user(
        username=name.lower(),
        password=PASSWORD,
        first_name=name,
        email=f"{name.lower()}@example.com",
        **fields,
    )
    if role:
        user.groups.add(Group.objects.get(name=role))
    for company in companies:
        assign_perm("treasury.view_company", user, company)
    return user


def company(code: str = "HUAXIA", name: str = "Huaxia Trading", **fields: Any) -> Company:
    return Company.objects.create(code=code, name=name, **fields)


def bank(code: str = "SIMB", name: str = "Simulated Bank", country: str = "CN", **fields: Any) -> Bank:
    return Bank.objects.get_or_create(code=code, defaults={"name": name, "country": country, **fields})[0]


def account(of: Company, number: str, currency: str = "CNY", **fields: Any) -> Account:
    fields.setdefault("bank", None)
    fields["bank"] = fields["bank"] or bank()
    return Account.objects.create(
        company=of,
        number=number,
        currency=currency,
        name=fields.pop("name", f"{of.code} {currency}"),
        **fields,
    )


@dataclass(slots=True)
class Cast:
    """The people and the ground they stand on."""

    company: Company
    cny: Account
    usd: Account
    alice: User
    bob: User
    bella: User
    carol: User
    dave: User
    erin: User
    eve: User
    mallory: User


def cast_of() -> Cast:
    """The cast with one company (base CNY), a CNY and a USD account. Mallory has no grant."""
    fill_roles()
    huaxia = company()
    return Cast(
        company=huaxia,
        cny=account(huaxia, "6225000000000001", "CNY", minimum_balance=Decimal("10000")),
        usd=account(huaxia, "6225000000000002", "USD"),
        alice=person("Alice", "clerk", huaxia),
        bob=person("Bob", "manager", huaxia),
        bella=person("Bella", "manager", huaxia),
        carol=person("Carol", "treasurer", huaxia),
        dave=person("Dave", "reconciler", huaxia),
        erin=person("Erin", "admin", huaxia, is_staff=True),
        eve=person("Eve", "admin", huaxia, is_staff=True),
        mallory=person("Mallory", "clerk"),
    )


# --- payments -----------------------------------------------------------------------------


def rule_set(
    cast: Cast,
    *bands: Band,
    account: Account | None = None,
    kind: str = "",
    company: Company | None = None,
    at: datetime = NOW,
) -> None:
    """Bands in force, proposed by Erin and confirmed by Eve. Without bands: one manager for all."""
    wanted = bands or (Band(Decimal(0), None, (("manager", 1),)),)
    change = rule_sets.propose_bands(
        company=company or cast.company, account=account, kind=kind, bands=wanted, by=cast.erin, at=at
    )
    changes.confirm(change=change, by=cast.eve, at=at)


def beneficiary(
    cast: Cast,
    number: str = "6217000000000099",
    currency: str = "CNY",
    at: datetime = NOW,
    *,
    name: str = "北京供应商有限公司",
    company: Company | None = None,
    **fields: Any,
) -> Beneficiary:
    """An active payee: proposed by Alice, confirmed by Carol (so that Bob and Bella may approve)."""
    row = beneficiaries.propose_beneficiary(
        company=company or cast.company,
        name=name,
        account_number=number,
        currency=currency,
        by=cast.alice,
        at=at,
        **fields,
    )
    change = ProposedChange.objects.get(kind="payments.beneficiary", object_id=row.pk, state="PENDING")
    changes.confirm(change=change, by=cast.carol, at=at)
    return Beneficiary.objects.get(pk=row.pk)


def payment(
    cast: Cast,
    amount: Decimal | str = "1200.00",
    *,
    account: Account | None = None,
    to: Beneficiary | None = None,
    own_account: Account | None = None,
    execute_on: date | None = None,
    at: datetime = NOW,
    by: Any = None,
    **fields: Any,
) -> Payment:
    """A draft that Alice entered, to be paid today unless said otherwise."""
    debit = account or cast.cny
    if to is None and own_account is None:
        to = Beneficiary.objects.filter(
            company=debit.company, currency=debit.currency, state="ACTIVE"
        ).first() or beneficiary(
            cast, company=debit.company, number=f"62170000{debit.pk:08d}", currency=debit.currency, at=at
        )
    return preparing.create_payment(
        account=debit,
        beneficiary=to,
        own_account=own_account,
        amount=Decimal(amount),
        currency=debit.currency,
        execute_on=execute_on or at.astimezone(ZoneInfo(debit.time_zone)).date(),
        source=fields.pop("source", "FORM"),
        by=by or cast.alice,
        at=at,
        **fields,
    )


def submitted_payment(cast: Cast, amount: Decimal | str = "1200.00", **fields: Any) -> Payment:
    """A payment waiting for approval under a rule set (made when the company has none)."""
    at = fields.get("at", NOW)
    draft = payment(cast, amount, **fields)
    if not rule_sets.in_force(draft.account.company, at.date()).exists():
        rule_set(cast, company=draft.account.company, at=at)
    return preparing.submit_payment(payment=draft, by=fields.get("by") or cast.alice, at=at)


def approved_payment(cast: Cast, amount: Decimal | str = "1200.00", **fields: Any) -> Payment:
    """A payment that Bob approved (or Bob and Bella, where the rule asks for two)."""
    row = submitted_payment(cast, amount, **fields)
    at = fields.get("at", NOW)
    for approver in (cast.bob, cast.bella):
        if row.state == "SUBMITTED":
            row = approving.approve_payment(payment=row, expected_digest=row.digest, by=approver, at=at)
    return row


def approved_payments(cast: Cast, count: int) -> list[Payment]:
    """Many approved payments of different amounts to one payee, made with few statements."""
    to = Beneficiary.objects.filter(company=cast.company, state="ACTIVE").first() or beneficiary(cast)
    if not rule_sets.in_force(cast.company, NOW.date()).exists():
        rule_set(cast)
    wishes = [
        Wish(
            account=cast.cny,
            beneficiary=to,
            own_account=None,
            amount=Decimal(n) / 100 + 1,
            currency="CNY",
            execute_on=NOW.astimezone(ZoneInfo(cast.cny.time_zone)).date(),
            purpose="",
            urgent=False,
        )
        for n in range(count)
    ]
    drafts = preparing.create_payments(wishes=wishes, source="FORM", by=cast.alice, at=NOW)
    preparing.submit_payments(payments=drafts, by=cast.alice, at=NOW)
    results = approving.approve_payments(
        expectations=[(p.pk, p.digest) for p in drafts], by=cast.bob, at=NOW, each_opened=True
    )
    assert all(result.done for result in results), results[:3]
    return list(Payment.objects.filter(pk__in=[p.pk for p in drafts]).order_by("pk"))


# --- banks --------------------------------------------------------------------------------

OPENING = Decimal("1000000.00")


def sealed(**values: str) -> bytes:
    return secrets.seal(values)


def connection_to(bank_process: Any, *accounts: Account, **config: Any) -> Connection:
    """An active connection to a running simulated bank that keeps and pays from `accounts`."""
    for one in accounts:
        bank_process.open_account(one.number, one.currency, opening=str(OPENING), name=one.company.name)
    settings = {k: v for k, v in bank_process.config.items() if k != "key"} | config
    line = Connection.objects.create(
        name=f"Line to {accounts[0].bank}",
        bank=accounts[0].bank,
        connector="simulated",
        config=settings,
        secrets=sealed(key=bank_process.key),
        state="ACTIVE",
    )
    for one in accounts:
        ConnectedAccount.objects.create(connection=line, account=one)
    return line
