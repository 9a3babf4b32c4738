"""Today in the demonstration: payments at every stage of their life, and things that wait for people."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from django.utils import timezone

from banks.services import importing
from payments.models import Beneficiary, Payment
from payments.models.payments import Source
from payments.services import approving, beneficiaries, preparing, rule_sets
from payments.services import importing as payment_files
from payments.services.checking import today_at
from payments.services.rule_sets import Band
from reconciliation.demo import acts
from reconciliation.demo.banks import SimulatedBank
from reconciliation.demo.timeline import Timeline
from reconciliation.demo.world import World
from treasury import calendars
from treasury.models import Account

MAIN, TRADE, OPERATING, DOLLARS = (
    "9929010100000017",
    "9929010100000058",
    "DE12999000010000104711",
    "9929010100000025",
)


def play(world: World, banks: Sequence[SimulatedBank], chance: random.Random) -> None:
    """Everything that stands open when somebody signs in for the first time."""
    _receipts(world, banks, chance)
    waiting = _submitted(world, chance, scale=0.3, numbers=(MAIN, TRADE, OPERATING, DOLLARS, MAIN, TRADE))
    large = _large(world, (MAIN, TRADE, OPERATING))
    _decide(world, waiting, large)
    _drafts(world, chance)
    _for_a_second_person(world)
    _a_foreign_file(world)
    acts.ask_balances(Timeline())


def due_on(account: Account, days: int = 0) -> date:
    """The first banking day of the account, so many days from now."""
    return calendars.next_business_day(
        today_at(account, timezone.now()) + timedelta(days=days), account.bank.country
    )


def _receipts(world: World, banks: Sequence[SimulatedBank], chance: random.Random) -> None:
    for bank in banks:
        accounts = [a for a in world.accounts.values() if a.bank.code == bank.figure.code]
        bank.control.enter([acts.receipt(chance, account) for account in accounts for _n in range(2)])


def _submitted(world: World, chance: random.Random, *, scale: float, numbers: Sequence[str]) -> list[Payment]:
    at = timezone.now()
    wishes = []
    for number in numbers:
        account = world.account(number)
        wishes.append(acts.wish(chance, world, account, due_on(account), scale=scale))
    made = preparing.create_payments(wishes=wishes, source=Source.FORM, by=world.alice, at=at)
    acts.submit(made, by=world.alice, at=at)
    return list(Payment.objects.filter(pk__in=[p.pk for p in made]).order_by("id"))


def _large(world: World, numbers: Sequence[str]) -> list[Payment]:
    """Payments above the limit: two managers are needed."""
    at = timezone.now()
    made = []
    for n, number in enumerate(numbers):
        account = world.account(number)
        amount = Decimal(486_000 + 1250 * n) / (8 if account.currency == "EUR" else 1)
        made.append(
            preparing.create_payment(
                account=account,
                beneficiary=world.payees_of(account)[n % 2],
                amount=amount,
                currency=account.currency,
                execute_on=due_on(account, days=n),
                purpose="设备款 Equipment" if account.bank.country == "CN" else "Equipment",
                source=Source.FORM,
                by=world.alice,
                at=at,
            )
        )
    acts.submit(made, by=world.alice, at=at)
    return list(Payment.objects.filter(pk__in=[p.pk for p in made]).order_by("id"))


def _decide(world: World, waiting: list[Payment], large: list[Payment]) -> None:
    """One sent back, one rejected, two of the large ones half approved, one approved for later."""
    at = timezone.now()
    back, no = waiting[0], waiting[1]
    approving.send_back(
        payment=back,
        expected_digest=back.digest,
        reason="发票号缺失 The invoice number is missing from the purpose",
        by=world.bob,
        at=at,
    )
    approving.reject(
        payment=no, expected_digest=no.digest, reason="重复付款 Paid already last week", by=world.bella, at=at
    )
    for payment in large[:2]:
        approving.approve_payment(payment=payment, expected_digest=payment.digest, by=world.bob, at=at)
    account = world.account(MAIN)
    later = preparing.create_payment(
        account=account,
        beneficiary=world.payees_of(account)[0],
        amount=Decimal("64800.00"),
        currency="CNY",
        execute_on=due_on(account, days=6),
        purpose="软件服务费",
        source=Source.FORM,
        by=world.alice,
        at=at,
    )
    acts.submit([later], by=world.alice, at=at)
    acts.approve_all([later], people=(world.bob, world.bella), at=at)


def _drafts(world: World, chance: random.Random) -> None:
    """Two single drafts, and a file of five that Alice imported and has not submitted yet."""
    at = timezone.now()
    account = world.account(TRADE)
    wishes = [acts.wish(chance, world, account, due_on(account, days=1)) for _n in range(2)]
    preparing.create_payments(wishes=wishes, source=Source.FORM, by=world.alice, at=at)
    content = payment_file(world, account, due_on(account, days=2), ("18200.00", "9600.50", "42750.00"))
    file = payment_files.upload_file(
        account=account, name="付款清单.csv", content=content, by=world.alice, at=at
    )
    payment_files.commit_file(file=file, by=world.alice, at=at)


def payment_file(world: World, account: Account, on: date, amounts: Sequence[str]) -> bytes:
    """A CSV file of payments to the suppliers of the account's company."""
    payees = world.payees_of(account)
    lines = ["收款人,收款账号,金额,币种,付款日期,用途"]
    for n, amount in enumerate(amounts):
        payee = payees[n % len(payees)]
        lines.append(
            f"{payee.name},{payee.account_number},{amount},{account.currency},{on.isoformat()},货款 {n + 1}"
        )
    return "\n".join(lines).encode()


def _for_a_second_person(world: World) -> None:
    """A new payee, changed bank details and a new rule wait for somebody else's yes."""
    at = timezone.now()
    beneficiaries.propose_beneficiary(
        company=world.group,
        name="天津示例包装有限公司",
        account_number="9991101000000996",
        currency="CNY",
        bank_code="999580800180",
        bank_name="示例工业银行天津分行",
        by=world.alice,
        at=at,
        reason="New packaging supplier",
    )
    known: Beneficiary = world.payees_of(world.account(OPERATING))[1]
    beneficiaries.propose_change(
        beneficiary=known, by=world.alice, at=at, bank_name="Banque Exemple, Lyon", reason="Letter of today"
    )
    rule_sets.propose_bands(
        company=world.companies["HXEUROPE"],
        bands=[
            Band(Decimal(0), Decimal(10_000), (("manager", 1),)),
            Band(Decimal(10_000), None, (("manager", 2),)),
        ],
        by=world.erin,
        at=at,
        reason="Lower the limit for one manager",
    )


def _a_foreign_file(world: World) -> None:
    """Alice once uploaded something that is no statement: kept, and said to be unreadable."""
    at = timezone.now()
    file = importing.receive_file(
        name="对账说明.txt", content="这不是对账单 This is no statement\n".encode(), by=world.alice, at=at
    )
    importing.import_file(file=file, at=at, by=world.alice)
