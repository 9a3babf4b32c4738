"""The pure rules: digest, reference, CNAPS, IBAN, BIC, texts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments import rules
from payments.rules import RuleBrokenError
from treasury.money import MoneyError

ONE: dict[str, Any] = {
    "reference": "P261124ABCDEFGHJ",
    "version": 1,
    "kind": "SUPPLIER",
    "account_number": "6225",
    "account_currency": "CNY",
    "account_bank_code": "308584000013",
    "debtor_name": "华夏贸易",
    "payee_name": "北京供应商",
    "payee_account": "6217",
    "payee_bank_code": "102100099996",
    "payee_bank_name": "中国银行",
    "payee_country": "CN",
    "amount": Decimal("1.00"),
    "currency": "CNY",
    "execute_on": date(2026, 11, 24),
    "purpose": "货款",
    "urgent": False,
}
FIXED = "9bbb5f18b8a5e5fde3294c313bcbd58c0034470511807749826fc72343b6d4a2"


@pytest.mark.parametrize("field", sorted(ONE))
def test_the_digest_changes_with_every_field(field: str) -> None:
    other = {
        "version": 2,
        "amount": Decimal("1.01"),
        "execute_on": date(2026, 11, 25),
        "currency": "USD",
        "account_currency": "USD",
        "urgent": True,
    }.get(field, f"{ONE[field]}0")
    assert rules.money_digest(**ONE) != rules.money_digest(**{**ONE, field: other})


def test_the_digest_is_the_same_for_the_same_money() -> None:
    assert rules.money_digest(**ONE) == rules.money_digest(**{**ONE, "amount": Decimal("1.00000")})


def test_the_digest_is_fixed_for_ever() -> None:
    assert rules.money_digest(**ONE) == FIXED


def test_the_digest_never_rounds() -> None:
    with pytest.raises(MoneyError, match="decimals"):
        rules.money_digest(**{**ONE, "amount": Decimal("1.001")})


@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_no_two_pairs_of_texts_share_a_digest(name: str, account: str, other: str, number: str) -> None:
    first = rules.money_digest(**{**ONE, "payee_name": name, "payee_account": account})
    second = rules.money_digest(**{**ONE, "payee_name": other, "payee_account": number})
    assert (first == second) == ((name, account) == (other, number))


def test_references_fit_every_bank_and_do_not_repeat() -> None:
    made = {rules.new_reference(date(2026, 11, 24)) for _n in range(2000)}
    assert len(made) == 2000
    assert all(len(r) == 16 and r.isalnum() and r.isascii() and r.startswith("P261124") for r in made)


@pytest.mark.parametrize(
    "code", ["102100099996", "103100000026", "104100000004", "105100000017", "308584000013"]
)
def test_real_cnaps_numbers_pass(code: str) -> None:
    assert rules.check_bank_code(f" {code[:4]} {code[4:]}", country="CN") == code


@pytest.mark.parametrize("position", range(12))
def test_one_wrong_digit_of_a_cnaps_number_is_found(position: int) -> None:
    code = "102100099996"
    wrong = code[:position] + str((int(code[position]) + 1) % 10) + code[position + 1 :]
    with pytest.raises(RuleBrokenError) as refused:
        rules.check_bank_code(wrong, country="CN")
    assert refused.value.code == "payments.cnaps_check_digit"


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: rules.check_bank_code("1021000999", country="CN"), "payments.cnaps_length"),
        (lambda: rules.check_bank_code("DEUTDEF", country="DE"), "payments.bic"),
        (lambda: rules.check_bank_code("DEUTDEFF", country="FR"), "payments.bic_country"),
        (lambda: rules.check_bank_code("", country="US", required=True), "payments.bank_code_missing"),
        (lambda: rules.check_account_number("DE89370400440532013001", country="DE"), "payments.iban"),
        (lambda: rules.check_account_number("12345678", country="DE"), "payments.iban"),
        (
            lambda: rules.check_account_number("DE89370400440532013000", country="FR"),
            "payments.iban_country",
        ),
        (lambda: rules.check_account_number("6225x", country="CN"), "payments.account_number"),
        (lambda: rules.check_account_number("", country="US"), "payments.account_number"),
        (
            lambda: rules.check_text("a" * 71, field="purpose", limit=70, country="CN"),
            "payments.text_too_long",
        ),
        (
            lambda: rules.check_text("a\u200bb", field="purpose", limit=70, country="CN"),
            "payments.text_control",
        ),
        (
            lambda: rules.check_text("货款", field="purpose", limit=70, country="DE"),
            "payments.text_not_latin",
        ),
        (
            lambda: rules.check_text("  ", field="name", limit=70, country="CN", required=True),
            "payments.text_missing",
        ),
    ],
)
def test_bad_values_are_refused_with_their_rule(call: Any, code: str) -> None:
    with pytest.raises(RuleBrokenError) as refused:
        call()
    assert refused.value.code == code
    assert refused.value.field


def test_good_values_are_normalised() -> None:
    assert rules.check_account_number("de89 3704 0044 0532 0130 00", country="DE") == "DE89370400440532013000"
    assert rules.check_bank_code("deutdeff", country="DE") == "DEUTDEFF"
    assert rules.check_text(" Müller & Söhne ", field="name", limit=70, country="DE") == "Müller & Söhne"
    assert rules.check_account_number("6225 0000 0000 0001", country="CN") == "6225000000000001"
