"""One module a format: bytes to messages and back, streaming and pure. No Django.

`FORMATS` is the whole list. `detect` tells a format by content, `read` reads any of them (and zip
archives of them) as statement events; writers are called on their own module.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import BinaryIO, cast

from banks.formats import camt, mt940
from banks.formats.detect import HEAD, detect
from banks.formats.errors import ForbiddenContentError, UnreadableError, UnwritableError
from banks.formats.tally import Reversals
from banks.formats.zipped import read_zip
from banks.messages import StatementEvent

__all__ = [
    "FORMATS",
    "ForbiddenContentError",
    "UnreadableError",
    "UnwritableError",
    "canonical",
    "detect",
    "identify",
    "read",
]

FORMATS: dict[str, ModuleType] = {
    "camt.052": camt,
    "camt.053": camt,
    "camt.054": camt,
    "mt940": mt940,
    "mt942": mt940,
}


def canonical(name: str) -> str:
    """The name in `FORMATS` for a spelling such as "CAMT053". Raises `UnreadableError`."""
    plain = name.lower().replace(".", "").replace("_", "").replace("-", "")
    for known in (*FORMATS, "zip"):
        if plain[:7] == known.replace(".", ""):
            return known
    raise UnreadableError(f"Format “{name}” is not known. Choose one of {', '.join(FORMATS)}.")


def read(
    stream: BinaryIO, format: str | None = None, *, reversals: Reversals = "balance"
) -> Iterator[StatementEvent]:
    """Read a statement file as events, in flat memory.

    Without `format` it is told by content. Raises `UnreadableError` or `ForbiddenContentError`,
    possibly after the first events: keep nothing of a file before its end was reached.
    """
    return identify(stream, format, reversals=reversals)[1]


def identify(
    stream: BinaryIO, format: str | None = None, *, reversals: Reversals = "balance"
) -> tuple[str, Iterator[StatementEvent]]:
    """The format of a file and its events; the file is opened only as far as needed to tell."""
    head = stream.read(HEAD)
    name = canonical(format) if format else detect(head)
    whole = cast(BinaryIO, _Rejoined(head, stream))
    if name == "zip" or (head.startswith(b"PK\x03\x04") and detect(head) == "zip"):
        inner = None if format is None or name == "zip" else name

        def member(content: BinaryIO) -> Iterator[StatementEvent]:
            return _member(content, inner, reversals)

        if stream.seekable():
            stream.seek(-len(head), 1)
            whole = stream
        return name, read_zip(whole, member)
    return name, FORMATS[name].read(whole, reversals=reversals)


def _member(content: BinaryIO, format: str | None, reversals: Reversals) -> Iterator[StatementEvent]:
    head = content.read(HEAD)
    name = format or detect(head)
    if name == "zip":
        raise UnreadableError("An archive inside an archive is not opened. Unpack it first.")
    yield from FORMATS[name].read(cast(BinaryIO, _Rejoined(head, content)), reversals=reversals)


class _Rejoined:
    """A stream whose first bytes were read already, whole again."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def read(self, size: int = -1) -> bytes:
        if not self._head:
            return self._rest.read(size)
        if size is None or size < 0:
            data, self._head = self._head + self._rest.read(), b""
            return data
        data, self._head = self._head[:size], self._head[size:]
        return data

    def seekable(self) -> bool:
        return False
