"""From a stored file to statements, entries and balances, all of a file in one transaction.

`receive_file` keeps the bytes (see `services.keeping`), `import_file` reads them, `retry_file`
reads them again once the cause of a remark is gone. What a line is and how it is stored:
`rules` and `services.storing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from banks import formats, rules
from banks.events import statement_imported
from banks.messages import Entry, StatementEnd, StatementEvent, StatementStart
from banks.models import InboundFile, QuarantinedLine, Statement
from banks.services import accounts, keeping
from banks.services.keeping import FileRefusedError, receive_file
from banks.services.storing import Incoming, store_statement
from banks.states import FILE_TRANSITIONS, FileState
from treasury.services import access, auditing, moving

__all__ = ["FileRefusedError", "Imported", "import_file", "receive_file", "resolve_line", "retry_file"]

QUARANTINE_AT_MOST = 1000
"""Quarantined lines kept of one file; a file with more is not a statement file that went wrong a bit."""
ATTEMPTS_AT_MOST = 3
_DEADLOCK = "40P01"


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file came to. `error` is "" when there is nothing to say."""

    file: InboundFile
    statements: tuple[Statement, ...]
    new: int
    known: int
    quarantined: int
    error: str

    @property
    def balanced(self) -> bool | None:
        """False when a statement does not add up, None when one cannot be checked."""
        checks = [statement.balanced for statement in self.statements]
        if False in checks:
            return False
        return None if None in checks or not checks else True


def import_file(*, file: InboundFile, at: datetime, by: Any = None, again: bool = False) -> Imported:
    """Read a stored file. One that was read already is only reported, unless `again` says so.

    Never raises for what a bank may have written: the file's state and `error` tell. All its
    statements are stored, or none; a statement of an account that is not ours is left out and
    named, and `retry_file` brings it in later. Safe to run twice at the same time.
    """
    for _attempt in range(5):
        try:
            return _import_once(file, at, by, again)
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != _DEADLOCK or connection.in_atomic_block:
                raise
    return _import_once(file, at, by, again)


def retry_file(*, file: InboundFile, by: Any, at: datetime) -> Imported:
    """Read a file again after its cause was mended (an account created, a grant given).

    Statements already stored stay as they are. Raises AccessDeniedError.
    """
    access.require(by, "banks.import_statement")
    return import_file(file=file, at=at, by=by, again=True)


@transaction.atomic
def resolve_line(*, line: QuarantinedLine, by: Any, at: datetime) -> None:
    """Note that a person has dealt with a quarantined line. Raises AccessDeniedError."""
    access.require(by, "banks.import_statement")
    open_ones = QuarantinedLine.objects.filter(pk=line.pk, resolved_at__isnull=True)
    if open_ones.update(resolved_by=by, resolved_at=at):
        auditing.record(action="banks.line_resolved", about=line.file, by=by, at=at, position=line.position)


def give_up(*, file: InboundFile, at: datetime) -> None:
    """Stop reading a file whose reading never came to an end; a person has to look at it."""
    error = _(
        "Reading this file was begun %(count)d times and never came to an end. Import it at the "
        "console with “manage.py import_statement”, or ask the bank for smaller files."
    )
    with transaction.atomic():
        fresh = InboundFile.objects.select_for_update(skip_locked=True).filter(pk=file.pk).first()
        if fresh is not None and fresh.state == FileState.RECEIVED:
            _move(fresh, FileState.UNREADABLE, None, at, error % {"count": fresh.attempts})


def _import_once(file: InboundFile, at: datetime, by: Any, again: bool) -> Imported:
    InboundFile.objects.filter(pk=file.pk).update(attempts=F("attempts") + 1)
    try:
        with transaction.atomic():
            locked = InboundFile.objects.select_for_update(of=("self",)).get(pk=file.pk)
            wanted = (
                {FileState.RECEIVED, FileState.UNREADABLE, FileState.FLAGGED}
                if again
                else {FileState.RECEIVED}
            )
            if locked.state in wanted:
                locked = _Reading(locked, at, by).run()
            return report_of(locked)
    except formats.UnreadableError as error:
        with transaction.atomic():
            locked = InboundFile.objects.select_for_update(of=("self",)).get(pk=file.pk)
            if FileState.UNREADABLE in FILE_TRANSITIONS[locked.state]:
                locked = _move(locked, FileState.UNREADABLE, by, at, str(error))
            return report_of(locked)


def report_of(file: InboundFile) -> Imported:
    """What the last reading of a file came to."""
    statements = tuple(file.statements.select_related("account").order_by("place"))
    new = sum(statement.new_count for statement in statements)
    return Imported(
        file=file,
        statements=statements,
        new=new,
        known=sum(statement.entries_count for statement in statements) - new,
        quarantined=file.quarantined.filter(resolved_at__isnull=True).count(),
        error=file.error,
    )


