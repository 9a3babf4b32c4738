"""One whole day played on real processes: entered, approved, sent by the worker, answered, returned,
stated by the banks, imported and matched by the worker, reconciled and closed.

People's acts call the services; everything the portal does by itself is done by `qcluster`. The
banks misbehave on purpose.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.utils import timezone

from banks.models import Connection, Entry, Statement
from payments.models import Payment
from payments.models.payments import Source
from payments.services import importing as payment_files
from payments.services import preparing
from payments.states import AT_THE_BANK, PaymentState
from reconciliation.demo import (
    acts,
    books,
    building,
    figures,
    present,
    report,
    serving,
    timeline,
)
from reconciliation.demo.acts import PlotError
from reconciliation.demo.banks import SimulatedBank
from reconciliation.demo.world import World
from reconciliation.models import Close, Match
from reconciliation.services import adjusting, booking, closing, opening
from treasury import jobs
from treasury.models import Account
from treasury.supervisor import Supervisor

PATIENCE_SECONDS = 120.0
WINDOW_SECONDS = 6.0
"""How long the banks take a payment message in this play; short, so that "no record" is soon certain."""


@dataclass(slots=True)
class Day:
    """The day being played."""

    on: date
    world: World
    banks: Sequence[SimulatedBank]
    supervisor: Supervisor
    say: Callable[[str], None]
    chance: random.Random
    receipts: list[dict[str, str]] = field(default_factory=list)

    def at(self) -> datetime:
        """Now; where banks rest today, an hour of the last banking day."""
        now = timezone.now()
        return now if now.astimezone(timeline.SHANGHAI).date() == self.on else timeline.at(self.on, 15)

    def until(self, true: Callable[[], Any], what: str) -> None:
        """Wait for the worker, which has `PATIENCE_SECONDS`.

        It looks for due enquiries every minute; here it is nudged every second, to save time.
        """
        began = nudged = time.monotonic()
        while not true():
            now = time.monotonic()
            if now - began > PATIENCE_SECONDS:
                raise PlotError(f"Waited {PATIENCE_SECONDS:g} s in vain: {what}.")
            if now - nudged > 1 and not jobs.waiting():
                jobs.enqueue("payments.tasks.send_due")
                nudged = now
            self.supervisor.attend()
            time.sleep(0.1)


def play(supervisor: Supervisor, say: Callable[[str], None]) -> dict[str, Any]:
    """Play the day in an empty, migrated database; gives the ledger of each bank at its end."""
    chance = random.Random(building.SEED)  # noqa: S311 - invented figures, the same every time
    on = timeline.last_banking_day(timeline.today_everywhere(building.ZONES), building.COUNTRIES)
    begun = timeline.at(on - timedelta(days=1), 9)
    say(f"Setting the scene for {on} …")
    with jobs.held_back():
        simulated = building.found(supervisor, begun=begun, since=on, window=WINDOW_SECONDS)
        scene = building.set_scene(simulated, begun=begun, since=on, chance=chance)
    supervisor.start(serving.worker())
    played = Day(on, scene, simulated, supervisor, say, chance)
    _open_books(played)
    _pay(played)
    _return_one(played)
    _state(played)
    _reconcile(played)
    return {bank.figure.code: bank.control.ledger() for bank in simulated}


def _open_books(day: Day) -> None:
    for figure in figures.ACCOUNTS:
        account, amount = day.world.account(figure.number), Decimal(figure.opening)
        opening.set_opening(account=account, on=day.on, amount=amount, by=day.world.dave, at=day.at())
    for bank in day.banks:
        accounts = [a for a in day.world.accounts.values() if a.bank.code == bank.figure.code]
        entries = [acts.receipt(day.chance, account) for account in accounts for _n in range(3)]
        day.receipts += entries
        bank.control.enter([*entries, *(acts.fee(account) for account in accounts)])


# --- payments -----------------------------------------------------------------------------


def _pay(day: Day) -> None:
    """Entered singly and by file, submitted, approved by one or two, sent by the worker."""
    world, at = day.world, day.at()
    day.say("Alice enters payments and imports a file; Bob and Bella approve …")
    wishes = [
        acts.wish(day.chance, world, account, day.on)
        for account in world.accounts.values()
        if world.payees_of(account)
        for _n in range(3)
    ]
    preparing.create_payments(wishes=wishes, source=Source.FORM, by=world.alice, at=at)
    _transfer_and_large_one(day, at)
    account = world.account(present.TRADE)
    content = present.payment_file(world, account, day.on, ("18200.00", "9600.50", "42750.00", "131000.00"))
    file = payment_files.upload_file(
        account=account, name="付款清单.csv", content=content, by=world.alice, at=at
    )
    payment_files.commit_file(file=file, by=world.alice, at=at)
    acts.submit(list(Payment.objects.order_by("id")), by=world.alice, at=day.at())
    _misbehave(day)
    acts.approve_all(Payment.objects.all(), people=(world.bob, world.bella), at=day.at())
    approved = Payment.objects.count()
    day.say(f"The worker sends {approved} payments; the banks drop, delay and reject some …")
    open_states = [*AT_THE_BANK, PaymentState.APPROVED]
    day.until(
        lambda: not Payment.objects.filter(state__in=open_states).exists(), "every payment has a final state"
    )
    acts.credit_the_other_bank(
        Payment.objects.filter(state=PaymentState.SETTLED, own_account__isnull=False).select_related(
            "account__company", "own_account__bank"
        ),
        day.banks,
    )


def _transfer_and_large_one(day: Day, at: datetime) -> None:
    main, settlement = day.world.account(present.MAIN), day.world.account("9929020200000033")
    for target, amount in (
        ({"beneficiary": day.world.payees_of(main)[0]}, "2480000.00"),
        ({"own_account": settlement}, "600000.00"),
    ):
        preparing.create_payment(
            account=main,
            amount=Decimal(amount),
            currency="CNY",
            execute_on=day.on,
            purpose="生产线首付款" if "beneficiary" in target else "内部调拨",
            source=Source.FORM,
            by=day.world.alice,
            at=at,
            **target,  # type: ignore[arg-type]
        )


def _misbehave(day: Day) -> None:
    """Each bank gets its share: hang up after booking, hang up before, refuse, answer late."""
    for bank in day.banks:
        mine = list(
            Payment.objects.filter(account__bank__code=bank.figure.code, own_account=None).order_by("id")
        )
        refused, late, returned = mine[0], mine[1], mine[2]
        bank.control.fault(
            "reject", references=[refused.reference], code="AC04", text="收款账户已销户 Account closed"
        )
        bank.control.fault("delay", references=[late.reference], seconds=2.0)
        bank.control.fault("repeat", references=[returned.reference], count=1)
    hangs_up_after, hangs_up_before = day.banks[0], day.banks[1]
    hangs_up_after.control.fault("drop_after", count=1)
    hangs_up_before.control.fault("drop_before", count=1)


def _return_one(day: Day) -> None:
    """A settled payment of each bank comes back (退票); the portal hears of it from the bank."""
    day.say("Some payments come back (退票); the banks close the day …")
    for bank in day.banks:
        settled = Payment.objects.filter(
            account__bank__code=bank.figure.code, state=PaymentState.SETTLED, own_account=None
        )
        bank.control.return_payment(
            settled.order_by("id")[0].reference, code="AC01", text="收款人账号户名不符"
        )


# --- statements and books -----------------------------------------------------------------


def _state(day: Day) -> None:
    """The banks close their day; the worker fetches and imports the statements."""
    for bank in day.banks:
        bank.control.close_day()
    for connection in Connection.objects.filter(state="ACTIVE"):
        jobs.enqueue("banks.tasks.refresh_connection", connection.pk)
    wanted = len(day.world.accounts)
    day.until(
        lambda: (
            Statement.objects.filter(closing_on=day.on, intraday=False).values("account").distinct().count()
            == wanted
            and Payment.objects.filter(state=PaymentState.RETURNED).count() == len(day.banks)
        ),
        "every account has its statement, every return is known",
    )


def _reconcile(day: Day) -> None:
    """Alice imports the journals, the worker matches, Dave closes each account's day."""
    day.say("Alice imports the bank journals, the worker matches, Dave closes the day …")
    expected = 0
    for account in day.world.accounts.values():
        content, count = books.journal(_own_books(day, account), account, f"{day.on:%m%d}")
        expected += count
        booking.import_journal(
            account=account,
            name=f"日记账-{account.number[-4:]}.csv",
            content=content,
            by=day.world.alice,
            at=day.at(),
        )
    day.until(
        lambda: Match.objects.filter(undone_at=None).count() == expected, "every journal line is matched"
    )
    for account in day.world.accounts.values():
        sheet = adjusting.adjustment_sheet(account=account, on=day.on)
        if sheet.difference:
            raise PlotError(f"{account}: the adjustment statement is {sheet.difference} off.")
        closing.close_account_day(account=account, on=day.on, by=day.world.dave, at=day.at())


