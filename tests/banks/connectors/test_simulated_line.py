"""The line to the simulated bank against peers that are no bank at all: slow, cut, or lying."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from banks.connectors import package
from banks.connectors.abilities import NotSentError, RefusedError, UncertainError
from banks.messages import AccountIdentity, Party, PaymentOrder, PaymentState

KEY = "the secret of this line"
ORDER = PaymentOrder(
    reference="R1",
    debtor=AccountIdentity(number="A"),
    creditor=Party(name="B", account="B"),
    amount=Decimal("1.00"),
    currency="CNY",
    requested_on=date(2026, 11, 24),
)
Behaviour = Callable[[socket.socket], None]


def connect(port: int, **config: Any) -> Any:
    simulated = package("simulated")
    values = {"base_url": f"http://127.0.0.1:{port}", "key": KEY, "timeout_seconds": 0.5, **config}
    return simulated.connect(simulated.Config(**values), clock=lambda: datetime.now(UTC))


@pytest.fixture
def listen() -> Iterator[Callable[[Behaviour], int]]:
    """`listen(behave)` gives the port of a server that does `behave` with each connection."""
    servers: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(behave: Behaviour) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    try:
                        behave(peer)
                    except OSError:
                        continue

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return int(server.getsockname()[1])

    yield start
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
    for thread in threads:
        thread.join(5)


def answering(status: str, body: bytes, extra: str = "") -> Behaviour:
    def behave(peer: socket.socket) -> None:
        peer.recv(65536)
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
        peer.sendall(head.encode() + body)

    return behave


def refusal(processed: Any) -> bytes:
    return json.dumps({"error": {"code": "X", "text": "no", "processed": processed}}).encode()


def slow_trickle(peer: socket.socket) -> None:
    peer.recv(65536)
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(100):
        peer.sendall(b"x")
        time.sleep(0.05)


UNCERTAIN: dict[str, Behaviour] = {
    "closes at once": lambda peer: None,
    "closes after reading": lambda peer: (peer.recv(65536), None)[1],
    "says nothing": lambda peer: (peer.recv(65536), peer.recv(1), None)[2],
    "speaks no HTTP": lambda peer: (peer.recv(65536), peer.sendall(b"SSH-2.0\r\n"), None)[2],
    "breaks off in the head": lambda peer: (peer.recv(65536), peer.sendall(b"HTTP/1.1 200 OK\r\nA"), None)[2],
    "breaks off in the body": lambda peer: (
        peer.recv(65536),
        peer.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"reports":[]}'),
        None,
    )[2],
    "trickles for ever": slow_trickle,
    "a page instead of an answer": answering("200 OK", b"<html>"),
    "a list instead of an object": answering("200 OK", b"[]"),
    "no reports": answering("200 OK", b"{}"),
    "reports of the wrong kind": answering("200 OK", b'{"reports":[1]}'),
    "502 from a gateway": answering("502 Bad Gateway", b"<html>"),
    "503 in our own words": answering("503 Busy", refusal(False)),
    "400 from a gateway": answering("400 Bad Request", b"<html>"),
    "400 that was half processed": answering("400 Bad Request", refusal(True)),
    "302 to elsewhere": answering("302 Found", b"", "Location: http://127.0.0.1:1/\r\n"),
}


@pytest.mark.parametrize("behave", UNCERTAIN.values(), ids=UNCERTAIN)
def test_whatever_is_no_readable_answer_is_uncertain(
    listen: Callable[[Behaviour], int], behave: Behaviour
) -> None:
    connector = connect(listen(behave))
    started = time.monotonic()
    with pytest.raises(UncertainError) as uncertain:
        connector.send(connector.compose([ORDER]))
    assert time.monotonic() - started < 3
    talk = uncertain.value.talk
    assert talk is not None
    assert b'"reference":"R1"' in talk.request
    assert KEY.encode() not in talk.request
    assert KEY not in str(uncertain.value) + uncertain.value.hint + talk.note


@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "429 Too Many Requests"])
def test_a_refusal_in_the_bank_s_own_words_is_certain(
    listen: Callable[[Behaviour], int], status: str
) -> None:
    connector = connect(listen(answering(status, refusal(False))))
    with pytest.raises(RefusedError, match="X no") as refused:
        connector.send(connector.compose([ORDER]))
    assert refused.value.talk is not None
    assert refusal(False) in refused.value.talk.response


def test_no_listener_means_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    connector = connect(port)
    with pytest.raises(NotSentError):
        connector.send(connector.compose([ORDER]))


def test_a_handshake_that_fails_means_not_sent(listen: Callable[[Behaviour], int]) -> None:
    port = listen(lambda peer: peer.sendall(b"this is not TLS\r\n\r\n"))
    connector = connect(port, base_url=f"https://127.0.0.1:{port}")
    with pytest.raises(NotSentError):
        connector.send(connector.compose([ORDER]))


@pytest.mark.parametrize(
    ("reports", "state"),
    [
        ([{"reference": "R1", "state": "PAID?"}], PaymentState.UNKNOWN),
        ([{"reference": "R1", "state": "REFUSED", "code": "DUPLICATE"}], PaymentState.UNKNOWN),
        ([{"reference": "R1", "state": "REFUSED", "code": "BAD_REFERENCE"}], PaymentState.REJECTED),
        (
            [{"reference": "R1", "state": "BOOKED"}, {"reference": "R1", "state": "REJECTED"}],
            PaymentState.UNKNOWN,
        ),
        ([{"reference": "OTHER", "state": "BOOKED"}], None),
    ],
)
def test_reports_are_never_read_as_more_than_they_say(
    listen: Callable[[Behaviour], int], reports: list[dict[str, str]], state: PaymentState | None
) -> None:
    connector = connect(listen(answering("200 OK", json.dumps({"reports": reports}).encode())))
    heard = connector.send(connector.compose([ORDER])).reports
    assert [r.state for r in heard] == ([] if state is None else [state])


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "ftp://127.0.0.1"},
        {"base_url": "127.0.0.1:80"},
        {"base_url": "http://me:secret@127.0.0.1"},
        {"key": ""},
        {"timeout_seconds": 0},
        {"batch_limit": 501},
        {"clock_margin_seconds": -1},
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        connect(1, **wrong)


def test_the_key_does_not_show_in_the_settings() -> None:
    simulated = package("simulated")
    assert KEY not in repr(simulated.Config(base_url="http://127.0.0.1:1", key=KEY))
