"""Tables people upload: what is no table is named for what it is."""

from __future__ import annotations

import pytest

from treasury.tables import TableError, read_table


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"%PDF-1.7\n1 0 obj", "PDF document"),
        (b"\n <!DOCTYPE html><html></html>", "web page"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><a/>", "XML document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old XLS"),
        (b"", "is empty"),
        ("付款,金额".encode("utf-16"), "neither UTF-8 nor GB18030"),
    ],
)
def test_a_file_that_is_no_table_is_refused_by_its_kind(content: bytes, named: str) -> None:
    with pytest.raises(TableError, match=named):
        read_table(name="file", content=content)