def _own_books(day: Day, account: Account) -> list[books.Row]:
    """What the company's own bookkeeping knows: its invoices and its payments, not the bank's lines."""
    rows = [
        books.Row(day.on, Decimal(r["amount"]), "", "", r["party_name"], r["text"])
        for r in day.receipts
        if r["account"] == account.number
    ]
    moved = Payment.objects.filter(state__in=[PaymentState.SETTLED, PaymentState.RETURNED]).order_by("id")
    for payment in moved.filter(account=account):
        rows.append(
            books.Row(day.on, -payment.amount, payment.reference, "", payment.payee_name, payment.purpose)
        )
    for payment in moved.filter(own_account=account).select_related("account__company"):
        name = payment.account.company.name
        rows.append(books.Row(day.on, payment.amount, payment.reference, "", name, payment.purpose))
    return rows


def summary() -> str:
    """A short table of what happened."""
    states = Counter(Payment.objects.values_list("state", flat=True))
    tiers = Counter(Match.objects.filter(undone_at=None).values_list("tier", flat=True))
    statements, closes = Statement.objects.all(), Close.objects.all()
    again = Payment.objects.filter(dispatch__attempts__gt=1).count()
    asked = Payment.objects.filter(dispatch__queries__gt=0).count()
    by_file = Payment.objects.filter(source=Source.IMPORT).count()
    balanced = statements.filter(balanced=True).count()
    level = closes.filter(adjusted_bank=F("adjusted_book")).count()
    found = ", ".join(f"{n} by {Match.Tier(tier).label.lower()}" for tier, n in sorted(tiers.items()))
    events = (
        ("payments entered", Payment.objects.count(), f"{by_file} of these by file"),
        ("settled", states["SETTLED"], f"{asked} asked about, {again} sent anew: provably not taken on"),
        ("refused by the bank", states["FAILED"], ""),
        ("returned (退票)", states["RETURNED"], ""),
        ("statements", statements.count(), f"{balanced} with opening + entries = closing"),
        ("bank lines", Entry.objects.count(), ""),
        ("matches", sum(tiers.values()), found),
        ("days closed", closes.count(), f"{level} with difference 0"),
    )
    rows = [(what, str(count), note) for what, count, note in events]
    return report.table(("what happened", "count", ""), rows, right=[1]) + "\n"
