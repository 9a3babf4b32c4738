"""Every address that names an object, for everybody who may not see it: nothing is shown or done.

The objects belong to one company; the visitors hold every role there is, but in another company.
An address that is new is walked by itself; one whose object this file does not know fails.
"""

from __future__ import annotations

import io
import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from banks.models import ConnectedAccount, Connection, Entry, Exchange, InboundFile, Statement
from payments.models import Batch, Beneficiary, ImportedFile, Payment, SweepRule, SweepRun
from payments.services import batches, importing, rule_sets
from payments.services.rule_sets import Band
from payments.services.writing import wish_of
from reconciliation.models import LedgerEntry, LedgerImport, Match
from reconciliation.services import by_hand
from tests import make
from tests.make import Cast
from tests.programs import Program
from tests.reconciliation import build
from treasury.models import (
    Account,
    ApiToken,
    AuditEvent,
    Balance,
    Company,
    PlanImport,
    ProposedChange,
    RecurringFlow,
    User,
)
from treasury.services import planning
from treasury.services.access import ROLES

VISITORS = ("every role", "superuser", "no role", "nobody")

MODELS: dict[str, type[Any]] = {  # the beginning of an address: whose key stands in it; the longest wins
    "cash/recurring/": RecurringFlow,
    "cash/plans/": PlanImport,
    "cash/accounts/": Account,
    "oversight/changes/": ProposedChange,
    "preferences/api-tokens/": ApiToken,
    "banks/statements/": Statement,
    "banks/files/": InboundFile,
    "banks/connections/": Connection,
    "banks/log/": Exchange,
    "payments/": Payment,
    "payments/batches/": Batch,
    "payments/import/": ImportedFile,
    "payments/beneficiaries/": Beneficiary,
    "payments/rules/": Company,
    "payments/sweeps/rules/": SweepRule,
    "payments/sweeps/runs/": SweepRun,
    "reconciliation/accounts/": Account,
    "reconciliation/matches/": Match,
    "reconciliation/journals/": LedgerImport,
    "api/v1/companies/": Company,
    "api/v1/accounts/": Account,
    "api/v1/balances/": Balance,
    "api/v1/statements/": Statement,
    "api/v1/entries/": Entry,
    "api/v1/statement-files/": InboundFile,
    "api/v1/beneficiaries/": Beneficiary,
    "api/v1/payment-batches/": Batch,
    "api/v1/payments/": Payment,
    "api/v1/ledger-entries/": LedgerEntry,
    "api/v1/ledger-files/": LedgerImport,
    "api/v1/matches/": Match,
}
OPEN = ("oversight/people/", "api/v1/exchange-rates/", "docs/", "accounts/", "admin/", "static/", "^static")
"""People are for every administrator, rates and the guide for everybody; the rest is not ours."""
WHOLE_GROUP = ("/admin/treasury/company/", "/oversight/people/new/")
"""Who grants companies to people sees them all."""
ACTS = "submit withdraw cancel refresh approve send-back reject ask resolve".split()


def addresses() -> list[str]:
    found: list[str] = []

    def walk(patterns: list[Any], before: str) -> None:
        for pattern in patterns:
            whole = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, whole)
            elif isinstance(pattern, URLPattern) and "pk" in whole:
                found.append(whole)

    walk(get_resolver().url_patterns, "")
    return [address for address in found if not address.startswith(OPEN)]


def filled(address: str) -> list[str]:
    """The address with the key of an object in it; one for each act where it names several."""
    known = max((start for start in MODELS if address.startswith(start)), key=len, default=None)
    assert known, f"{address}: say in MODELS whose key this is"
    row = MODELS[known]._default_manager.order_by("pk").first()
    assert row is not None, f"{address}: `filled_company` makes no {MODELS[known].__name__}"
    if "(?P<pk>" in address:
        return [f"/{known}{row.pk}/{act}/" for act in ACTS]
    return ["/" + address.replace("<int:pk>", str(row.pk)).replace("<int:line>", "1")]


