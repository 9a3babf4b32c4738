"""The banks floor's addresses: statements, bank lines, and statement files with their upload."""

from __future__ import annotations

from datetime import date

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from banks.models import Entry, InboundFile, Statement
from banks.serializers import EntryRow, FileDetail, FileRow, StatementRow, UploadBody
from banks.services import importing
from banks.states import FileState
from treasury import jobs
from treasury.api.filters import Filter
from treasury.api.reading import Reading
from treasury.serializers import Failure
from treasury.services import access

AT_ONCE = 2 << 20
"""Files up to this many bytes are read before the answer, larger ones by a job."""


@extend_schema(tags=["Statements"])
@extend_schema_view(list=extend_schema(summary="Statements"), retrieve=extend_schema(summary="One statement"))
class Statements(Reading):
    """Account statements as the banks gave them."""

    model, serializer_class, queryset = Statement, StatementRow, Statement.objects.none()
    filters = {
        "account": Filter("account", int, "Account"),
        "closing_from": Filter("closing_on__gte", date, "Closing day from"),
        "closing_until": Filter("closing_on__lte", date, "Closing day to"),
        "balanced": Filter("balanced", bool, "Whether opening + entries = closing"),
        "intraday": Filter("intraday", bool, "Reports of an unfinished day"),
    }


@extend_schema(tags=["Statements"])
@extend_schema_view(list=extend_schema(summary="Bank lines"), retrieve=extend_schema(summary="One bank line"))
class Entries(Reading):
    """Lines of the statements, each once however often it was delivered."""

    model, serializer_class, queryset = Entry, EntryRow, Entry.objects.none()
    filters = {
        "account": Filter("account", int, "Account"),
        "statement": Filter("statement", int, "Statement"),
        "booked_from": Filter("booked_on__gte", date, "Booking day from"),
        "booked_until": Filter("booked_on__lte", date, "Booking day to"),
        "status": Filter("status", str, "Status", tuple(Entry.Status.values)),
        "reference": Filter("reference", str, "Our reference, exactly"),
    }


@extend_schema(tags=["Statements"])
@extend_schema_view(
    list=extend_schema(summary="Statement files"), retrieve=extend_schema(summary="One statement file")
)
class Files(Reading):
    """Files with statements, stored as they came before anybody reads them."""

    model, serializer_class, queryset = InboundFile, FileDetail, InboundFile.objects.none()
    parser_classes = (MultiPartParser,)
    filters = {
        "state": Filter("state", str, "State", tuple(FileState.values)),
        "sha256": Filter("sha256", str, "SHA-256 of the bytes"),
    }

    def get_serializer_class(self) -> type[FileRow]:
        return FileRow if self.action == "list" else FileDetail

    @extend_schema(
        summary="Upload a statement file",
        request={"multipart/form-data": UploadBody},
        responses={
            200: OpenApiResponse(
                FileDetail, "The same bytes were uploaded before; nothing was booked twice."
            ),
            201: FileDetail,
            400: OpenApiResponse(Failure, "No file, or fields that are not known."),
            403: OpenApiResponse(Failure, "Your role does not allow it."),
            422: OpenApiResponse(Failure, "The file is empty or too large."),
        },
    )
    def create(self, request: Request) -> Response:
        """The bytes are their own idempotency key: a file sent again changes nothing, so no header is
        needed. What the file came to stands in `state` and `error`; RECEIVED means that a job reads it."""
        access.require(request.user, "banks.import_statement")
        body = UploadBody(data=request.data)
        body.is_valid(raise_exception=True)
        at, sent = timezone.now(), body.validated_data["file"]
        file = importing.receive_file(
            name=sent.name, stream=sent, by=request.user, at=at, format=body.validated_data.get("format")
        )
        if file.size <= AT_ONCE or file.state != FileState.RECEIVED:
            again = file.state in {FileState.UNREADABLE, FileState.FLAGGED}
            importing.import_file(file=file, at=at, by=request.user, again=again)
        else:
            jobs.enqueue("banks.tasks.import_stored_file", file.pk)
        known = file.deliveries > 1
        file.refresh_from_db()
        return Response(self.get_serializer(file).data, status=200 if known else 201)


router = SimpleRouter(use_regex_path=False)
router.register("statements", Statements)
router.register("entries", Entries)
router.register("statement-files", Files)
urlpatterns = router.urls
