"""How the books' lines, journal files and matches look in the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from reconciliation.models import LedgerEntry, LedgerImport, Match
from treasury.serializers import Amount, Strict

NUMBERS = serializers.ListField(child=serializers.IntegerField())


class LedgerEntryRow(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A line of the bank journal. `amount` is signed as the bank's lines are: money in is positive."""

    amount = Amount()

    class Meta:
        model = LedgerEntry
        fields = (
            "id", "account", "imported", "row", "posted_on", "amount", "currency", "voucher", "reference",
            "bank_reference", "counterparty", "text",
        )  # fmt: skip


class LedgerFileRow(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A journal file in the books. `undone_at` is set when its lines no longer count."""

    money_in = Amount(currency="account.currency")
    money_out = Amount(currency="account.currency")

    class Meta:
        model = LedgerImport
        fields = (
            "id", "account", "name", "sha256", "rows", "money_in", "money_out", "made_at", "booked_at",
            "undone_at",
        )  # fmt: skip


class MatchRow(serializers.ModelSerializer):  # type: ignore[type-arg]
    """Bank lines and ledger entries that are the same money. `undone_at` is set when it no longer holds."""

    amount = Amount(currency="account.currency")
    made_by = serializers.SerializerMethodField()
    entries = serializers.SerializerMethodField()
    ledger_entries = serializers.SerializerMethodField()

    class Meta:
        model = Match
        fields = (
            "id", "account", "tier", "why", "amount", "first_on", "last_on", "made_by", "made_at",
            "undone_at", "entries", "ledger_entries",
        )  # fmt: skip

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_made_by(self, row: Match) -> str | None:
        return None if row.made_by is None else row.made_by.username

    @extend_schema_field(NUMBERS)
    def get_entries(self, row: Match) -> Any:
        return [line.entry_id for line in row.lines.all() if line.entry_id is not None]

    @extend_schema_field(NUMBERS)
    def get_ledger_entries(self, row: Match) -> Any:
        return [line.ledger_entry_id for line in row.lines.all() if line.ledger_entry_id is not None]


class JournalBody(Strict):
    """A journal file (CSV or XLSX) of one account; its columns are told by their headers."""

    account = serializers.IntegerField(min_value=1, max_value=(1 << 63) - 1)
    file = serializers.FileField()