@pytest.fixture
def filled_company(cast: Cast, now: datetime) -> Cast:
    """At least one object of every kind, all of them of the cast's company."""
    make.rule_set(cast)
    rule_sets.propose_bands(
        company=cast.company, bands=[Band(Decimal(0), None, (("manager", 2),))], by=cast.erin, at=now
    )
    payment = make.approved_payment(cast)
    batches.create_batch(
        account=cast.cny, name="B", source="FORM", by=cast.alice, at=now, wishes=[wish_of(payment)]
    )
    importing.upload_file(
        account=cast.cny,
        name="p.csv",
        content=b"payee,payee account,amount,date\nX,62,1,2026-11-24\n",
        by=cast.alice,
        at=now,
    )
    rule = SweepRule.objects.create(
        name="Sweep", header=cast.cny, member=make.account(cast.company, "6225000000000003"),
        direction="COLLECT", active=True,
    )  # fmt: skip
    run = SweepRun.objects.create(on=now.date(), made_by=cast.carol, made_at=now, legs=[{"rule": rule.pk}])
    run.batches.add(Batch.objects.get())
    Balance.objects.create(account=cast.cny, as_of=now, ledger=1, source="BANK", received_at=now)
    entries = build.statement(cast.cny, [{"amount": "-5.5"}])
    lines = build.journal(cast.cny, [{"amount": "-5.5"}], by=cast.dave)
    by_hand.match_lines(
        account=cast.cny, entries=[entries[0].pk], ledger_entries=[lines[0].pk], by=cast.dave, at=now
    )
    connection = Connection.objects.create(
        name="Line", bank=cast.cny.bank, connector="simulated", state="ACTIVE"
    )
    ConnectedAccount.objects.create(connection=connection, account=cast.cny)
    Exchange.objects.create(connection=connection, purpose="query", started_at=now)
    RecurringFlow.objects.create(
        account=cast.cny, name="Rent", category="Rent", amount=-1, starts_on=now.date(), made_by=cast.carol
    )
    plan = b"date,amount,currency,category\n2026-12-01,5,CNY,Sales\n"
    planning.receive_plan(company=cast.company, name="plan.csv", content=plan, by=cast.carol, at=now)
    Program(cast.alice)
    return cast


def visitor(kind: str) -> User | None:
    other = make.company("OTHER", "Another company")
    make.account(other, "6225000000000009")
    if kind == "nobody":
        return None
    who = make.person("Stranger", None, other, is_superuser=kind == "superuser", is_staff=True)
    roles = set(ROLES) if kind in {"every role", "superuser"} else {kind}
    who.groups.set(Group.objects.filter(name__in=roles))
    return who


@pytest.mark.parametrize("kind", VISITORS)
def test_no_address_shows_or_does_anything_to_a_stranger(filled_company: Cast, kind: str) -> None:
    who = visitor(kind)
    browser = Client(raise_request_exception=False)
    program = Program(who) if who else Client()
    if who:
        browser.force_login(who)
    traces, let_in = AuditEvent.objects.count(), []
    for address in addresses():
        for path in filled(address):
            client = program if path.startswith("/api/") else browser
            for answer in (
                client.get(path),
                client.post(
                    path,
                    {"reason": "x", "decision": "confirm", "expected_digest": "x"},
                    headers={"Idempotency-Key": str(uuid.uuid4())},
                ),
            ):
                turned_away = answer.status_code in {401, 403, 404, 405} or (
                    who is None and answer.status_code == 302 and "/login/" in answer["Location"]
                )
                if not turned_away:
                    let_in.append(f"{answer.request['REQUEST_METHOD']} {path}: {answer.status_code}")
    assert let_in == []
    assert AuditEvent.objects.count() == traces


