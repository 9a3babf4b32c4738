"""A live, simulated peer for each connector, so that one contract suite can run against them all.

To put a new connector under the contract, write a class with the methods of `Peer` and list it
in `PEERS` under the connector's key. Nothing else is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Protocol

from banks.messages import AccountIdentity, Party, PaymentOrder
from tests.simulated_bank import Banks


class Peer(Protocol):
    """A bank that a connector is connected to, with one account of ours that holds 1000.00 CNY."""

    connector: Any
    account: AccountIdentity

    def order(self, reference: str, amount: str = "10.00") -> PaymentOrder: ...

    def booked(self, reference: str) -> int:
        """How often the bank itself says it booked the payment."""
        ...

    def give_back(self, reference: str) -> None:
        """Make the bank return a booked payment (退票)."""
        ...

    def close_day(self) -> None: ...

    def hang_up_after_booking(self) -> None:
        """Make the bank book the next message and close the line without an answer."""
        ...

    def hang_up_before_booking(self) -> None: ...

    def go_away(self) -> None:
        """Stop listening."""
        ...

    def connect_with_wrong_key(self) -> Any: ...

    def secrets(self) -> tuple[str, ...]:
        """What must never be seen in a talk."""
        ...


class SimulatedPeer:
    """The simulated bank behind its own connector."""

    def __init__(self, start_bank: Banks) -> None:
        self._bank = start_bank()
        self._bank.open_account("6225001", "CNY", opening="1000.00", name="甲公司")
        self.account = AccountIdentity(number="6225001", currency="CNY")
        self.connector = self._bank.connector()

    def order(self, reference: str, amount: str = "10.00") -> PaymentOrder:
        return PaymentOrder(
            reference=reference,
            debtor=self.account,
            creditor=Party(name="乙公司", account="6225999", bank_code="OTHERBANK"),
            amount=Decimal(amount),
            currency="CNY",
            requested_on=self._bank.business_day(),
            purpose="货款",
        )

    def booked(self, reference: str) -> int:
        return self._bank.times_booked(reference)

    def give_back(self, reference: str) -> None:
        self._bank.return_payment(reference)

    def close_day(self) -> None:
        self._bank.close_day()

    def hang_up_after_booking(self) -> None:
        self._bank.fault("drop_after", count=1)

    def hang_up_before_booking(self) -> None:
        self._bank.fault("drop_before", count=1)

    def go_away(self) -> None:
        self._bank.kill()

    def connect_with_wrong_key(self) -> Any:
        return self._bank.connector(key="not the key")

    def secrets(self) -> tuple[str, ...]:
        return (self._bank.key,)


PEERS: dict[str, Callable[[Banks], Peer]] = {"simulated": SimulatedPeer}
