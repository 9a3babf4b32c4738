"""Doing an act of the API once: the first answer under a key is kept with the act itself.

A refused act leaves nothing, neither its effect nor an answer, so a corrected request may use
its key again. Only what was done is answered from memory.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from treasury.models import IdempotentAnswer

KEY = re.compile(r"[\x21-\x7e]{1,100}")


class KeyMissingError(Exception):
    """The request carries no usable `Idempotency-Key`; nothing was done."""

    code = "treasury.key_missing"

    def __init__(self) -> None:
        self.hint = _(
            "Send a fresh random key, such as a UUID, and the same one when you repeat the request."
        )
        super().__init__(_("The header Idempotency-Key is missing or is not 1 to 100 printable characters."))


class KeyReusedError(Exception):
    """The key already belongs to another request of the same person; nothing was done."""

    code = "treasury.key_reused"

    def __init__(self, key: str) -> None:
        self.hint = _("Use a fresh key for another request; repeat a request with exactly the same body.")
        super().__init__(_("The key %(key)s was used for another request before.") % {"key": key})


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body of an answer. `replayed` when the act was done before."""

    status: int
    body: Any
    replayed: bool = False


def digest_of(*parts: Any) -> str:
    """SHA-256 (hex) of what makes a request the same: method, address and body, keys in any order."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@transaction.atomic
def answer_once(
    *, user: Any, key: str, request_digest: str, act: Callable[[], tuple[int, Any]], at: datetime
) -> Answer:
    """The answer of `act` (status, body as JSON can hold it), which runs once per person and key.

    A second request with the key waits for the first one's transaction. Raises KeyMissingError,
    KeyReusedError, and what `act` raises; then nothing is kept.
    """
    if not KEY.fullmatch(key):
        raise KeyMissingError
    try:
        with transaction.atomic():
            row = IdempotentAnswer.objects.create(
                user=user, key=key, request_digest=request_digest, made_at=at
            )
    except IntegrityError:
        known = IdempotentAnswer.objects.get(user=user, key=key)
        if known.request_digest != request_digest:
            raise KeyReusedError(key) from None
        return Answer(known.status, json.loads(known.body), replayed=True)
    status, body = act()
    row.status, row.body = status, json.dumps(body, ensure_ascii=False)
    row.save(update_fields=["status", "body"])
    return Answer(status, body)
