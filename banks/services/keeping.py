"""Keeping the bytes a bank or a person handed over, before anybody parses them.

Bytes are stored once by their SHA-256, in parts, so that neither writing nor reading holds a
whole file in memory. What the bytes say is `services.importing`'s business.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any, BinaryIO, cast

import psycopg
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from banks.models import Connection, FilePart, InboundFile
from treasury.services import access, auditing

PART = 1 << 20
"""Bytes a stored part holds."""


class FileRefusedError(Exception):
    """The file is not kept at all: it is empty or larger than the limit."""

    code = "banks.file_refused"


def receive_file(
    *,
    name: str,
    content: bytes | None = None,
    stream: IO[bytes] | None = None,
    by: Any,
    at: datetime,
    connection: Connection | None = None,
    format: str | None = None,
) -> InboundFile:
    """Store a file in a transaction of its own and return it; import is a second step.

    The same bytes again only count as one more delivery of the file already there. `by` needs
    the permission to import; None is the portal itself. Raises FileRefusedError, AccessDeniedError.
    """
    if by is not None:
        access.require(by, "banks.import_statement")
    source = io.BytesIO(content or b"") if stream is None else stream
    with _measured(cast(BinaryIO, source), name) as (whole, sha256, size), transaction.atomic(durable=True):
        return _keep(whole, sha256, size, name=name, by=by, at=at, bank=connection, format=format)


def keep_fetched(
    *, name: str, content: bytes, at: datetime, connection: Connection, format: str | None
) -> InboundFile:
    """Store bytes a bank handed over inside the caller's transaction, which also moves the cursor."""
    with _measured(io.BytesIO(content), name) as (whole, sha256, size):
        return _keep(whole, sha256, size, name=name, by=None, at=at, bank=connection, format=format)


def bytes_of(file: InboundFile) -> Iterator[bytes]:
    """The stored bytes, part by part."""
    numbers = FilePart.objects.filter(file=file).order_by("number").values_list("number", flat=True)
    for number in list(numbers):
        connection.ensure_connection()
        # a server-side binding cursor gives binary, so that the bytes do not come as hexadecimal text
        with psycopg.Cursor(connection.connection) as cursor:
            cursor.execute(
                "SELECT content FROM banks_filepart WHERE file_id = %s AND number = %s",
                [file.pk, number],
                binary=True,
            )
            found = cursor.fetchone()
        yield bytes(found[0]) if found else b""


def opened(file: InboundFile) -> BinaryIO:
    """The stored bytes as a stream that reads one part at a time."""
    return cast(BinaryIO, io.BufferedReader(_Parts(bytes_of(file)), PART))


class _Parts(io.RawIOBase):
    """A raw stream over an iterator of byte strings."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._parts, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


@contextmanager
def _measured(source: BinaryIO, name: str) -> Iterator[tuple[BinaryIO, str, int]]:
    """The stream at its beginning with hash and size; one that cannot rewind is spooled once."""
    copy = None if source.seekable() else tempfile.SpooledTemporaryFile(max_size=2 * PART)  # noqa: SIM115
    limit = settings.STATEMENT_FILE_LIMIT
    digest, size = hashlib.sha256(), 0
    try:
        if copy is None:
            source.seek(0)
        while piece := source.read(PART):
            size += len(piece)
            if size > limit:
                raise FileRefusedError(
                    _("%(name)s is larger than %(limit)d MB. Ask the bank for a file a day, or split it.")
                    % {"name": name, "limit": limit >> 20}
                )
            digest.update(piece)
            if copy is not None:
                copy.write(piece)
        if not size:
            raise FileRefusedError(_("%(name)s is empty. Download it from the bank again.") % {"name": name})
        whole = cast(BinaryIO, source if copy is None else copy)
        whole.seek(0)
        yield whole, digest.hexdigest(), size
    finally:
        if copy is not None:
            copy.close()


def _write_parts(file: InboundFile, whole: BinaryIO) -> None:
    """The bytes in binary COPY: nothing is written out as hexadecimal text on the way."""
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY banks_filepart (file_id, number, content) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(["int8", "int4", "bytea"])
        number = 0
        while piece := whole.read(PART):
            number += 1
            copy.write_row((file.pk, number, piece))


def _keep(
    whole: BinaryIO,
    sha256: str,
    size: int,
    *,
    name: str,
    by: Any,
    at: datetime,
    bank: Connection | None,
    format: str | None,
) -> InboundFile:
    known = InboundFile.objects.filter(sha256=sha256).first()
    if known is None:
        try:
            with transaction.atomic():
                file = InboundFile.objects.create(
                    name=name[-200:],
                    sha256=sha256,
                    size=size,
                    format=(format or "")[:20],
                    connection=bank,
                    uploaded_by=by,
                    received_at=at,
                )
        except IntegrityError:  # another process was first with the same bytes
            known = InboundFile.objects.get(sha256=sha256)
        else:
            _write_parts(file, whole)
            auditing.record(action="banks.file_received", about=file, by=by, at=at, sha256=sha256, size=size)
            return file
    InboundFile.objects.filter(pk=known.pk).update(deliveries=F("deliveries") + 1)
    if bank is not None and known.connection_id is None:
        InboundFile.objects.filter(pk=known.pk).update(connection=bank)
    known.refresh_from_db()
    auditing.record(action="banks.file_delivered_again", about=known, by=by, at=at, name=name)
    return known
