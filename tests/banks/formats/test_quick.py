"""Records built the quick way are the records themselves."""

from __future__ import annotations

import dataclasses
import pickle
from datetime import date
from decimal import Decimal

import pytest

from banks.formats.quick import quick_entry, quick_party
from banks.messages import Entry, EntryStatus, Party


def test_quick_records_are_equal_to_and_as_frozen_as_the_slow_ones() -> None:
    party = quick_party("A", "1", "B", "C", "CN")
    assert party == Party(name="A", account="1", bank_code="B", bank_name="C", country="CN")
    day = date(2026, 1, 1)
    slow = Entry(
        amount=Decimal("1.20"),
        currency="EUR",
        booked_on=day,
        value_on=None,
        status=EntryStatus.PENDING,
        reference="R",
        bank_reference="B",
        counterparty=party,
        text="T",
        code="C",
        reversal=True,
        return_reason="X",
        position=7,
    )
    values = [getattr(slow, field.name) for field in dataclasses.fields(Entry)]
    quick = quick_entry(*values)
    assert type(quick) is Entry
    assert (quick, hash(quick), repr(quick)) == (slow, hash(slow), repr(slow))
    assert pickle.loads(pickle.dumps(quick)) == slow  # noqa: S301
    assert dataclasses.replace(quick, position=8) == dataclasses.replace(slow, position=8)
    with pytest.raises(dataclasses.FrozenInstanceError):
        quick.position = 9  # type: ignore[misc]
