"""Secrets at rest: encrypted with Fernet under the master keys, newest first.

Rotation: put a new key in front of ZHILIAN_MASTER_KEYS, run `manage.py rotate_master_key`,
then drop the old one. Nothing here is logged or shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

SEALED_COLUMNS: list[tuple[str, str]] = []
"""Model label and field of every column that holds sealed values; apps add theirs in `ready()`."""

SEALED_INSIDE: dict[str, Callable[[], int]] = {}
"""Where sealed values hide inside other data: a name, and a function that reseals and counts them."""


def sealed_column(label: str, field: str) -> None:
    """Declare a bytes or text column of sealed values, so that key rotation reaches it."""
    if (label, field) not in SEALED_COLUMNS:
        SEALED_COLUMNS.append((label, field))


def sealed_inside(name: str, reseal_all: Callable[[], int]) -> None:
    """Declare sealed values inside other data; `reseal_all` runs in the transaction of the rotation."""
    SEALED_INSIDE[name] = reseal_all


class UndecipherableError(Exception):
    """No configured master key opens the secret; the hint names the setting."""

    code = "treasury.undecipherable"

    def __init__(self) -> None:
        super().__init__(
            "A stored secret cannot be opened by any key in ZHILIAN_MASTER_KEYS. "
            "Put the key it was written with back into that setting."
        )


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.MASTER_KEYS])


def seal(values: Mapping[str, str]) -> bytes:
    """Encrypt a small mapping of secrets."""
    return _box().encrypt(json.dumps(dict(values), sort_keys=True).encode())


def unseal(sealed: bytes | memoryview) -> dict[str, str]:
    """Decrypt what `seal` made. Raises UndecipherableError when no key fits."""
    if not sealed:
        return {}
    try:
        plain = _box().decrypt(bytes(sealed))
    except InvalidToken as error:
        raise UndecipherableError from error
    return {str(k): str(v) for k, v in json.loads(plain).items()}


def reseal(sealed: bytes | memoryview) -> bytes:
    """The same secrets under the newest key. Raises UndecipherableError when no key fits."""
    try:
        return _box().rotate(bytes(sealed))
    except InvalidToken as error:
        raise UndecipherableError from error
