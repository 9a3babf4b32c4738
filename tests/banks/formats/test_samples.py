"""Real-looking files of many banks, and our own small ones with their expected reading beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import mt940 as other_reader
import pytest

from banks.formats import UnreadableError
from banks.formats.inspect import inspect_file
from tests.banks.formats.build import OWN, SHARED, shared, whole

CAMT = sorted(path.name for path in (SHARED / "samples/camt").glob("*.xml")) or ["camt053.v2.minimal.xml"]
SWIFT = sorted(
    str(path.relative_to(SHARED / "samples/mt940"))
    for path in (SHARED / "samples/mt940").rglob("*")
    if path.suffix in (".sta", ".txt")
) or ["jejik/generic.sta"]
NO_STATEMENT = {
    "betterplace/empty_86.sta",
    "betterplace/empty_line.sta",
    "cmxl/available_balance.sta",
    "cmxl/reference.sta",
    "cmxl/statement_number.sta",
    "self-provided/empty_non_swift.sta",
    "self-provided/invalid_statement.sta",
}


@pytest.mark.parametrize("path", sorted(OWN.glob("*.json")), ids=lambda path: path.stem)
def test_own_samples_are_read_as_written_beside_them(path: Path) -> None:
    source = next(p for p in OWN.iterdir() if p.stem == path.stem and p.suffix != ".json")
    report, outcome = inspect_file(source)
    expected = json.loads(path.read_text("utf-8"))
    assert {**report, "file": source.name, "outcome": outcome} == expected


def found(node: Any, kind: str) -> Iterator[dict[str, Any]]:
    """Every object of a class in the other parser's dump."""
    if isinstance(node, dict):
        if node.get("__CLASS__", "").endswith(kind):
            yield node
        for value in node.values():
            yield from found(value, kind)
    elif isinstance(node, list):
        for value in node:
            yield from found(value, kind)


@pytest.mark.parametrize("name", CAMT)
def test_camt_samples_agree_with_another_parser(name: str) -> None:
    path = shared("samples/camt", name)
    if name == "camt053.v2.wrong.xml":
        with pytest.raises(UnreadableError, match="no statement"):
            whole(path.read_bytes())
        return
    read = whole(path.read_bytes())
    assert not read.quarantined
    expected = json.loads(path.with_suffix(".json").read_text("utf-8"))
    theirs = [e for e in found(expected, "DTO\\Entry") if "getAmount" in e]
    minor = {"JPY": 0}
    amounts = {
        Decimal(e["getAmount"]["getAmount"]).scaleb(-minor.get(e["getAmount"]["getCurrency"]["getCode"], 2))
        for e in theirs
    }
    if "five.decimals" not in name:
        assert amounts <= {e.amount for e in read.entries}
    ids = {r["getId"] for r in found(expected, "Statement")} | {r["getId"] for r in found(expected, "Report")}
    assert ids <= {s.number for s in read.statements}


@pytest.mark.parametrize("name", SWIFT)
def test_mt940_samples_are_read_or_refused_with_a_reason(name: str) -> None:
    path = shared("samples/mt940", name)
    if name in NO_STATEMENT:
        with pytest.raises(UnreadableError):
            whole(path.read_bytes())
        return
    read = whole(path.read_bytes())
    assert read.statements
    for end in read.ends:
        assert end.balanced is not False or "but closing is" in "".join(end.flags)


def test_the_dresdner_file_closes_on_every_statement() -> None:
    read = whole(shared("samples/mt940/betterplace/sepa_mt9401.sta").read_bytes())
    assert len(read.statements) > 15
    assert all(end.balanced for end in read.ends)


def test_the_asn_file_closes_on_every_day() -> None:
    read = whole(shared("samples/mt940/ASNB/mt940.txt").read_bytes())
    assert len(read.statements) == 31
    assert all(end.balanced for end in read.ends)


def test_the_old_rabobank_and_central_european_files_are_whole() -> None:
    rabo = whole(shared("samples/mt940/jejik/rabobank.sta").read_bytes())
    assert [len(s.entries) for s in rabo.statements] == [1, 0, 2, 2]
    hungarian = whole(shared("samples/mt940/self-provided/raiffeisen-cmi.sta").read_bytes())
    assert "átutalás jóváírása" in hungarian.entries[0].text


@pytest.mark.parametrize("name", ["citi/mt940.txt", "jejik/ing.sta", "jejik/triodos.sta", "mBank/mt940.sta"])
def test_amounts_agree_with_the_mt940_package_where_it_is_right(name: str) -> None:
    raw = shared("samples/mt940", name).read_bytes()
    theirs = other_reader.parse(raw.decode("utf-8"))
    assert [e.amount for e in whole(raw).entries] == [t.data["amount"].amount for t in theirs]
