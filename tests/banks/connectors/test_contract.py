"""What every connector promises, run against each one that is registered (see `peers`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from banks.connectors import BUILT_IN, keys, package
from banks.connectors.abilities import (
    ABILITIES,
    NotSentError,
    RefusedError,
    UncertainError,
    abilities_of,
)
from banks.messages import AccountIdentity, Answer, PaymentState
from tests.banks.connectors.peers import PEERS, Peer
from tests.simulated_bank import Banks


@pytest.fixture(params=keys())
def key(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def peer(key: str, start_bank: Banks) -> Peer:
    if key not in PEERS:
        if key in BUILT_IN:
            pytest.fail(f"Connector {key!r} has no peer in tests/banks/connectors/peers.py.")
        pytest.skip(f"The installed connector {key!r} brings no simulated peer.")
    return PEERS[key](start_bank)


@pytest.fixture
def can(peer: Peer) -> Callable[[str], Any]:
    """`can("payments")` gives the connector, or skips where it lacks the ability."""

    def connector(*abilities: str) -> Any:
        lacking = set(abilities) - set(abilities_of(peer.connector))
        if lacking:
            pytest.skip(f"This connector cannot do: {', '.join(sorted(lacking))}.")
        return peer.connector

    return connector


def test_the_package_says_its_name_and_explains_every_setting(key: str) -> None:
    connector = package(key)
    assert connector.NAME
    assert dataclasses.is_dataclass(connector.Config)
    for setting in dataclasses.fields(connector.Config):
        assert setting.metadata["label"], setting.name
        assert setting.metadata["help"], setting.name
        assert isinstance(setting.metadata["secret"], bool), setting.name
        assert not (setting.metadata["secret"] and setting.repr), f"{setting.name} would show in a log"


def test_it_can_do_something(peer: Peer) -> None:
    assert set(abilities_of(peer.connector)) <= set(ABILITIES)
    assert abilities_of(peer.connector)


def test_check_proves_the_connection(can: Callable[..., Any]) -> None:
    assert isinstance(can("check").check(), Answer)


def test_check_with_a_wrong_key_is_refused_with_a_next_step(can: Callable[..., Any], peer: Peer) -> None:
    can("check")
    with pytest.raises(RefusedError) as refused:
        peer.connect_with_wrong_key().check()
    assert refused.value.hint


def test_it_lists_our_account(can: Callable[..., Any], peer: Peer) -> None:
    numbers = [a.number for a in can("accounts").list_accounts().accounts]
    assert peer.account.number in numbers


def test_balances_come_back_for_the_accounts_asked(can: Callable[..., Any], peer: Peer) -> None:
    answer = can("balances").fetch_balances([peer.account])
    assert [b.account for b in answer.balances] == [peer.account]
    assert answer.balances[0].ledger == 1000
    assert answer.balances[0].as_of.tzinfo is not None


def test_statements_come_by_cursor_and_only_once(can: Callable[..., Any], peer: Peer) -> None:
    connector = can("statements")
    peer.close_day()
    first = connector.fetch_statements(peer.account, "")
    assert len(first.files) == 1
    assert first.files[0].content
    assert first.files[0].talk is not None
    assert connector.fetch_statements(peer.account, first.cursor).files == ()
    assert connector.fetch_statements(peer.account, "").files[0].content == first.files[0].content


def test_an_account_the_bank_does_not_keep_is_refused(can: Callable[..., Any]) -> None:
    with pytest.raises(RefusedError):
        can("balances").fetch_balances([AccountIdentity(number="NOWHERE", currency="CNY")])


def test_composing_is_pure(can: Callable[..., Any], peer: Peer) -> None:
    connector, order = can("payments"), peer.order("R1")
    assert connector.compose([order]) == connector.compose([order])
    assert peer.booked("R1") == 0


def test_composing_refuses_what_one_message_cannot_carry(can: Callable[..., Any], peer: Peer) -> None:
    connector = can("payments")
    order = peer.order("R1")
    with pytest.raises(ValueError, match="payments"):
        connector.compose([])
    with pytest.raises(ValueError, match="once"):
        connector.compose([order, order])
    many = [dataclasses.replace(order, reference=f"R{n}") for n in range(connector.batch_limit + 1)]
    with pytest.raises(ValueError, match=str(connector.batch_limit)):
        connector.compose(many)


def test_a_sent_payment_is_booked_once_and_found_by_query(can: Callable[..., Any], peer: Peer) -> None:
    connector = can("payments", "queries")
    answer = connector.send(connector.compose([peer.order("R1")]))
    assert [r.reference for r in answer.reports] == ["R1"]
    (report,) = connector.query_payments(["R1"]).reports
    assert report.state is PaymentState.BOOKED
    assert peer.booked("R1") == 1


def test_the_exact_message_is_in_the_talk_and_no_secret_is(can: Callable[..., Any], peer: Peer) -> None:
    connector = can("payments")
    message = connector.compose([peer.order("R1")])
    (talk,) = connector.send(message).talks
    assert message in talk.request
    assert talk.response
    assert talk.started_at <= talk.ended_at
    for secret in peer.secrets():
        assert secret.encode() not in talk.request + talk.response


def test_the_same_bytes_twice_are_booked_once(can: Callable[..., Any], peer: Peer) -> None:
    connector = can("payments")
    message = connector.compose([peer.order("R1")])
    connector.send(message)
    connector.send(message)
    assert peer.booked("R1") == 1


def test_a_reference_used_for_something_else_is_never_called_rejected(
    can: Callable[..., Any], peer: Peer
) -> None:
    connector = can("payments", "queries")
    connector.send(connector.compose([peer.order("R1")]))
    (report,) = connector.send(connector.compose([peer.order("R1", "11.00")])).reports
    assert report.state is PaymentState.UNKNOWN
    assert connector.query_payments(["R1"]).reports[0].state is PaymentState.BOOKED


def test_every_reference_asked_gets_one_report_in_order(can: Callable[..., Any], peer: Peer) -> None:
    connector = can("payments", "queries")
    connector.send(connector.compose([peer.order("R1")]))
    reports = connector.query_payments(["NONE", "R1"]).reports
    assert [(r.reference, r.state) for r in reports] == [
        ("NONE", PaymentState.NO_RECORD),
        ("R1", PaymentState.BOOKED),
    ]


def test_no_record_is_not_final_at_once_but_is_some_day(can: Callable[..., Any]) -> None:
    connector, sent = can("queries"), datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    assert not connector.no_record_is_final(sent_at=sent, asked_at=sent)
    assert not connector.no_record_is_final(sent_at=sent, asked_at=sent - timedelta(days=1))
    assert connector.no_record_is_final(sent_at=sent, asked_at=sent + timedelta(days=30))


@pytest.mark.parametrize("booked", [True, False])
def test_a_line_cut_during_a_send_is_uncertain_and_the_query_tells(
    can: Callable[..., Any], peer: Peer, booked: bool
) -> None:
    connector = can("payments", "queries")
    (peer.hang_up_after_booking if booked else peer.hang_up_before_booking)()
    with pytest.raises(UncertainError) as uncertain:
        connector.send(connector.compose([peer.order("R1")]))
    assert uncertain.value.talk is not None
    assert b"R1" in uncertain.value.talk.request
    assert uncertain.value.hint
    state = connector.query_payments(["R1"]).reports[0].state
    assert state is (PaymentState.BOOKED if booked else PaymentState.NO_RECORD)
    assert peer.booked("R1") == booked


def test_a_bank_that_is_not_there_was_sent_nothing(can: Callable[..., Any], peer: Peer) -> None:
    connector = can("payments")
    message = connector.compose([peer.order("R1")])
    peer.go_away()
    with pytest.raises(NotSentError) as not_sent:
        connector.send(message)
    assert not_sent.value.hint


def test_a_wrong_key_refuses_the_message_and_books_nothing(can: Callable[..., Any], peer: Peer) -> None:
    can("payments")
    stranger = peer.connect_with_wrong_key()
    with pytest.raises(RefusedError) as refused:
        stranger.send(stranger.compose([peer.order("R1")]))
    assert refused.value.talk is not None
    assert peer.booked("R1") == 0


def test_returns_come_by_cursor(can: Callable[..., Any], peer: Peer) -> None:
    connector = can("payments", "returns")
    connector.send(connector.compose([peer.order("R1"), peer.order("R2")]))
    answer, cursor = connector.fetch_returns("")
    assert answer.reports == ()
    peer.give_back("R1")
    answer, cursor = connector.fetch_returns(cursor)
    assert [(r.reference, r.state) for r in answer.reports] == [("R1", PaymentState.RETURNED)]
    assert connector.fetch_returns(cursor)[0].reports == ()
