"""The fast ways through MT940 give what the long way gives, and nothing raises but what is named."""

from __future__ import annotations

import importlib
import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banks import formats
from banks.formats import UnreadableError, camt053, mt940
from banks.formats.mt940 import details, lines
from banks.messages import Statement
from tests.banks.formats.build import OWN, camt, ntry, shared, stmt, swift, tx, whole
from tests.banks.formats.test_round_trips import sample, statements

FIELDS = (
    "166?00GUT ?20EREF+A_B ?21SVWZ+text ?23SV ?24WZ+more ?25KREF+K ?30B ?31123 ?32Na ?33me ?34902 ?60late "
    "?10399 + ? BIC+X IBAN+DE1 109?00R ?29end"
).replace("_", " ")
PIECES = st.lists(st.sampled_from([*FIELDS.split(" "), " ", "?22" + "x" * 27]), max_size=12).map("".join)


@settings(max_examples=300, deadline=None)
@given(PIECES)
def test_the_usual_field_86_reads_as_the_long_way_reads_it(content: str) -> None:
    quick = details.read_details("166?00X" + content)
    assert quick == details._numbered("166", "?", "166?00X" + content)


@settings(max_examples=200, deadline=None)
@given(st.from_regex(lines.COMMON, fullmatch=True))
def test_the_common_line_61_reads_as_the_long_way_reads_it(content: str) -> None:
    lines.PAIRS.clear()
    try:
        slow = lines._any_line(content)
    except lines.BadLineError:
        return
    assert lines.statement_line(content) == slow


@pytest.mark.parametrize("name", ["betterplace/sepa_mt9401.sta", "jejik/abnamro.sta", "cmxl/mt940.sta"])
def test_runs_read_as_single_fields_do(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = shared("samples/mt940", name).read_bytes()
    fast = whole(raw)
    long_way = importlib.import_module("banks.formats.mt940.read")
    monkeypatch.setattr(long_way, "plain_run", lambda parts, index, last, line, *rest: (index, line))
    assert whole(raw) == fast


@settings(max_examples=40, deadline=None)
@given(statements(booked_only=True), st.integers(1, 400))
def test_where_the_file_is_cut_into_blocks_changes_nothing(statement: Statement, size: int) -> None:
    class Dribble(io.BytesIO):
        def read(self, n: int | None = -1) -> bytes:
            return super().read(min(size, n if n and n > 0 else size))

    for content in (mt940.write([statement]), camt053.write([statement])):
        name = formats.detect(content)
        at_once = list(formats.FORMATS[name].read(io.BytesIO(content)))
        assert list(formats.FORMATS[name].read(Dribble(content))) == at_once


def seeds() -> list[bytes]:
    batch = ntry("3.00", "CRDT", f"<NtryDtls>{tx('1.00', e2e='A')}{tx('2.00')}</NtryDtls>")
    own = [p.read_bytes() for p in sorted(OWN.iterdir()) if p.suffix != ".json"]
    return [camt(stmt(batch, closing="3.00")).encode(), camt053.write([sample()]), swift().encode(), *own]


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_file_is_read_in_part_or_refused_by_name_but_never_crashes(seed: int) -> None:
    chance = random.Random(seed)
    for content in seeds():
        data = bytearray(content)
        for _ in range(chance.randint(1, 12)):
            at = chance.randrange(len(data))
            kind = chance.randrange(4)
            if kind == 0:
                data[at] = chance.randrange(256)
            elif kind == 1:
                del data[at : at + chance.randint(1, 40)]
            elif kind == 2:
                data[at:at] = data[at : at + chance.randint(1, 60)]
            else:
                data[at:at] = chance.choice(
                    [b"\x00", b":", b"?", b"\r", b"<", b"\n:61:", b"\n-\n", b",", b"&"]
                )
            data = data or bytearray(b" ")
        try:
            read_back = whole(bytes(data))
        except UnreadableError:
            continue
        for end, statement in zip(read_back.ends, read_back.statements, strict=True):
            if end.balanced:
                assert not end.quarantined
                assert statement.balanced
