"""The HTTP side of the simulated bank: routes, signatures, and faults of the line.

One thread a connection. What the bank does is in `bank` and `control`; here a message is read,
checked, put through the request faults in force and answered.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from banks.simulator import control
from banks.simulator.bank import Bank
from banks.simulator.errors import BankError
from banks.simulator.faults import Fired
from banks.simulator.orders import Order
from banks.simulator.signing import verify
from banks.simulator.stalls import Stalls
from banks.simulator.truth import whole_ledger

LARGEST_BODY = 16 * 1024 * 1024
GARBAGE = b'\x00\xff<<< not an answer >>>\xfe{"reports": ['


class LineBroken(Exception):
    """The connection is to be closed without an answer."""


class ServerFailure(Exception):
    """HTTP 500 is to be answered, in the words of a web server and not of the bank."""


class Call:
    """One request that passed the signature, as the routes see it."""

    def __init__(self, *, operation: str, data: Any, params: dict[str, str], sent: float) -> None:
        self.operation = operation
        self.data = data
        self.params = params
        self.sent = sent
        self.orders: list[Order] = []
        self.references: list[str] = []
        self._read_body()

    def _read_body(self) -> None:
        if self.operation == "payments":
            self.orders = [Order.read(item) for item in _list(self.data, "payments")]
            self.references = [order.reference for order in self.orders]
        elif self.operation == "query":
            self.references = _list(self.data, "references")
            if not all(isinstance(r, str) for r in self.references) or len(self.references) > 1000:
                raise BankError(400, "MALFORMED", "`references` must be at most 1000 texts.")


def _list(data: Any, name: str) -> list[Any]:
    if not isinstance(data, dict) or set(data) != {name} or not isinstance(data[name], list):
        raise BankError(400, "MALFORMED", f"The body must be an object with one list, {name!r}.")
    items: list[Any] = data[name]
    if not items:
        raise BankError(400, "MALFORMED", f"The list {name!r} is empty.")
    return items


class Server(ThreadingHTTPServer):
    """The listening bank. `key` signs; port 0 takes a free one."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, bank: Bank, *, key: str, host: str, port: int) -> None:
        self.bank = bank
        self.key = key
        self.stalls = Stalls()
        super().__init__((host, port), Handler)

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host if isinstance(host, str) else host.decode()}:{port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news, nor a request cut off by our own end."""
        if not isinstance(sys.exc_info()[1], OSError) and not self.stalls.closed:
            super().handle_error(request, client_address)

    def answer(self, call: Call) -> dict[str, Any]:
        """What the bank answers to a call, faults apart."""
        bank, params = self.bank, call.params
        routes: dict[str, Callable[[], dict[str, Any]]] = {
            "payments": lambda: bank.take_payments(call.orders, sent=call.sent),
            "query": lambda: bank.query(call.references),
            "accounts": bank.accounts,
            "balances": lambda: bank.balance(params.get("account", "")),
            "statements": lambda: bank.statements(
                params.get("account", ""),
                since=params.get("since", ""),
                limit=_limit(params.get("limit", "20")),
                intraday=params.get("intraday") == "1",
            ),
            "returns": lambda: bank.returns(params.get("since", "")),
            "ledger": self._ledger,
        }
        return routes[call.operation]()

    def _ledger(self) -> dict[str, Any]:
        with self.bank.store.read() as db:
            return whole_ledger(db)

    def control(self, method: str, path: str, data: Any) -> dict[str, Any]:
        """A control order. Raises BankError 404 for a path that is none."""
        if not isinstance(data, dict):
            raise BankError(400, "MALFORMED", "The body must be a JSON object.")
        if (method, path) == ("POST", "/control/release"):
            stalled = self.stalls.release(data.get("reference"))
            return {**control.release_payments(self.bank, data), "stalled": stalled}
        if (method, path) == ("GET", "/control/stalls"):
            return {"stalls": self.stalls.listing()}
        route = control.ROUTES.get((method, path))
        if route is None:
            raise BankError(404, "NOT_FOUND", f"There is no {method} {path}.")
        return route(self.bank, data)


OPERATIONS = {
    ("POST", "/payments"): "payments",
    ("POST", "/payments/query"): "query",
    ("GET", "/accounts"): "accounts",
    ("GET", "/balances"): "balances",
    ("GET", "/statements"): "statements",
    ("GET", "/returns"): "returns",
    ("GET", "/ledger"): "ledger",
}


class Handler(BaseHTTPRequestHandler):
    """Reads one request after another from a connection and answers them."""

    protocol_version = "HTTP/1.1"
    server_version = "SimulatedBank/1"
    timeout = 120
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the client keeps the record of the talk."""

    def do_GET(self) -> None:
        self._handle("GET")

    def do_POST(self) -> None:
        self._handle("POST")

    def _handle(self, method: str) -> None:
        parts = urlsplit(self.path)
        try:
            body = self._body()
            if (method, parts.path) == ("GET", "/health"):
                self._answer(200, {"ok": True})
                return
            sent = self._verify(method, body)
            data = _decode(body)
            if parts.path.startswith("/control/"):
                self._answer(200, self.server.control(method, parts.path, data))
                return
            operation = OPERATIONS.get((method, parts.path))
            if operation is None:
                raise BankError(404, "NOT_FOUND", f"There is no {method} {parts.path}.")
            params = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            self._run(Call(operation=operation, data=data, params=params, sent=sent))
        except BankError as error:
            self._answer(
                error.status, {"error": {"code": error.code, "text": error.text, "processed": False}}
            )
        except ServerFailure:
            self._send(500, b"<h1>Internal Server Error</h1>", "text/html")
        except LineBroken:
            self._break_line()

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            raise BankError(413, "TOO_LARGE", f"A body has a Content-Length of at most {LARGEST_BODY} bytes.")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise LineBroken
        return body

    def _verify(self, method: str, body: bytes) -> float:
        return verify(
            self.server.key,
            method,
            self.path,
            self.headers.get("X-Timestamp", ""),
            body,
            self.headers.get("X-Signature", ""),
            now=self.server.bank.clock.now(),
            timed=not self.path.startswith(("/control/", "/ledger")),
        )

    def _run(self, call: Call) -> None:
        """Answer a call through the faults that fire for it."""
        fired = self._faults(call)
        self._before(fired, call)
        if "drop_midway" in fired:
            self.server.bank.take_payments(call.orders, sent=call.sent, up_to=fired["drop_midway"].reference)
            raise LineBroken
        answer = self.server.answer(call)
        if "repeat" in fired:
            answer = self._again(call, answer)
        if "empty" in fired:
            answer = {name: [] if isinstance(value, list) else value for name, value in answer.items()}
        self._after(fired, call, answer)

    def _again(self, call: Call, answer: dict[str, Any]) -> dict[str, Any]:
        """Process the call once more and tell everything twice.

        That the second time is refused (the window is over by then) must not hide the first.
        """
        with suppress(BankError):
            self.server.answer(call)
        doubled = ("reports", "returns", "accounts", "files")
        return {name: [*value, *value] if name in doubled else value for name, value in answer.items()}

    def _faults(self, call: Call) -> dict[str, Fired]:
        bank = self.server.bank
        if not bank.faults.any or call.operation == "ledger":
            return {}
        fired = bank.faults.for_request(call.operation, call.references, call.orders)
        if fired:
            with bank.store.write() as db:
                bank.faults.save(db)
        return fired

    def _before(self, fired: dict[str, Fired], call: Call) -> None:
        if "stall_before" in fired:
            self._stall(fired["stall_before"], call)
        if "throttle" in fired:
            raise BankError(429, "THROTTLED", "Too many requests; nothing was processed, try again later.")
        if "drop_before" in fired:
            raise LineBroken
        if "error_before" in fired:
            raise ServerFailure

    def _after(self, fired: dict[str, Fired], call: Call, answer: dict[str, Any]) -> None:
        if "stall_after" in fired:
            self._stall(fired["stall_after"], call)
        if "drop_after" in fired:
            raise LineBroken
        if "error_after" in fired:
            raise ServerFailure
        if "garbage_after" in fired:
            self._send(200, GARBAGE, "application/json")
        elif "truncated_after" in fired:
            self._send(200, json.dumps(answer).encode(), "application/json", cut=True)
        else:
            self._answer(200, answer)

    def _stall(self, fired: Fired, call: Call) -> None:
        self.server.stalls.hold(fired.number, frozenset(call.references), fired.rule.seconds)
        if self.server.stalls.closed:
            raise LineBroken

    def _answer(self, status: int, data: dict[str, Any]) -> None:
        body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
        self._send(status, body, "application/json; charset=utf-8")

    def _send(self, status: int, body: bytes, kind: str, *, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.wfile.flush()
        if cut:
            raise LineBroken

    def _break_line(self) -> None:
        """Close at once, with a reset where the system lets us."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _decode(body: bytes) -> Any:
    if not body:
        return {}
    try:
        data = json.loads(body.decode("utf-8"))
        if b"\\u" in body:
            json.dumps(data, ensure_ascii=False).encode()  # half a surrogate pair is no text
        return data
    except (ValueError, RecursionError):
        raise BankError(400, "MALFORMED", "The body is not JSON in UTF-8.") from None


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 200):
        raise BankError(400, "MALFORMED", "`limit` must be a whole number from 1 to 200.")
    return int(text)
