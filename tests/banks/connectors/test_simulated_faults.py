"""Every way the simulated bank can misbehave, as its connector sees it and as its ledger has it."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from banks.connectors.abilities import ConnectorError, NotSentError, RefusedError, UncertainError
from banks.messages import AccountIdentity, Party, PaymentOrder, PaymentState
from banks.simulator.faults import KINDS
from tests.simulated_bank import SimulatedBank, wait_until


@pytest.fixture
def peer(bank: SimulatedBank) -> SimulatedBank:
    bank.open_account("A", "CNY", opening="1000.00")
    bank.open_account("B", "CNY")
    return bank


def order(peer: SimulatedBank, reference: str = "R1") -> PaymentOrder:
    return PaymentOrder(
        reference=reference,
        debtor=AccountIdentity(number="A", currency="CNY"),
        creditor=Party(name="Beta", account="B"),
        amount=Decimal("10.00"),
        currency="CNY",
        requested_on=peer.business_day(),
    )


def send(peer: SimulatedBank, *references: str, connector: Any = None) -> Any:
    connector = connector or peer.connector()
    return connector.send(connector.compose([order(peer, r) for r in references or ("R1",)]))


def asked(peer: SimulatedBank, reference: str = "R1") -> PaymentState:
    return peer.connector().query_payments([reference]).reports[0].state


UNCERTAIN = {
    "drop_before": 0,
    "drop_midway": 1,
    "drop_after": 1,
    "garbage_after": 1,
    "truncated_after": 1,
    "error_before": 0,
    "error_after": 1,
}


@pytest.mark.parametrize(("kind", "booked"), UNCERTAIN.items())
def test_a_broken_talk_is_uncertain_whatever_the_bank_did(
    peer: SimulatedBank, kind: str, booked: int
) -> None:
    peer.fault(kind, count=1)
    with pytest.raises(UncertainError):
        send(peer)
    assert peer.times_booked("R1") == booked
    assert asked(peer) is (PaymentState.BOOKED if booked else PaymentState.NO_RECORD)


def test_a_line_cut_midway_leaves_the_rest_unrecorded(peer: SimulatedBank) -> None:
    peer.fault("drop_midway", references=["R2"])
    with pytest.raises(UncertainError):
        send(peer, "R1", "R2", "R3")
    assert [asked(peer, r) for r in ("R1", "R2", "R3")] == [
        PaymentState.BOOKED,
        PaymentState.BOOKED,
        PaymentState.NO_RECORD,
    ]


def test_throttling_is_a_refusal_and_books_nothing(peer: SimulatedBank) -> None:
    peer.fault("throttle", count=1)
    with pytest.raises(RefusedError):
        send(peer)
    assert peer.times_booked("R1") == 0


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("reject", PaymentState.REJECTED),
        ("delay", PaymentState.PROCESSING),
        ("processing", PaymentState.PROCESSING),
        ("bank_approval", PaymentState.BANK_APPROVAL),
        ("return_later", PaymentState.BOOKED),
    ],
)
def test_a_payment_treated_oddly_is_reported_as_the_bank_sees_it(
    peer: SimulatedBank, kind: str, state: PaymentState
) -> None:
    peer.fault(kind, queries=5)
    assert send(peer).reports[0].state is state
    assert asked(peer) is state
    peer.assert_books_balance()


def test_a_delayed_payment_books_by_itself_when_its_time_has_come(peer: SimulatedBank) -> None:
    peer.fault("delay", seconds=0.2)
    send(peer)
    wait_until(lambda: peer.times_booked("R1") == 1, what="the bank to book")


def test_a_return_later_reaches_the_returns_service(peer: SimulatedBank) -> None:
    peer.fault("return_later", seconds=0.1, code="AC04", text="账户已销户")
    send(peer)
    connector = peer.connector()
    (report,) = wait_until(lambda: connector.fetch_returns("")[0].reports, what="the return")
    assert (report.reference, report.code, report.text) == ("R1", "AC04", "账户已销户")
    assert peer.balance("A") == Decimal("1000.00")


def test_double_reports_are_heard_once_and_nothing_is_booked_twice(peer: SimulatedBank) -> None:
    peer.fault("repeat")
    answer = send(peer, "R1", "R2")
    assert [r.reference for r in answer.reports] == ["R1", "R2"]
    assert peer.times_booked("R1") == 1


def test_a_report_missing_from_the_answer_stays_missing(peer: SimulatedBank) -> None:
    peer.fault("empty", count=1)
    assert send(peer).reports == ()
    assert peer.times_booked("R1") == 1


def test_an_empty_answer_to_a_query_is_unknown_and_not_no_record(peer: SimulatedBank) -> None:
    send(peer)
    peer.fault("empty", on="query", count=1)
    assert asked(peer) is PaymentState.UNKNOWN
    assert asked(peer) is PaymentState.BOOKED


@pytest.mark.parametrize("kind", ["drop_before", "garbage_after", "error_before", "truncated_after"])
def test_a_broken_query_raises_and_the_next_one_answers(peer: SimulatedBank, kind: str) -> None:
    send(peer)
    peer.fault(kind, on="query", count=1)
    with pytest.raises(UncertainError):
        asked(peer)
    assert asked(peer) is PaymentState.BOOKED


def test_a_stalled_answer_is_uncertain_though_the_bank_has_booked(peer: SimulatedBank) -> None:
    peer.fault("stall_after", count=1)
    with pytest.raises(UncertainError):
        send(peer, connector=peer.connector(timeout_seconds=0.3))
    assert asked(peer) is PaymentState.BOOKED


def test_a_message_held_up_inside_the_bank_is_booked_when_let_go_within_the_window(
    peer: SimulatedBank,
) -> None:
    """The line is long dead when the bank books: "no record" at first was no proof of anything."""
    peer.fault("stall_before", count=1)
    connector = peer.connector(timeout_seconds=0.3)
    sent_at = datetime.now(UTC)
    with pytest.raises(UncertainError):
        send(peer, connector=connector)
    answer = connector.query_payments(["R1"])
    assert answer.reports[0].state is PaymentState.NO_RECORD
    assert not connector.no_record_is_final(sent_at=sent_at, asked_at=answer.talks[0].started_at)
    assert peer.release()["stalled"] == 1
    wait_until(lambda: asked(peer) is PaymentState.BOOKED, what="the bank to book")


def test_a_message_held_up_beyond_the_window_is_never_booked(peer: SimulatedBank) -> None:
    """Once "no record" is final it stays so, whatever is still lying about inside the bank."""
    peer.fault("stall_before", count=1)
    connector = peer.connector(timeout_seconds=20)
    failures: list[ConnectorError] = []

    def sending() -> None:
        try:
            send(peer, connector=connector)
        except ConnectorError as error:
            failures.append(error)

    sender = threading.Thread(target=sending)
    sender.start()
    wait_until(peer.stalls, what="the request to stall")
    peer.advance(61)
    assert asked(peer) is PaymentState.NO_RECORD
    peer.release()
    sender.join(10)
    assert isinstance(failures[0], RefusedError)
    assert "EXPIRED" in str(failures[0])
    assert asked(peer) is PaymentState.NO_RECORD
    assert peer.ledger()["payments"] == []


def test_a_sender_that_slept_past_its_stored_instant_sends_nothing(peer: SimulatedBank) -> None:
    connector = peer.connector()
    message = connector.compose([order(peer)])
    with pytest.raises(NotSentError, match="was not sent"):
        connector.send(message, sent_at=datetime.now(UTC) - timedelta(seconds=61))
    assert peer.ledger()["payments"] == []


def test_a_sender_that_slept_after_its_last_look_at_the_clock_is_refused_by_the_bank(
    peer: SimulatedBank,
) -> None:
    stored = datetime.now(UTC) - timedelta(seconds=61)
    connector = peer.connector(clock=lambda: stored)
    with pytest.raises(RefusedError, match="EXPIRED"):
        connector.send(connector.compose([order(peer)]), sent_at=stored)
    assert peer.ledger()["payments"] == []


def test_no_record_from_a_bank_whose_clock_is_behind_proves_nothing(peer: SimulatedBank) -> None:
    peer.set_clock_offset(-30)
    (report,) = peer.connector().query_payments(["R1"]).reports
    assert (report.state, report.code) == (PaymentState.UNKNOWN, "DOUBTFUL")


def test_no_record_from_a_bank_with_a_longer_window_proves_nothing(peer: SimulatedBank) -> None:
    (report,) = peer.connector(no_record_window_seconds=30).query_payments(["R1"]).reports
    assert (report.state, report.code) == (PaymentState.UNKNOWN, "DOUBTFUL")


@pytest.mark.parametrize("offset", [-30, 30])
def test_check_names_a_clock_that_is_off(peer: SimulatedBank, offset: int) -> None:
    peer.set_clock_offset(offset)
    with pytest.raises(RefusedError, match="clock"):
        peer.connector().check()


def test_a_kept_connection_that_the_bank_closed_is_not_used_again(peer: SimulatedBank) -> None:
    connector = peer.connector()
    connector.check()
    peer.kill()
    peer.restart()
    connector.check()
    assert send(peer, connector=connector).reports[0].state is PaymentState.BOOKED


def test_a_forked_worker_does_not_share_the_line_of_its_parent(peer: SimulatedBank) -> None:
    send(peer)
    connector = peer.connector()
    connector.check()
    kept = connector._line._kept
    child = os.fork()
    if child == 0:
        own = False
        try:
            connector.check()
            own = connector._line._kept is not kept
        finally:
            os._exit(0 if own else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert connector.query_payments(["R1"]).reports[0].state is PaymentState.BOOKED
    assert connector._line._kept is kept


def test_concurrent_repeats_of_one_message_book_it_once(peer: SimulatedBank) -> None:
    connector = peer.connector()
    message = connector.compose([order(peer, f"R{n}") for n in range(20)])
    answers: list[Any] = []
    senders = [threading.Thread(target=lambda: answers.append(connector.send(message))) for _ in range(6)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(20)
    assert len({tuple(replace(r, at=None) for r in a.reports) for a in answers}) == 1
    assert len(answers) == 6
    assert peer.balance("A") == Decimal("800.00")


def test_every_kind_of_fault_has_its_test_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f'"{kind}"' not in text] == []