@pytest.mark.parametrize("kind", VISITORS)
def test_no_list_tells_a_stranger_of_another_company(filled_company: Cast, kind: str) -> None:
    who = visitor(kind)
    browser = Client(raise_request_exception=False)
    if who:
        browser.force_login(who)
    secrets = (filled_company.cny.number, Payment.objects.first().reference, "Huaxia", "北京供应商")  # type: ignore[union-attr]
    told: list[str] = []

    def walk(patterns: list[Any], before: str) -> None:
        for pattern in patterns:
            whole = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, whole)
            elif "<" not in whole and not whole.startswith(("accounts/", "static", "^", "admin/jsi18n")):
                look(f"/{whole}")

    def look(path: str) -> None:
        client = Program(who) if who and path.startswith("/api/") else browser
        for query in ({}, {"export": "csv"}):
            answer = client.get(path, query)
            body = b"".join(answer) if answer.streaming else answer.content
            if answer.status_code >= 500:
                told.append(f"{path}: {answer.status_code}")
            if path.startswith(WHOLE_GROUP):
                continue
            told.extend(f"{path} {query}: {s}" for s in secrets if s.encode() in body)

    walk(get_resolver().url_patterns, "")
    assert told == []


def test_no_form_takes_the_key_of_an_object_a_stranger_may_not_see(
    filled_company: Cast, now: datetime
) -> None:
    who = visitor("every role")
    assert who is not None
    browser = Client(raise_request_exception=False)
    browser.force_login(who)
    cny, company = filled_company.cny, filled_company.company
    draft, payee = Payment.objects.filter(state="DRAFT").get(), Beneficiary.objects.get()
    waiting = make.submitted_payment(filled_company)
    rule, match = SweepRule.objects.get(), Match.objects.get()
    upload = {"name": "x", "file": io.BytesIO(b"payee,payee account,amount,date\nX,62,1,2026-11-24\n")}
    payment = {
        "account": cny.pk, "beneficiary": payee.pk, "kind": "SUPPLIER", "amount": "1", "currency": "CNY",
        "execute_on": "2099-01-05", "purpose": "x",
    }  # fmt: skip
    everything = {
        **payment, **upload, "ids": [str(draft.pk), f"{waiting.pk}:{waiting.digest}", str(match.pk)],
        "rules": [rule.pk], "rule": rule.pk, "matches": [match.pk], "company": company.pk, "header": cny.pk,
        "member": rule.member_id, "direction": "COLLECT", "target_balance": "0", "minimum_transfer": "0",
        "leave_in_header": "0", "order": "1", "reason": "x", "bank": cny.bank_id, "accounts": [cny.pk],
        "connector": "simulated", "number": "1", "account_number": "62220009", "country": "CN",
        "category": "x",
        "every": "MONTH", "starts_on": "2026-12-01",
    }  # fmt: skip
    traces, states, faults = AuditEvent.objects.count(), _states(), []
    for path in (
        "payments/submit/", "payments/approvals/decide/", "payments/new/", "payments/import/",
        "payments/beneficiaries/new/", "payments/sweeps/run/", "payments/sweeps/rules/new/",
        "payments/sweeps/dry-run/", "reconciliation/matches/undo/", "reconciliation/journals/import/",
        "cash/recurring/new/", "cash/plans/import/", "cash/accounts/new/", "banks/connections/new/",
    ):  # fmt: skip
        upload["file"].seek(0)  # type: ignore[attr-defined]
        answer = browser.post(f"/{path}", everything)
        if answer.status_code >= 500 or _states() != states or AuditEvent.objects.count() != traces:
            faults.append(f"{path}: {answer.status_code}")
            traces, states = AuditEvent.objects.count(), _states()
    for path, data in (("payments/new/hints/", payment), ("payments/new/payees/", payment)):
        answer = browser.get(f"/{path}", data)
        if answer.status_code >= 500 or payee.account_number.encode() in answer.content:
            faults.append(f"{path}: {answer.status_code}")
    assert faults == []


def _states() -> list[tuple[int, str]]:
    return list(Payment.objects.order_by("pk").values_list("pk", "state"))
