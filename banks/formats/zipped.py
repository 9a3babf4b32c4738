"""Zip archives of statement files, as EBICS and many bank portals deliver them.

Members are read one after the other without unpacking to disk. What inflates beyond reason is
refused before it is read.
"""

from __future__ import annotations

import contextlib
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, BinaryIO, cast

from banks.formats.errors import ForbiddenContentError, UnreadableError
from banks.messages import Quarantined, StatementEvent

INFLATED_AT_MOST = 2 << 30
"""Bytes all members together may unpack to."""
RATIO_AT_MOST = 1000
MEMBERS_AT_MOST = 5000
_COPY = 1 << 20

Reader = Callable[[BinaryIO], Iterator[StatementEvent]]


def read_zip(stream: BinaryIO, reader: Reader) -> Iterator[StatementEvent]:
    """Read every statement file in an archive with `reader`.

    A member that is no statement becomes a `Quarantined` event. Raises `UnreadableError` when the
    archive is broken, locked or holds no statement, `ForbiddenContentError` when it inflates.
    """
    with contextlib.ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(_seekable(stream, stack)))
            yield from _members(archive, reader)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise UnreadableError(f"The zip archive is damaged ({error}). Download it again.") from error


def _seekable(stream: BinaryIO, stack: contextlib.ExitStack) -> IO[bytes]:
    if stream.seekable():
        return stream
    copy = stack.enter_context(tempfile.SpooledTemporaryFile(max_size=16 << 20))  # noqa: SIM115
    while piece := stream.read(_COPY):
        copy.write(piece)
    copy.seek(0)
    return cast(IO[bytes], copy)


def _members(archive: zipfile.ZipFile, reader: Reader) -> Iterator[StatementEvent]:
    members = [m for m in archive.infolist() if not m.is_dir() and not _is_clutter(m.filename)]
    _check(members)
    found, reasons = False, []
    for index, member in enumerate(members, 1):
        try:
            with archive.open(member) as content:
                for event in reader(cast(BinaryIO, _Capped(content, member))):
                    found = True
                    yield event
        except ForbiddenContentError:
            raise
        except UnreadableError as error:
            reasons.append(f"{member.filename}: {error}")
            yield Quarantined(position=index, raw=member.filename, reason=reasons[-1])
    if not found:
        why = reasons[0] if reasons else "it is empty"
        raise UnreadableError(f"The zip archive holds no statement ({why})")


def _is_clutter(name: str) -> bool:
    last = name.rpartition("/")[2]
    return name.startswith("__MACOSX/") or last.startswith(".") or last in ("Thumbs.db", "desktop.ini")


def _check(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MEMBERS_AT_MOST:
        raise ForbiddenContentError(f"The archive has {len(members)} files; {MEMBERS_AT_MOST} are allowed.")
    total = sum(m.file_size for m in members)
    if total > INFLATED_AT_MOST or any(
        m.file_size > RATIO_AT_MOST * max(m.compress_size, 1024) for m in members
    ):
        raise ForbiddenContentError(
            f"The archive would unpack to {total} bytes, far more than statements do: it is refused."
        )
    if any(m.flag_bits & 1 for m in members):
        raise UnreadableError("The zip archive is locked with a password. Unpack it first.")


class _Capped:
    """A member that may not give more bytes than its archive entry promised."""

    def __init__(self, content: IO[bytes], member: zipfile.ZipInfo) -> None:
        self._content = content
        self._left = member.file_size

    def read(self, size: int = -1) -> bytes:
        data = self._content.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise ForbiddenContentError(
                "A file in the archive is larger than the archive says: it is refused."
            )
        return data

    def seekable(self) -> bool:
        return False