def _move(file: InboundFile, to: str, by: Any, at: datetime, error: str, **columns: Any) -> InboundFile:
    return moving.move(
        row=file,
        to=to,
        transitions=FILE_TRANSITIONS,
        by=by,
        at=at,
        action=f"banks.file_{to.lower()}",
        changes={"error": error, **columns},
        error=error,
    )


@dataclass(slots=True)
class _Reading:
    """One reading of one file inside its transaction."""

    file: InboundFile
    at: datetime
    by: Any
    place: int = 0
    current: Incoming | None = None
    stored: list[Statement] = field(default_factory=list)
    refusals: dict[str, None] = field(default_factory=dict)
    quarantined: list[QuarantinedLine] = field(default_factory=list)
    known_places: frozenset[int] = frozenset()

    def run(self) -> InboundFile:
        self.known_places = frozenset(self.file.statements.values_list("place", flat=True))
        name, events = formats.identify(keeping.opened(self.file), self.file.format or None)
        for event in events:
            self._take(event)
        self._drop_open()
        self._keep_quarantine()
        self._announce()
        error = "\n".join(self.refusals)
        return _move(self.file, self._verdict(), self.by, self.at, error, format=name[:20])

    def _take(self, event: StatementEvent) -> None:
        if isinstance(event, Entry):
            self._entry(event)
        elif isinstance(event, StatementStart):
            self._drop_open()
            self.place += 1
            received_on = timezone.localtime(self.file.received_at).date()
            self.current = Incoming(event, received_on)
        elif isinstance(event, StatementEnd):
            self._end(event)
        else:
            self._quarantine(event.position, event.raw, event.reason)

    def _entry(self, entry: Entry) -> None:
        if self.current is None:
            self._quarantine(entry.position, repr(entry), "The line stands outside any statement.")
            return
        try:
            self.current.take(entry)
        except rules.UnreadableLineError as error:
            self._quarantine(entry.position, repr(entry), str(error))

    def _end(self, end: StatementEnd) -> None:
        incoming, self.current = self.current, None
        if incoming is None or self.place in self.known_places:
            return
        identity = end.account or incoming.start.account
        currency = end.currency or incoming.currency or identity.currency
        try:
            account = accounts.find(identity=identity, currency=currency, file=self.file, by=self.by)
        except accounts.AccountNotFoundError as error:
            self.refusals[str(error)] = None
            return
        accounts.hold(account)
        statement = store_statement(
            incoming=incoming, end=end, account=account, file=self.file, place=self.place, at=self.at
        )
        self.stored.append(statement)

    def _drop_open(self) -> None:
        """A statement that never ended is not stored: half of it may be missing."""
        if self.current is None:
            return
        number = self.current.start.account.number
        self.current = None
        text = _("A statement of account %(number)s breaks off. Ask the bank for the file again.")
        self.refusals[text % {"number": number}] = None

    def _quarantine(self, position: int, raw: str, reason: str) -> None:
        if self.current is not None:
            self.current.quarantined += 1
        if len(self.quarantined) >= QUARANTINE_AT_MOST:
            raise formats.UnreadableError(
                _(
                    "More than %(count)d lines of this file cannot be read; the last: %(reason)s "
                    "Check its format."
                )
                % {"count": QUARANTINE_AT_MOST, "reason": reason}
            )
        self.quarantined.append(
            QuarantinedLine(
                file=self.file,
                position=max(position, 0),
                raw=raw[:20_000].replace("\x00", "\ufffd"),
                reason=reason[:500],
            )
        )

    def _keep_quarantine(self) -> None:
        self.file.quarantined.filter(resolved_at__isnull=True).delete()
        settled = set(self.file.quarantined.values_list("position", "raw"))
        QuarantinedLine.objects.bulk_create(
            line for line in self.quarantined if (line.position, line.raw) not in settled
        )

    def _announce(self) -> None:
        for statement in self.stored:
            auditing.record(
                action="banks.statement_imported",
                about=statement,
                by=self.by or self.file.uploaded_by,
                at=self.at,
                company=statement.account.company,
                entries=statement.entries_count,
                new=statement.new_count,
                balanced=statement.balanced,
            )
            transaction.on_commit(
                partial(statement_imported.send, sender=Statement, statement_id=statement.pk), robust=True
            )

    def _verdict(self) -> str:
        """READ without a remark, FLAGGED with one, UNREADABLE when nothing of it could be stored."""
        every = [*self.stored, *self._stored_before()]
        if self.refusals and not every:
            return FileState.UNREADABLE
        odd = any(s.flags or s.balanced is False for s in every)
        return FileState.FLAGGED if odd or self.refusals or self.quarantined else FileState.READ

    def _stored_before(self) -> Iterator[Statement]:
        return self.file.statements.filter(place__in=self.known_places).iterator()
