"""What the cast and the portal do on a working day: steps that history and the played day share."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from banks.models import Connection
from banks.services import asking, importing
from banks.services.importing import Imported
from banks.states import FileState
from payments.models import Payment
from payments.services import approving, dispatching, preparing, querying
from payments.services.checking import Wish
from payments.states import PaymentState
from reconciliation.demo import figures
from reconciliation.demo.banks import SimulatedBank
from reconciliation.demo.timeline import Timeline
from reconciliation.demo.world import World
from treasury import money
from treasury.models import Account, User

BUDGET = timedelta(seconds=120)


class PlotError(RuntimeError):
    """A step of the demonstration did not come out as it must; the text says which."""


def an_amount(chance: random.Random, currency: str, *, scale: float = 1.0) -> Decimal:
    """An everyday amount: small ones are frequent, large ones rare."""
    low, high = figures.TYPICAL[currency]
    value = Decimal(round(low + (high - low) * chance.random() ** 3 * scale, 2)).quantize(Decimal("0.01"))
    return Decimal(int(value) // 1000 * 1000) if currency == "JPY" else value


def receipt(chance: random.Random, account: Account) -> dict[str, str]:
    """Money from a customer, as the bank is told to book it."""
    fitting = [c for c in figures.CUSTOMERS if c.currency == account.currency]
    customer = chance.choice(fitting)
    return {
        "account": account.number,
        "amount": str(an_amount(chance, account.currency, scale=1.6)),
        "party_name": customer.name,
        "party_account": customer.number,
        "text": chance.choice(customer.texts).format(n=chance.randint(20_000, 29_999)),
    }


def direct_debit(chance: random.Random, account: Account) -> dict[str, str]:
    """What others draw from the account: wages, taxes, energy."""
    return {
        "account": account.number,
        "amount": f"-{an_amount(chance, account.currency, scale=3.5)}",
        "party_name": account.company.name[:54] if chance.random() < 0.5 else "",
        "text": chance.choice(figures.DEBITS[account.currency]),
    }


def fee(account: Account) -> dict[str, str]:
    amount, text = figures.FEES[account.currency]
    return {
        "account": account.number,
        "amount": f"-{amount}",
        "party_name": account.bank.name.split(" ")[0],
        "text": text,
    }


def wish(chance: random.Random, world: World, account: Account, on: date, *, scale: float = 1.0) -> Wish:
    """A payment of `account` to one of its company's suppliers."""
    payee = chance.choice(world.payees_of(account))
    purposes = next(f.purposes for f in figures.PAYEES if f.number == payee.account_number)
    return Wish(
        account=account,
        beneficiary=payee,
        amount=an_amount(chance, account.currency, scale=scale),
        currency=account.currency,
        execute_on=on,
        purpose=chance.choice(purposes),
        urgent=chance.random() < 0.1,
    )


def submit(payments: Sequence[Payment], *, by: User, at: datetime) -> None:
    """Put drafts before their approvers; every one must be taken."""
    refused = [r for r in preparing.submit_payments(payments=payments, by=by, at=at) if not r.done]
    if refused:
        raise PlotError(f"{refused[0].reference} was not submitted: {refused[0].error}")


def approve_all(payments: Iterable[Payment], *, people: Sequence[User], at: datetime) -> None:
    """Let the managers approve, one after the other, until nothing waits for one of them."""
    ids = [payment.pk for payment in payments]
    for person in people:
        waiting = Payment.objects.filter(pk__in=ids, state=PaymentState.SUBMITTED)
        expectations = list(waiting.values_list("pk", "digest"))
        if not expectations:
            return
        for result in approving.approve_payments(
            expectations=expectations, by=person, at=at, each_opened=True
        ):
            if not result.done:
                raise PlotError(f"{result.reference} was not approved: {result.error}")


def dispatch(timeline: Timeline) -> None:
    """Send what is due and ask about what is open, by the timeline's clock."""
    dispatching.work_off(budget=BUDGET, clock=timeline.now)


def credit_the_other_bank(payments: Iterable[Payment], banks: Sequence[SimulatedBank]) -> None:
    """Money does not travel between the simulated banks: book what went to an own account elsewhere."""
    controls = {bank.figure.code: bank.control for bank in banks}
    for payment in payments:
        target = payment.own_account
        if target is None or target.bank_id == payment.account.bank_id:
            continue
        controls[target.bank.code].credit(
            target.number,
            money.quantize(payment.amount, payment.currency),
            party_name=payment.account.company.name[:54],
            party_account=payment.account.number,
            text=payment.purpose,
            reference=payment.reference,
        )


def ask_balances(timeline: Timeline) -> None:
    """Ask every bank what stands on the accounts now."""
    for connection in Connection.objects.filter(state="ACTIVE").order_by("id"):
        asking.fetch_balances(connection=connection, at=timeline.now(), clock=timeline.now)


def fetch_and_import(timeline: Timeline) -> list[Imported]:
    """Fetch the statements that wait at every bank and read them."""
    results = []
    for connection in Connection.objects.filter(state="ACTIVE").order_by("id"):
        files = asking.fetch_statements(
            connection=connection, at=timeline.now(), enqueue=False, clock=timeline.now
        )
        results += [importing.import_file(file=file, at=timeline.now()) for file in files]
    for result in results:
        if result.file.state != FileState.READ:
            raise PlotError(f"{result.file.name}: {result.file.get_state_display()}. {result.error}")
    return results


def hear_of_returns(timeline: Timeline) -> list[str]:
    """Ask every bank which payments came back, and then what became of each."""
    returned: list[str] = []
    for connection in Connection.objects.filter(state="ACTIVE").order_by("id"):
        returned += asking.fetch_returns(connection=connection, at=timeline.now(), clock=timeline.now)
    if returned:
        querying.ask_soon(references=returned, at=timeline.now())
        dispatch(timeline)
    return returned
