"""Payment files from upload to drafts and back: keep the bytes, preview, commit all or nothing, undo.

The preview is computed from the kept bytes each time, at commit as well, so that what is written
is what the rules say at that moment. Imports make drafts and nothing else.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from payments.models import Batch, ImportedFile
from payments.models.payments import Source
from payments.services import batches, import_reading, preparing
from payments.services.import_reading import Preview
from treasury.models import Account
from treasury.services import access, auditing


class ImportRefusedError(Exception):
    """The file cannot be taken (again); the text says why and what to do."""

    code = "payments.import_refused"
    hint = ""


class FileRepeatedError(ImportRefusedError):
    """The same bytes already made payments of this company."""

    code = "payments.file_repeated"


def upload_file(*, account: Account, name: str, content: bytes, by: Any, at: datetime) -> ImportedFile:
    """Keep a readable file for preview. Raises TableError, FileRepeatedError, AccessDeniedError."""
    access.require(by, preparing.PREPARE)
    access.require_account(by, account)
    digest = hashlib.sha256(content).hexdigest()
    _refuse_repeat(account, digest, name)
    import_reading.read(name=name, content=content, account=account, at=at)
    with transaction.atomic():
        file = ImportedFile.objects.create(
            company=account.company,
            account=account,
            name=name[-200:],
            sha256=digest,
            content=content,
            uploaded_by=by,
            uploaded_at=at,
        )
        auditing.record(
            action="payments.file_uploaded",
            about=file,
            by=by,
            at=at,
            company=account.company,
            sha256=digest,
            size=len(content),
        )
    return file


def preview_file(*, file: ImportedFile, at: datetime) -> Preview:
    """What the kept file says now. Raises TableError."""
    account = Account.objects.select_related("company", "bank").get(pk=file.account_id)
    return import_reading.read(name=file.name, content=bytes(file.content), account=account, at=at)


@transaction.atomic
def commit_file(*, file: ImportedFile, by: Any, at: datetime) -> Batch:
    """Make a batch of drafts of every row, or of none.

    Raises ImportRefusedError when a row has a fault or the file was committed before.
    """
    access.require(by, preparing.PREPARE)
    access.require_account(by, file.account)
    locked = ImportedFile.objects.select_for_update(of=("self",)).get(pk=file.pk)
    if locked.committed_at is not None:
        raise FileRepeatedError(
            _("%(file)s has already made its payments: batch %(batch)s.")
            % {"file": locked.name, "batch": locked.batch}
        )
    _refuse_repeat(locked.account, locked.sha256, locked.name)
    preview = preview_file(file=locked, at=at)
    if not preview.good:
        raise ImportRefusedError(
            _("%(count)d faults in %(file)s, for one: %(first)s Nothing was written. Correct the file.")
            % {"count": len(preview.problems), "file": locked.name, "first": preview.problems[0].text}
        )
    locked.committed_at = at
    try:
        with transaction.atomic():
            locked.save(update_fields=["committed_at"])
    except IntegrityError as error:
        raise FileRepeatedError(_("%(file)s was imported a moment ago.") % {"file": locked.name}) from error
    return batches.create_batch(
        account=preview.lines[0].wish.account,
        name=locked.name,
        source=Source.IMPORT,
        by=by,
        at=at,
        wishes=[line.wish for line in preview.lines],
        file=locked,
    )


def undo_import(*, batch: Batch, by: Any, at: datetime) -> int:
    """Cancel every draft of an import and free its bytes. Raises as `batches.cancel_batch`."""
    return batches.cancel_batch(batch=batch, by=by, at=at)


def _refuse_repeat(account: Account, digest: str, name: str) -> None:
    earlier = ImportedFile.objects.filter(
        company=account.company, sha256=digest, committed_at__isnull=False, undone_at__isnull=True
    ).first()
    if earlier is not None:
        raise FileRepeatedError(
            _("%(file)s was imported on %(date)s by %(person)s: batch %(batch)s. Undo that to repeat it.")
            % {
                "file": name,
                "date": f"{earlier.uploaded_at:%Y-%m-%d}",
                "person": earlier.uploaded_by,
                "batch": earlier.batch,
            }
        )
