"""Booking journal files: upload, look, book all or nothing, undo.

The company's own system keeps the books; the portal only reads its bank journal. A file is
stored when uploaded and counts when booked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reconciliation.models import Close, LedgerEntry, LedgerImport
from reconciliation.services.journal_files import Journal, read_journal
from reconciliation.services.locking import hold_account
from treasury import jobs
from treasury.models import Account
from treasury.services import access, auditing

PERMISSION = "reconciliation.import_journal"


class BookingError(Exception):
    """The journal was not booked, nothing was written; the text says why and what to do."""

    code = "reconciliation.not_booked"


class FileTooLargeError(BookingError):
    code = "reconciliation.file_too_large"


class BookedAlreadyError(BookingError):
    """The same bytes are booked on this account already."""

    code = "reconciliation.booked_already"


class JournalRefusedError(BookingError):
    """The file has problems; `journal` holds them by cause."""

    code = "reconciliation.journal_refused"

    def __init__(self, text: str, journal: Journal) -> None:
        self.journal = journal
        super().__init__(text)


class StillMatchedError(BookingError):
    """Lines of the import are matched; `rows` are the first of them."""

    code = "reconciliation.still_matched"

    def __init__(self, text: str, rows: list[int]) -> None:
        self.rows = rows
        super().__init__(text)


class DayClosedError(BookingError):
    """Lines of the import lie on closed days."""

    code = "reconciliation.day_closed"


@transaction.atomic
def upload_journal(*, account: Account, name: str, content: bytes, by: Any, at: datetime) -> LedgerImport:
    """Store a journal file for a look; nothing counts until `book_journal`.

    Raises FileTooLargeError, BookedAlreadyError, `treasury.tables.TableError` (no table at all) and
    AccessDeniedError. An earlier unbooked upload of the same person for the account is dropped.
    """
    access.require(by, PERMISSION)
    access.require_account(by, account)
    if len(content) > settings.IMPORT_FILE_LIMIT:
        raise FileTooLargeError(
            _("%(file)s has %(size)d MB; %(limit)d MB are the most. Split it by days.")
            % {
                "file": name,
                "size": len(content) >> 20,
                "limit": settings.IMPORT_FILE_LIMIT >> 20,
            }
        )
    digest = hashlib.sha256(content).hexdigest()
    _refuse_repeat(account, digest)
    read_journal(account=account, name=name, content=content)
    LedgerImport.objects.filter(account=account, made_by=by, booked_at__isnull=True).delete()
    return LedgerImport.objects.create(
        account=account, name=name[:200], sha256=digest, content=content, made_by=by, made_at=at
    )


def look(*, draft: LedgerImport) -> Journal:
    """What booking `draft` would book, or what is wrong with it."""
    close = Close.objects.last_of(draft.account)
    return read_journal(
        account=draft.account,
        name=draft.name,
        content=bytes(draft.content),
        columns=draft.columns,
        closed_to=close.on if close else None,
    )


def look_alikes(*, account: Account, journal: Journal) -> int:
    """How many lines of `journal` have a twin (day, amount, voucher) in the books already."""
    if not journal.lines:
        return 0
    days = [line.posted_on for line in journal.lines]
    known = set(
        LedgerEntry.objects.live()
        .filter(account=account, posted_on__range=(min(days), max(days)))
        .values_list("posted_on", "amount", "voucher")
    )
    return sum((line.posted_on, line.amount, line.voucher) in known for line in journal.lines)


@transaction.atomic
def choose_columns(*, draft: LedgerImport, columns: Mapping[str, str], by: Any) -> LedgerImport:
    """Keep which header of the file is which of our fields ("" for none)."""
    access.require(by, PERMISSION)
    access.require_account(by, draft.account)
    draft.columns = dict(columns)
    draft.save(update_fields=["columns"])
    return draft


@transaction.atomic
def book_journal(*, draft: LedgerImport, by: Any, at: datetime) -> LedgerImport:
    """Book every line of an uploaded file, or none.

    Raises JournalRefusedError, BookedAlreadyError, AccessDeniedError. Matching runs afterwards as a
    job. A draft booked already is returned as it is.
    """
    access.require(by, PERMISSION)
    access.require_account(by, draft.account)
    hold_account(draft.account)
    draft = LedgerImport.objects.select_for_update(of=("self",)).select_related("account").get(pk=draft.pk)
    if draft.booked_at is not None:
        return draft
    if draft.made_by_id != by.pk:
        raise BookingError(
            _("%(file)s was uploaded by someone else. Upload it yourself.") % {"file": draft.name}
        )
    _refuse_repeat(draft.account, draft.sha256)
    journal = look(draft=draft)
    if not journal.bookable:
        raise JournalRefusedError(
            ngettext(
                "%(file)s was not booked: %(count)d problem. Correct the file and upload it again.",
                "%(file)s was not booked: %(count)d problems. Correct the file and upload it again.",
                len(journal.problems),
            )
            % {"file": draft.name, "count": len(journal.problems)},
            journal,
        )
    draft.rows, draft.money_in, draft.money_out = len(journal.lines), journal.money_in, journal.money_out
    draft.booked_at = at
    draft.save(update_fields=["rows", "money_in", "money_out", "booked_at"])
    _copy_lines(draft, journal)
    auditing.record(
        action="reconciliation.journal_booked",
        about=draft,
        by=by,
        at=at,
        company=draft.account.company,
        account=draft.account.number,
        rows=draft.rows,
        money_in=draft.money_in,
        money_out=draft.money_out,
        sha256=draft.sha256,
    )
    jobs.enqueue("reconciliation.tasks.match_lines", draft.account_id)
    return draft


def import_journal(
    *,
    account: Account,
    name: str,
    content: bytes,
    by: Any,
    at: datetime,
    columns: Mapping[str, str] | None = None,
) -> LedgerImport:
    """Upload and book in one act, for programs. Raises what the two steps raise; all or nothing."""
    with transaction.atomic():
        draft = upload_journal(account=account, name=name, content=content, by=by, at=at)
        if columns:
            choose_columns(draft=draft, columns=columns, by=by)
        return book_journal(draft=draft, by=by, at=at)


@transaction.atomic
def undo_import(*, imported: LedgerImport, by: Any, at: datetime) -> LedgerImport:
    """Take every line of a booked file out of the books again; the lines stay readable.

    Raises StillMatchedError naming rows that are matched, DayClosedError, BookingError for a file
    that is not booked, AccessDeniedError.
    """
    access.require(by, PERMISSION)
    access.require_account(by, imported.account)
    hold_account(imported.account)
    locked = (
        LedgerImport.objects.select_for_update(of=("self",)).select_related("account").get(pk=imported.pk)
    )
    if locked.booked_at is None or locked.undone_at is not None:
        raise BookingError(_("%(file)s is not in the books. Reload the page.") % {"file": locked.name})
    _refuse_taking_back(locked)
    LedgerEntry.objects.filter(imported=locked).update(live=False)
    locked.undone_by, locked.undone_at = by, at
    locked.save(update_fields=["undone_by", "undone_at"])
    auditing.record(
        action="reconciliation.journal_undone",
        about=locked,
        by=by,
        at=at,
        company=locked.account.company,
        account=locked.account.number,
        rows=locked.rows,
    )
    return locked


def _refuse_taking_back(imported: LedgerImport) -> None:
    lines = LedgerEntry.objects.filter(imported=imported)
    close = Close.objects.last_of(imported.account)
    if close is not None and lines.filter(posted_on__lte=close.on).exists():
        raise DayClosedError(
            _("%(file)s has lines on or before %(day)s, which is closed. Book a correction on an open day.")
            % {"file": imported.name, "day": close.on}
        )
    matched = lines.filter(matched__live=True).order_by("row")
    count = matched.count()
    if count:
        rows = list(matched.values_list("row", flat=True)[:10])
        raise StillMatchedError(
            ngettext(
                "%(count)d line of %(file)s is matched (row %(rows)s). Undo its match first.",
                "%(count)d lines of %(file)s are matched (rows %(rows)s). Undo their matches first.",
                count,
            )
            % {
                "count": count,
                "file": imported.name,
                "rows": ", ".join(map(str, rows)) + ("…" if count > len(rows) else ""),
            },
            rows,
        )


def _refuse_repeat(account: Account, digest: str) -> None:
    earlier = LedgerImport.objects.booked().filter(account=account, sha256=digest).first()
    if earlier is not None:
        raise BookedAlreadyError(
            _("The same file is booked already: %(file)s, by %(person)s on %(day)s. Nothing was changed.")
            % {"file": earlier.name, "person": earlier.made_by, "day": f"{earlier.booked_at:%Y-%m-%d}"}
        )


def _copy_lines(imported: LedgerImport, journal: Journal) -> None:
    account = imported.account
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY reconciliation_ledgerentry (account_id, imported_id, posted_on, amount, currency, voucher,"
            ' reference, bank_reference, counterparty, text, "row", live) FROM STDIN'
        ) as copy,
    ):
        for line in journal.lines:
            copy.write_row(
                (
                    account.pk,
                    imported.pk,
                    line.posted_on,
                    line.amount,
                    account.currency,
                    line.voucher,
                    line.reference,
                    line.bank_reference,
                    line.counterparty,
                    line.text,
                    line.row,
                    True,
                )
            )
