"""大写金额 as the official rules print them, and the cases they leave to care."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.cny import DIGITS, NotWritableError, capitals


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        # the examples of the 支付结算办法, annex 1
        ("1409.50", "壹仟肆佰零玖元伍角整"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("1680.32", "壹仟陆佰捌拾元零叁角贰分"),
        ("107000.53", "壹拾万柒仟元零伍角叁分"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("325.04", "叁佰贰拾伍元零肆分"),
        # ends and gaps
        ("0", "零元整"),
        ("0.01", "壹分"),
        ("0.10", "壹角整"),
        ("0.15", "壹角伍分"),
        ("1", "壹元整"),
        ("1.05", "壹元零伍分"),
        ("10", "壹拾元整"),
        ("10.50", "壹拾元零伍角整"),
        ("15", "壹拾伍元整"),
        ("100", "壹佰元整"),
        ("101", "壹佰零壹元整"),
        ("1001", "壹仟零壹元整"),
        ("10000", "壹万元整"),
        ("10001", "壹万零壹元整"),
        ("12000.00", "壹万贰仟元整"),
        ("100100", "壹拾万零壹佰元整"),
        ("1000000", "壹佰万元整"),
        ("100000000", "壹亿元整"),
        ("100000001", "壹亿零壹元整"),
        ("100010000", "壹亿零壹万元整"),
        ("123456789.01", "壹亿贰仟叁佰肆拾伍万陆仟柒佰捌拾玖元零壹分"),
        ("1200000000000", "壹万贰仟亿元整"),
        ("1000000000000", "壹万亿元整"),
    ],
)
def test_amounts_in_capitals(amount: str, text: str) -> None:
    assert capitals(Decimal(amount)) == text


@pytest.mark.parametrize("amount", ["0.001", "1.005", "-1", "10000000000000000", "NaN", "Infinity"])
def test_what_has_no_capitals_is_refused(amount: str) -> None:
    with pytest.raises(NotWritableError):
        capitals(Decimal(amount))


def read(text: str) -> Decimal:
    """Capitals read back, by another way than they are written."""
    total = Decimal(0)
    section = group = 0
    digit = 0
    for char in text:
        if char in DIGITS:
            digit = DIGITS.index(char)
        elif char in "拾佰仟":
            section += digit * {"拾": 10, "佰": 100, "仟": 1000}[char]
            digit = 0
        elif char == "万":
            group += (section + digit) * 10_000
            section = digit = 0
        elif char == "亿":
            total += (group + section + digit) * 10**8
            group = section = digit = 0
        elif char == "元":
            total += group + section + digit
            group = section = digit = 0
        elif char == "角":
            total += Decimal(digit) / 10
            digit = 0
        elif char == "分":
            total += Decimal(digit) / 100
            digit = 0
    return total


@given(st.integers(min_value=0, max_value=10**18 - 1))
def test_every_amount_reads_back_as_itself(fen: int) -> None:
    amount = Decimal(fen) / 100
    text = capitals(amount)
    assert read(text) == amount
    assert "零零" not in text
