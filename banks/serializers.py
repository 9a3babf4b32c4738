"""How statements, their lines and statement files look in the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from banks import formats
from banks.models import Entry, InboundFile, Statement
from banks.services import importing
from treasury.serializers import Amount, Strict


class StatementRow(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A statement. `balanced` says whether opening + entries = closing; null when it cannot be checked."""

    opening = Amount(allow_null=True)
    closing = Amount(allow_null=True)
    entries_sum = Amount()

    class Meta:
        model = Statement
        fields = (
            "id", "account", "file", "number", "currency", "intraday", "opening_on", "opening", "closing_on",
            "closing", "entries_sum", "entries_count", "new_count", "balanced", "continuous", "flags",
            "imported_at",
        )  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {"flags": {"help_text": "Remarks on the statement"}}


class EntryRow(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A bank line. `amount` is signed: money into the account is positive."""

    amount = Amount()

    class Meta:
        model = Entry
        fields = (
            "id", "account", "statement", "position", "booked_on", "value_on", "amount", "currency", "status",
            "reference", "bank_reference", "counterparty_name", "counterparty_account", "text", "code",
            "return_reason",
        )  # fmt: skip


class FileRow(serializers.ModelSerializer):  # type: ignore[type-arg]
    class Meta:
        model = InboundFile
        fields = ("id", "name", "sha256", "size", "format", "state", "received_at", "deliveries")


class FileDetail(FileRow):
    """A statement file and what it came to, as far as its accounts were granted to you.

    `error` and `quarantined` are told only to whoever may see the whole file.
    """

    error = serializers.SerializerMethodField()
    statements = serializers.SerializerMethodField()
    new_entries = serializers.SerializerMethodField()
    quarantined = serializers.SerializerMethodField()

    class Meta(FileRow.Meta):
        fields = (  # type: ignore[assignment]
            *FileRow.Meta.fields,
            "error",
            "statements",
            "new_entries",
            "quarantined",
        )

    def get_error(self, row: InboundFile) -> str:
        return row.error if self._whole(row) else ""

    @extend_schema_field(serializers.ListField(child=serializers.IntegerField()))
    def get_statements(self, row: InboundFile) -> Any:
        return [one.pk for one in self._seen(row)]

    def get_new_entries(self, row: InboundFile) -> int:
        return sum(one.new_count for one in self._seen(row))

    def get_quarantined(self, row: InboundFile) -> int:
        return importing.report_of(row).quarantined if self._whole(row) else 0

    def _seen(self, row: InboundFile) -> list[Statement]:
        user = self.context["request"].user
        return list(Statement.objects.visible_to(user).filter(file=row).order_by("place"))

    def _whole(self, row: InboundFile) -> bool:
        user = self.context["request"].user
        return InboundFile.objects.wholly_visible_to(user).filter(pk=row.pk).exists()


class UploadBody(Strict):
    """A statement file as the bank gave it."""

    file = serializers.FileField(allow_empty_file=True)
    format = serializers.ChoiceField(choices=sorted(formats.FORMATS), required=False)
