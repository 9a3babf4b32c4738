"""The top floor's addresses: ledger entries, journal files with their import, matches."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from reconciliation.models import LedgerEntry, LedgerImport, Match
from reconciliation.serializers import JournalBody, LedgerEntryRow, LedgerFileRow, MatchRow
from reconciliation.services import booking
from treasury.api import errors
from treasury.api.filters import Filter
from treasury.api.idempotency import KEY, once
from treasury.api.reading import Reading
from treasury.models import Account
from treasury.serializers import Failure
from treasury.services import access

errors.means(409, booking.BookedAlreadyError)


class JournalRowsError(Exception):
    """Lines of the journal cannot be taken, nothing was booked; `errors` names each row."""

    code = "reconciliation.journal_rows"

    def __init__(self, refused: booking.JournalRefusedError) -> None:
        self.hint = _("Correct the file and send it again under a fresh key.")
        self.errors = [
            {"field": f"row {p.row}", "code": "invalid", "message": p.text, "hint": ""}
            for p in refused.journal.problems[:100]
        ]
        super().__init__(str(refused))


@extend_schema(tags=["Books and matches"])
@extend_schema_view(
    list=extend_schema(summary="Ledger entries"), retrieve=extend_schema(summary="One ledger entry")
)
class LedgerEntries(Reading):
    """Lines of the companies' bank journals that are in the books."""

    model, serializer_class, queryset = LedgerEntry, LedgerEntryRow, LedgerEntry.objects.none()
    filters = {
        "account": Filter("account", int, "Account"),
        "imported": Filter("imported", int, "Journal file"),
        "posted_from": Filter("posted_on__gte", date, "Posting day from"),
        "posted_until": Filter("posted_on__lte", date, "Posting day to"),
        "reference": Filter("reference", str, "Payment reference, exactly"),
        "voucher": Filter("voucher", str, "Voucher, exactly"),
    }

    def rows(self) -> QuerySet[Any]:
        return LedgerEntry.objects.visible_to(self.request.user).live()


@extend_schema(tags=["Books and matches"])
@extend_schema_view(
    list=extend_schema(summary="Journal files"), retrieve=extend_schema(summary="One journal file")
)
class LedgerFiles(Reading):
    """Journal files that were booked, also those undone later."""

    model, serializer_class, queryset = LedgerImport, LedgerFileRow, LedgerImport.objects.none()
    related = ("account",)
    parser_classes = (MultiPartParser,)
    filters = {"account": Filter("account", int, "Account")}

    def rows(self) -> QuerySet[Any]:
        booked = LedgerImport.objects.visible_to(self.request.user).filter(booked_at__isnull=False)
        return booked.defer("content")

    @extend_schema(
        summary="Import a journal file",
        parameters=[KEY],
        request={"multipart/form-data": JournalBody},
        responses={
            201: LedgerFileRow,
            400: OpenApiResponse(Failure, "The request is not of the documented form."),
            403: OpenApiResponse(Failure, "Your role does not allow it."),
            404: OpenApiResponse(Failure, "There is no such account, or it was not granted to you."),
            409: OpenApiResponse(Failure, "The same file is booked already."),
            422: OpenApiResponse(Failure, "The file has problems; `errors` names the rows."),
        },
    )
    def create(self, request: Request) -> Response:
        """Books every line of the file, or none."""
        access.require(request.user, booking.PERMISSION)
        body = JournalBody(data=request.data)
        body.is_valid(raise_exception=True)
        account = get_object_or_404(
            Account.objects.visible_to(request.user), pk=body.validated_data["account"]
        )
        sent = body.validated_data["file"]

        def act() -> tuple[int, Any]:
            try:
                done = booking.import_journal(
                    account=account,
                    name=sent.name,
                    content=sent.read(),
                    by=request.user,
                    at=timezone.now(),
                )
            except booking.JournalRefusedError as refused:
                raise JournalRowsError(refused) from refused
            return 201, self.get_serializer(done).data

        return once(request, act)


@extend_schema(tags=["Books and matches"])
@extend_schema_view(list=extend_schema(summary="Matches"), retrieve=extend_schema(summary="One match"))
class Matches(Reading):
    """Which bank lines and ledger entries are the same money, and why."""

    model, serializer_class, queryset = Match, MatchRow, Match.objects.none()
    related, many = ("account", "made_by"), ("lines",)
    filters = {
        "account": Filter("account", int, "Account"),
        "tier": Filter("tier", str, "How it was found", tuple(Match.Tier.values)),
        "undone": Filter("undone_at__isnull", bool, "false: only those that hold"),
    }


router = SimpleRouter(use_regex_path=False)
router.register("ledger-entries", LedgerEntries)
router.register("ledger-files", LedgerFiles)
router.register("matches", Matches)
urlpatterns = router.urls
