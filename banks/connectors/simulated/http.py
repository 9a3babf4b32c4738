"""The signed HTTP client: raw bytes out and in, and every way a talk can end, told apart.

No connection made: NotSentError. A refusal in the bank's own words before anything was
processed: RefusedError. Everything else once bytes may have left: UncertainError. The request
is built here byte by byte, so the kept talk is exactly what went over the line; the key itself
is never part of it.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import io
import json
import os
import select
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from banks.connectors.abilities import NotSentError, RefusedError, UncertainError
from banks.connectors.simulated.config import Config
from banks.messages import Talk

LARGEST_ANSWER = 64 * 1024 * 1024
REFUSALS = frozenset({400, 401, 404, 413, 429})


@dataclass(frozen=True, slots=True)
class Heard:
    """A readable answer: its decoded object, and the talk it came from."""

    data: dict[str, Any]
    talk: Talk


class Line:
    """Talks to one simulated bank. Reading requests share one open connection.

    Safe among threads, and across a fork: a child never reads from its parent's connection.
    """

    def __init__(self, config: Config, clock: Callable[[], datetime]) -> None:
        parts = urlsplit(config.base_url)
        self._config = config
        self._clock = clock
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port
        self._root = parts.path.rstrip("/")
        self._netloc = parts.netloc
        self._kept: http.client.HTTPConnection | None = None
        self._process = os.getpid()
        self._lock = threading.Lock()

    def ask(self, method: str, path: str, body: bytes = b"") -> Heard:
        """A request that changes nothing of weight at the bank; reuses the open connection if alive."""
        kept = self._take()
        if kept is not None and not _alive(kept):
            kept.close()
            kept = None
        return self._talk(kept or self._connect(), method, path, body, self._clock(), keep=True)

    def send(self, path: str, body: bytes, *, signed_at: datetime) -> Heard:
        """A request that must not go out twice: always on a fresh connection, never repeated."""
        return self._talk(self._connect(), "POST", path, body, signed_at, keep=False)

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=self._config.timeout_seconds)
        try:
            connection.connect()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise NotSentError(
                f"No connection to the bank at {self._config.base_url}: {error}",
                hint="Check that the bank is running and that the address is right.",
            ) from error
        return connection

    def _request(self, method: str, path: str, body: bytes, signed_at: datetime) -> bytes:
        target = self._root + path
        timestamp = signed_at.astimezone(UTC).isoformat(timespec="microseconds")
        signed = f"{method}\n{target}\n{timestamp}\n".encode() + body
        signature = hmac.new(self._config.key.encode(), signed, hashlib.sha256).hexdigest()
        lines = [
            f"{method} {target} HTTP/1.1",
            f"Host: {self._netloc}",
            f"X-Timestamp: {timestamp}",
            f"X-Signature: {signature}",
            "Content-Type: application/json; charset=utf-8",
            "Accept: application/json",
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body

    def _talk(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes,
        signed_at: datetime,
        *,
        keep: bool,
    ) -> Heard:
        """Send once, read once; the connection is kept or closed."""
        request = self._request(method, path, body, signed_at)
        started, recorder = self._clock(), _Recorder(connection.sock, self._config.timeout_seconds)

        def talk(note: str = "") -> Talk:
            heard = bytes(recorder.heard)
            return Talk(
                request=request, response=heard, started_at=started, ended_at=self._clock(), note=note
            )

        reusable = False
        try:
            connection.sock.settimeout(self._config.timeout_seconds)
            connection.sock.sendall(request)
            response = http.client.HTTPResponse(recorder, method=method)  # type: ignore[arg-type]
            response.begin()
            content = response.read(LARGEST_ANSWER + 1)
            if len(content) > LARGEST_ANSWER or not response.isclosed():
                raise http.client.HTTPException("the answer is incomplete or too large")
            reusable = keep and not response.will_close
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise UncertainError(
                f"The bank gave no complete answer to {method} {path}: {reason}",
                hint="The outcome is unknown; ask the bank with the same reference.",
                talk=talk(reason),
            ) from error
        finally:
            if reusable:
                self._keep(connection)
            else:
                connection.close()
        return _read(response.status, content, f"{method} {path}", talk())

    def close(self) -> None:
        """Close the connection kept open for reading; the next request opens another."""
        kept = self._take()
        if kept is not None:
            kept.close()

    def __del__(self) -> None:
        if sys is not None and not sys.is_finalizing():  # at the very end even modules are gone
            self.close()

    def _take(self) -> http.client.HTTPConnection | None:
        """The connection kept open, now the caller's alone; None when there is none of this process."""
        with self._lock:
            kept, self._kept = self._kept, None
            if kept is not None and self._process != os.getpid():
                kept.close()
                kept = None
            return kept

    def _keep(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            spare, self._kept, self._process = self._kept, connection, os.getpid()
        if spare is not None:
            spare.close()


def _alive(connection: http.client.HTTPConnection) -> bool:
    """Whether an idle connection is still open: an end or stray bytes would show as readable."""
    return not select.select([connection.sock], [], [], 0)[0]


def _read(status: int, content: bytes, what: str, talk: Talk) -> Heard:
    try:
        data = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        data = None
    if status == 200 and isinstance(data, dict):
        return Heard(data, talk)
    error = data.get("error") if isinstance(data, dict) else None
    if status in REFUSALS and isinstance(error, dict) and error.get("processed") is False:
        code, text = str(error.get("code", "")), str(error.get("text", ""))
        raise RefusedError(f"The bank refused {what}: {code} {text}", hint=_hint(code), talk=talk)
    raise UncertainError(
        f"The bank's answer to {what} cannot be read (HTTP {status}).",
        hint="The outcome is unknown; ask the bank with the same reference.",
        talk=talk,
    )


def _hint(code: str) -> str:
    return {
        "BAD_SIGNATURE": "Compare the signing key of the connection with the one the bank printed.",
        "CLOCK": "Compare the clocks of this machine and of the bank.",
        "EXPIRED": "The message came too late and was not processed; it may be sent anew.",
        "THROTTLED": "Nothing was processed; try again later.",
        "UNKNOWN_ACCOUNT": "Check the account number; the bank lists the accounts it keeps.",
    }.get(code, "Nothing was processed; correct what the bank names and try again.")


class _Recorder(io.RawIOBase):
    """Reads a socket, keeps every byte heard, and holds the whole answer to one deadline."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        super().__init__()
        self._sock = sock
        self._deadline = time.monotonic() + seconds
        self.heard = bytearray()

    def makefile(self, mode: str) -> io.BufferedReader:
        """What http.client asks a socket for."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        count = self._sock.recv_into(buffer)
        self.heard += bytes(buffer[:count])
        return count
