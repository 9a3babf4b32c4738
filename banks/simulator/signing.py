"""How messages to the simulated bank are signed.

`X-Signature` is the hex HMAC-SHA256, with the shared key, of method, path with query, and the
`X-Timestamp` header (RFC 3339), each followed by a line feed, and then the body.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from banks.simulator.errors import BankError

OLDEST_SECONDS = 600.0
"""No request of any kind is taken whose timestamp is older."""
AHEAD_SECONDS = 60.0
"""How far a timestamp may be ahead of the bank's clock."""


def sign(key: str, method: str, path: str, timestamp: str, body: bytes) -> str:
    text = f"{method}\n{path}\n{timestamp}\n".encode() + body
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()


def verify(
    key: str,
    method: str,
    path: str,
    timestamp: str,
    body: bytes,
    signature: str,
    *,
    now: float,
    timed: bool = True,
) -> float:
    """The moment the message was signed for, in seconds since 1970. Raises BankError 401.

    `timed` is False for control orders: those who set the bank's clock are not bound by it.
    """
    expected = sign(key, method, path, timestamp, body)
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
        raise BankError(401, "BAD_SIGNATURE", "The signature does not fit; check the key on both sides.")
    try:
        sent = datetime.fromisoformat(timestamp)
    except ValueError:
        raise BankError(401, "BAD_TIMESTAMP", "X-Timestamp must be an RFC 3339 instant.") from None
    if sent.tzinfo is None:
        raise BankError(401, "BAD_TIMESTAMP", "X-Timestamp must carry its offset from UTC.")
    age = now - sent.timestamp()
    if timed and (age > OLDEST_SECONDS or age < -AHEAD_SECONDS):
        raise BankError(401, "CLOCK", f"The timestamp is {age:.0f} s old; check the clocks on both sides.")
    return sent.timestamp()
