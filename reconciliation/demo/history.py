"""Sixty days of business, played day by day against the simulated banks with the clock in the past."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from banks.models import Entry
from payments.models import Batch, Payment, SweepRule
from payments.models.payments import Source
from payments.services import batches, preparing, sweeping
from payments.services.checking import Wish
from payments.states import PaymentState
from reconciliation.demo import acts, books, figures, timeline
from reconciliation.demo.banks import SimulatedBank
from reconciliation.demo.timeline import Timeline
from reconciliation.demo.world import World
from reconciliation.services import booking, closing, matching, opening
from treasury.models import Account

DAILY_BOOKS = frozenset({"9929010100000017", "9929010100000058"})
"""Accounts whose journal is imported, and whose day is closed, every day; the others weekly."""
OPEN_DAYS = 3
"""The last banking days of the history that nobody has closed yet."""
PAYING = ("9929010100000017", "9929010100000017", "9929020200000033", "9929010100000058",
          "9929010100000058", "9929010100000025", "9929020200000041", "9929010100000074",
          "DE12999000010000104711", "DE51999000010000209933")  # fmt: skip
"""Accounts that pay suppliers, the busy ones twice."""


@dataclass(slots=True)
class History:
    """Plays banking days; remembers what is booked in the books so far."""

    world: World
    banks: Sequence[SimulatedBank]
    clock: Timeline
    say: Callable[[str], None]
    chance: random.Random
    booked_to: dict[int, date] = field(default_factory=dict)
    to_return: list[str] = field(default_factory=list)

    def begin(self, start: date) -> None:
        """Dave states what the books stood at when the history begins."""
        at = timeline.at(start, 8)
        for figure in figures.ACCOUNTS:
            account = self.world.account(figure.number)
            opening.set_opening(
                account=account, on=start, amount=Decimal(figure.opening), by=self.world.dave, at=at
            )
            self.booked_to[account.pk] = start - timedelta(days=1)

    def play(self, days: Sequence[date]) -> None:
        """Every banking day of `days`; the last one's evening included."""
        for number, day in enumerate(days):
            self._business(day, number, last=number + 1 == len(days))
            following = days[number + 1] if number + 1 < len(days) else day + timedelta(days=1)
            self._close_banks(following)
            week_ends = following.isocalendar().week != day.isocalendar().week
            last = number + 1 == len(days)
            self._keep_books(day, following, everything=week_ends or last, to_come=len(days) - number - 1)
            if number % 10 == 9 or last:
                self.say(f"  {day}: {Payment.objects.count()} payments, {Entry.objects.count()} bank lines")

    # --- a day ------------------------------------------------------------------------------

    def _business(self, day: date, number: int, *, last: bool) -> None:
        self.clock.go_to(timeline.at(day, 9))
        self._outside_world(day)
        payments = self._enter(day, number)
        self.clock.go_to(timeline.at(day, 10))
        at = self.clock.now()
        mistaken = payments.pop() if self.chance.random() < 0.15 else None
        acts.submit(payments, by=self.world.alice, at=at)
        if number in (2, 14, 29):
            payments += self._sweep(at)
        held = self._leave_open(payments) if last else None
        ready = [payment for payment in payments if payment != held]
        managers = (self.world.bob, self.world.bella)
        acts.approve_all(ready, people=managers, at=at + timedelta(minutes=20))
        if mistaken is not None:
            preparing.cancel_payment(payment=mistaken, by=self.world.alice, at=at, reason="Entered twice")
        if not last:
            self._misbehave(payments)
        self.clock.go_to(timeline.at(day, 11))
        acts.dispatch(self.clock)
        if held is not None:  # alone in its message, so that only its outcome is unknown
            acts.approve_all([held], people=managers, at=self.clock.now())
            acts.dispatch(self.clock)
        settled = Payment.objects.filter(
            pk__in=[p.pk for p in payments], state=PaymentState.SETTLED
        ).select_related("account__company", "own_account__bank")
        acts.credit_the_other_bank(settled, self.banks)
        if number in (5, 17, 26, 33) and (first := settled.filter(own_account=None).first()):
            self.to_return.append(first.reference)

    def _outside_world(self, day: date) -> None:
        by_bank: dict[str, list[dict[str, str]]] = {bank.figure.code: [] for bank in self.banks}
        for account in self.world.accounts.values():
            busy = account.number in DAILY_BOOKS
            wanted = self.chance.randint(3, 7) if busy else self.chance.randint(1, 3)
            entries = [acts.receipt(self.chance, account) for _n in range(wanted)]
            if self.chance.random() < 0.4:
                entries.append(acts.direct_debit(self.chance, account))
            if day.isocalendar().weekday == 3:
                entries.append(acts.fee(account))
            by_bank[account.bank.code] += entries
        for bank in self.banks:
            bank.control.enter(by_bank[bank.figure.code])

    def _enter(self, day: date, number: int) -> list[Payment]:
        at = self.clock.now()
        wishes = [
            acts.wish(self.chance, self.world, self.world.account(a), day)
            for a in self.chance.choices(PAYING, k=self.chance.randint(5, 8))
        ]
        wishes.append(self._large(day))
        made = preparing.create_payments(wishes=wishes, source=Source.FORM, by=self.world.alice, at=at)
        if number % 5 == 0:
            made += self._batch(day, at)
        return made

    def _large(self, day: date) -> Wish:
        account = self.world.account(self.chance.choice(PAYING[:5]))
        return acts.wish(self.chance, self.world, account, day, scale=2.5)

    def _batch(self, day: date, at: datetime) -> list[Payment]:
        account = self.world.account("9929010100000058")
        wishes = [acts.wish(self.chance, self.world, account, day, scale=0.4) for _n in range(6)]
        batch: Batch = batches.create_batch(
            account=account,
            name=f"供应商付款 {day}",
            source=Source.API,
            wishes=wishes,
            by=self.world.alice,
            at=at,
        )
        return list(batch.payments.order_by("id"))

    def _sweep(self, at: datetime) -> list[Payment]:
        """Carol sweeps by fresh balances; where nothing has to move, nothing does."""
        acts.ask_balances(self.clock)
        try:
            run = sweeping.run_sweep(
                rules=list(SweepRule.objects.filter(active=True)), by=self.world.carol, at=at
            )
        except sweeping.SweepRefusedError:
            return []
        return list(Payment.objects.filter(batch__sweep_runs=run))

    def _misbehave(self, payments: Sequence[Payment]) -> None:
        """Now and then a bank rejects a payment, answers late, or hangs up after booking."""
        if not payments or self.chance.random() < 0.55:
            return
        victim = self.chance.choice([p for p in payments if p.own_account_id is None])
        bank = self._bank_of(victim)
        kind, rule = self.chance.choice(
            (
                ("reject", {"code": "AC04", "text": "收款账户已销户 Account closed"}),
                ("delay", {"queries": 1}),
                ("drop_after", {"count": 1}),
            )
        )
        bank.control.fault(kind, references=[victim.reference], **rule)

    def _leave_open(self, payments: Sequence[Payment]) -> Payment:
        """On the last day the banks keep two payments waiting, refuse one and fall silent about one,
        which is given: it goes out after the others."""
        rules: tuple[tuple[str, dict[str, Any]], ...] = (
            ("processing", {}),
            ("bank_approval", {}),
            ("reject", {"code": "BE01", "text": "户名账号不符 Name and account do not agree"}),
            ("empty", {"on": "query"}),
        )
        candidates = [p for p in payments if p.own_account_id is None]
        for payment, (kind, rule) in zip(candidates, rules, strict=False):
            self._bank_of(payment).control.fault(kind, references=[payment.reference], **rule)
        silent = candidates[3]
        self._bank_of(silent).control.fault("drop_after", references=[silent.reference], count=1)
        return silent

    def _bank_of(self, payment: Payment) -> SimulatedBank:
        return next(b for b in self.banks if b.figure.code == payment.account.bank.code)

    # --- the evening and the next morning ----------------------------------------------------

    def _close_banks(self, following: date) -> None:
        """The banks close up to the next banking day; in its morning their statements come in."""
        for bank in self.banks:
            if self.to_return and bank.control.business_day().isocalendar().weekday == 2:
                self._return_at(bank)
            bank.control.close_day(to=following)
        self.clock.go_to(timeline.at(following, 8))
        acts.dispatch(self.clock)
        acts.fetch_and_import(self.clock)
        acts.hear_of_returns(self.clock)

    def _return_at(self, bank: SimulatedBank) -> None:
        for reference in list(self.to_return):
            payment = Payment.objects.select_related("account__bank").get(reference=reference)
            if payment.account.bank.code == bank.figure.code:
                bank.control.return_payment(reference, code="AC01", text="收款人账号户名不符")
                self.to_return.remove(reference)

    def _keep_books(self, day: date, following: date, *, everything: bool, to_come: int) -> None:
        at = timeline.at(following, 9)
        for account in self.world.accounts.values():
            if everything or account.number in DAILY_BOOKS:
                self._import_journal(account, day, at, untidy=to_come in (0, OPEN_DAYS - 1))
                matching.match_account(account=account, at=at)
                if to_come >= OPEN_DAYS:
                    closing.close_account_day(
                        account=account, on=day, by=self.world.dave, at=at + timedelta(minutes=30)
                    )

    def _import_journal(self, account: Account, day: date, at: datetime, *, untidy: bool) -> None:
        since = self.booked_to[account.pk]
        entries = Entry.objects.filter(
            account=account, status="BOOK", booked_on__gt=since, booked_on__lte=day
        ).order_by("booked_on", "id")
        rows = (
            books.untidy(entries, self.chance, account, day)
            if untidy
            else books.rows_of(entries, self.chance)
        )
        content, count = books.journal(rows, account, f"{day:%m%d}")
        if count:
            booking.import_journal(
                account=account,
                name=f"日记账-{account.number[-4:]}-{day}.csv",
                content=content,
                by=self.world.alice,
                at=at,
            )
        self.booked_to[account.pk] = day
