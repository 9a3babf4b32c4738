"""People match any lines of equal sum, undo, and get suggestions with reasons."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from django.db import connection

from reconciliation.models import Match, MatchedLine, OpenBankLine, OpenBookLine
from reconciliation.services import by_hand
from reconciliation.services.suggesting import suggest
from tests.make import Cast
from tests.reconciliation.build import NOW, day, journal, statement
from treasury.models import AuditEvent
from treasury.services.access import AccessDeniedError

pytestmark = pytest.mark.django_db


def ids(lines: list[object]) -> list[int]:
    return [line.pk for line in lines]  # type: ignore[attr-defined]


def test_one_bank_line_for_several_ledger_entries(cast: Cast) -> None:
    bank = statement(cast.cny, [{"amount": 30, "on": day(2)}], on=day(2))
    books = journal(cast.cny, [{"amount": 10}, {"amount": 20}], by=cast.alice)
    match = by_hand.match_lines(
        account=cast.cny, entries=ids(bank), ledger_entries=ids(books), by=cast.dave, at=NOW
    )
    assert (match.amount, match.first_on, match.last_on, match.made_by) == (30, day(0), day(2), cast.dave)
    assert not OpenBankLine.objects.exists()
    assert not OpenBookLine.objects.exists()
    assert AuditEvent.objects.get(action="reconciliation.matched_by_hand").object_id == match.pk


def test_several_for_several_and_a_payment_with_its_return(cast: Cast) -> None:
    bank = statement(cast.cny, [{"amount": 5}, {"amount": 6}, {"amount": -8}, {"amount": 8}])
    books = journal(cast.cny, [{"amount": 4}, {"amount": 7}], by=cast.alice)
    by_hand.match_lines(
        account=cast.cny, entries=ids(bank[:2]), ledger_entries=ids(books), by=cast.dave, at=NOW
    )
    wash = by_hand.match_lines(
        account=cast.cny, entries=ids(bank[2:]), ledger_entries=[], by=cast.dave, at=NOW
    )
    assert wash.amount == 0


def test_unequal_sums_are_refused_with_the_difference(cast: Cast) -> None:
    bank = statement(cast.cny, [{"amount": 30}])
    books = journal(cast.cny, [{"amount": "29.99"}], by=cast.alice)
    with pytest.raises(by_hand.SumsDifferError, match=r"0\.01 CNY apart") as refused:
        by_hand.match_lines(
            account=cast.cny, entries=ids(bank), ledger_entries=ids(books), by=cast.dave, at=NOW
        )
    assert refused.value.difference == Decimal("0.01")
    assert not Match.objects.exists()


def test_a_taken_line_is_refused_and_names_who_took_it(cast: Cast) -> None:
    bank = statement(cast.cny, [{"amount": 30}])
    books = journal(cast.cny, [{"amount": 30}, {"amount": 30}], by=cast.alice)
    by_hand.match_lines(
        account=cast.cny, entries=ids(bank), ledger_entries=ids(books[:1]), by=cast.dave, at=NOW
    )
    with pytest.raises(by_hand.LineTakenError, match="by Dave"):
        by_hand.match_lines(
            account=cast.cny, entries=ids(bank), ledger_entries=ids(books[1:]), by=cast.dave, at=NOW
        )


def test_lines_of_another_account_are_not_open_here(cast: Cast) -> None:
    bank = statement(cast.usd, [{"amount": 30}])
    books = journal(cast.cny, [{"amount": 30}], by=cast.alice)
    with pytest.raises(by_hand.LineTakenError):
        by_hand.match_lines(
            account=cast.cny, entries=ids(bank), ledger_entries=ids(books), by=cast.dave, at=NOW
        )


def test_undo_keeps_the_match_as_history_and_frees_the_lines(cast: Cast) -> None:
    bank = statement(cast.cny, [{"amount": 30}])
    books = journal(cast.cny, [{"amount": 30}], by=cast.alice)
    chosen = {"entries": ids(bank), "ledger_entries": ids(books)}
    match = by_hand.match_lines(account=cast.cny, **chosen, by=cast.dave, at=NOW)
    undone = by_hand.undo_match(match=match, by=cast.dave, at=NOW)
    assert undone.undone_by == cast.dave
    assert list(undone.lines.values_list("live", flat=True)) == [False, False]
    assert OpenBankLine.objects.count() == OpenBookLine.objects.count() == 1
    with pytest.raises(by_hand.UndoneAlreadyError, match="by Dave"):
        by_hand.undo_match(match=match, by=cast.dave, at=NOW)
    by_hand.match_lines(account=cast.cny, **chosen, by=cast.dave, at=NOW)
    assert MatchedLine.objects.filter(live=True).count() == 2
    assert AuditEvent.objects.filter(action="reconciliation.match_undone").count() == 1


def test_who_may_not_match(cast: Cast) -> None:
    bank = statement(cast.cny, [{"amount": 30}])
    books = journal(cast.cny, [{"amount": 30}], by=cast.alice)
    for person in (cast.alice, cast.bob, cast.mallory):
        with pytest.raises(AccessDeniedError):
            by_hand.match_lines(
                account=cast.cny, entries=ids(bank), ledger_entries=ids(books), by=person, at=NOW
            )


@pytest.mark.django_db(transaction=True)
def test_two_people_matching_the_same_line_at_once_get_one_match(cast: Cast) -> None:
    [bank] = statement(cast.cny, [{"amount": 30}])
    books = journal(cast.cny, [{"amount": 30}] * 8, by=cast.alice)
    gate, ends = threading.Barrier(len(books)), []

    def act(book: int) -> None:
        try:
            gate.wait(timeout=20)
            by_hand.match_lines(
                account=cast.cny, entries=[bank.pk], ledger_entries=[book], by=cast.dave, at=NOW
            )
            ends.append("matched")
        except by_hand.LineTakenError:
            ends.append("taken")
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(book.pk,)) for book in books]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(ends) == ["matched"] + ["taken"] * 7
    assert MatchedLine.objects.filter(live=True).count() == 2


# --- suggestions -------------------------------------------------------------------------


def test_suggestions_rank_reference_over_name_over_amount(cast: Cast) -> None:
    [bank] = statement(cast.cny, [{"amount": 30, "reference": "R", "name": "Acme"}])
    plain, named, referred = journal(
        cast.cny,
        [{"amount": 30}, {"amount": 30, "name": "ACME", "on": day(-2)}, {"amount": 30, "reference": "R"}],
        by=cast.alice,
    )
    found = suggest(line=OpenBankLine.objects.get(pk=bank.pk))
    assert [s.lines for s in found] == [(referred.pk,), (named.pk,), (plain.pk,)]
    assert [s.reasons for s in found] == [("amount", "reference"), ("amount", "party"), ("amount",)]
    assert found[1].days == 2


def test_a_sum_of_several_lines_is_suggested(cast: Cast) -> None:
    [bank] = statement(cast.cny, [{"amount": "-60.50", "name": "Acme"}])
    books = journal(
        cast.cny,
        [
            {"amount": "-10.25", "name": "Acme"},
            {"amount": -999, "name": "Acme"},
            {"amount": "-20.25", "name": "Acme"},
            {"amount": -30, "name": "Acme"},
            {"amount": 60, "name": "Acme"},
        ],
        by=cast.alice,
    )
    [best] = suggest(line=OpenBankLine.objects.get(pk=bank.pk))
    assert set(best.lines) == {books[0].pk, books[2].pk, books[3].pk}
    assert best.reasons == ("sum", "party")


def test_a_ledger_line_gets_suggestions_from_the_bank(cast: Cast) -> None:
    bank = statement(cast.cny, [{"amount": 10}, {"amount": 20}, {"amount": 99}])
    [book] = journal(cast.cny, [{"amount": 30}], by=cast.alice)
    [best] = suggest(line=OpenBookLine.objects.get(pk=book.pk))
    assert set(best.lines) == {bank[0].pk, bank[1].pk}


def test_nothing_fits_nothing_is_suggested(cast: Cast) -> None:
    [bank] = statement(cast.cny, [{"amount": 30}])
    journal(cast.cny, [{"amount": 31}, {"amount": -30}], by=cast.alice)
    assert suggest(line=OpenBankLine.objects.get(pk=bank.pk)) == []
