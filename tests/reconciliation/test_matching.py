"""The portal matches what is certain, tier by tier, and leaves what is ambiguous to people."""

from __future__ import annotations

from typing import Any

import pytest

from reconciliation.models import Match, OpenBankLine, OpenBookLine
from reconciliation.services.by_hand import match_lines, undo_match
from reconciliation.services.matching import match_account
from tests.make import Cast
from tests.reconciliation.build import NOW, day, journal, statement

pytestmark = pytest.mark.django_db

ACME = "Acme 贸易（上海）有限公司"


def tiers(cast: Cast, bank: list[dict[str, Any]], books: list[dict[str, Any]]) -> list[str]:
    """The tiers of the matches made from these lines."""
    statement(cast.cny, bank, on=day(5))
    journal(cast.cny, books, by=cast.alice)
    match_account(account=cast.cny, at=NOW)
    return sorted(Match.objects.live().values_list("tier", flat=True))


def test_our_reference_and_amount_match_whatever_the_day(cast: Cast) -> None:
    assert tiers(
        cast,
        [{"amount": -80, "reference": "ZL1", "on": day(0), "name": "X"}],
        [{"amount": -80, "reference": "zl1 ", "on": day(-40), "name": "Y"}],
    ) == ["T1"]
    match = Match.objects.get()
    assert match.why == {"agreed": ["reference", "amount"], "days": 40}
    assert not OpenBankLine.objects.exists()
    assert not OpenBookLine.objects.exists()


def test_our_reference_with_another_amount_stays_open(cast: Cast) -> None:
    assert tiers(cast, [{"amount": -80, "reference": "ZL1"}], [{"amount": -81, "reference": "ZL1"}]) == []


def test_the_banks_reference_matches(cast: Cast) -> None:
    assert tiers(cast, [{"amount": 9, "bank_reference": "B7"}], [{"amount": 9, "bank_reference": "B7"}]) == [
        "T2"
    ]


def test_the_banks_reference_does_not_outweigh_two_different_references_of_ours(cast: Cast) -> None:
    assert (
        tiers(
            cast,
            [{"amount": 9, "bank_reference": "B7", "reference": "ZL1"}],
            [{"amount": 9, "bank_reference": "B7", "reference": "ZL2"}],
        )
        == []
    )


def test_amount_day_and_counterparty_match_across_width_case_and_punctuation(cast: Cast) -> None:
    assert tiers(
        cast,
        [{"amount": 500, "on": day(0), "name": ACME}],
        [{"amount": 500, "on": day(3), "name": "ACME贸易(上海)有限公司."}],
    ) == ["T3"]
    assert Match.objects.get().why == {"agreed": ["amount", "counterparty"], "days": 3}


@pytest.mark.parametrize(
    ("bank", "books"),
    [
        pytest.param(
            [{"amount": 500, "name": ACME}], [{"amount": 500, "name": ACME, "on": day(4)}], id="too far"
        ),
        pytest.param([{"amount": 500, "name": ACME}], [{"amount": 500, "name": ""}], id="nameless book"),
        pytest.param([{"amount": 500}], [{"amount": 500}], id="both nameless"),
        pytest.param([{"amount": 500, "name": ACME}], [{"amount": 500, "name": "Other"}], id="other name"),
        pytest.param([{"amount": 500, "name": ACME}], [{"amount": -500, "name": ACME}], id="other sign"),
        pytest.param(
            [{"amount": 500, "name": ACME}] * 2, [{"amount": 500, "name": ACME}], id="two bank lines"
        ),
        pytest.param(
            [{"amount": 500, "name": ACME}],
            [{"amount": 500, "name": ACME}, {"amount": 500, "name": ACME, "on": day(1)}],
            id="two books",
        ),
        pytest.param(
            [{"amount": 500, "name": ACME}],
            [{"amount": 500, "name": ACME}, {"amount": 500, "name": ""}],
            id="a nameless rival",
        ),
        pytest.param(
            [{"amount": 500, "name": ACME, "reference": "ZL1"}],
            [{"amount": 500, "name": ACME, "reference": "ZL2"}],
            id="references contradict",
        ),
        pytest.param(
            [{"amount": 500, "reference": "ZL1"}] * 2,
            [{"amount": 500, "reference": "ZL1"}] * 2,
            id="twice the reference",
        ),
        pytest.param(
            [{"amount": 500, "reference": "NOTPROVIDED"}],
            [{"amount": 500, "reference": "NOTPROVIDED"}],
            id="no reference at all",
        ),
    ],
)
def test_what_is_ambiguous_stays_open(
    cast: Cast, bank: list[dict[str, Any]], books: list[dict[str, Any]]
) -> None:
    bank = [{"on": day(0), **line} for line in bank]
    books = [{"on": day(0), **line} for line in books]
    assert tiers(cast, bank, books) == []
    assert OpenBankLine.objects.count() == len(bank)
    assert OpenBookLine.objects.count() == len(books)


def test_equal_lines_on_days_far_apart_are_not_rivals(cast: Cast) -> None:
    lines = [{"amount": -10, "name": "Fee", "on": day(-20)}, {"amount": -10, "name": "Fee", "on": day(0)}]
    assert tiers(cast, lines, lines) == ["T3", "T3"]
    assert all(match.first_on == match.last_on for match in Match.objects.all())


def test_a_line_between_two_candidates_in_reach_of_both_is_ambiguous(cast: Cast) -> None:
    bank = [{"amount": -10, "name": "Fee", "on": day(-2)}, {"amount": -10, "name": "Fee", "on": day(2)}]
    assert tiers(cast, bank, [{"amount": -10, "name": "Fee", "on": day(0)}]) == []


def test_pending_lines_are_not_matched(cast: Cast) -> None:
    assert (
        tiers(cast, [{"amount": 1, "reference": "A", "status": "PDNG"}], [{"amount": 1, "reference": "A"}])
        == []
    )


def test_accounts_do_not_mix(cast: Cast) -> None:
    statement(cast.usd, [{"amount": 1, "reference": "A"}])
    journal(cast.cny, [{"amount": 1, "reference": "A"}], by=cast.alice)
    assert match_account(account=cast.cny, at=NOW).total == 0
    assert match_account(account=cast.usd, at=NOW).total == 0


def test_running_again_changes_nothing(cast: Cast) -> None:
    assert tiers(cast, [{"amount": 1, "reference": "A"}], [{"amount": 1, "reference": "A"}]) == ["T1"]
    assert match_account(account=cast.cny, at=NOW).total == 0
    assert Match.objects.count() == 1


def test_a_pair_that_a_person_undid_is_not_made_again_by_itself(cast: Cast) -> None:
    tiers(cast, [{"amount": 1, "reference": "A"}], [{"amount": 1, "reference": "A"}])
    undo_match(match=Match.objects.get(), by=cast.dave, at=NOW)
    assert match_account(account=cast.cny, at=NOW).total == 0
    by_hand = match_lines(
        account=cast.cny,
        entries=[OpenBankLine.objects.get().pk],
        ledger_entries=[OpenBookLine.objects.get().pk],
        by=cast.dave,
        at=NOW,
    )
    assert by_hand.tier == "HAND"
    assert Match.objects.count() == 2
