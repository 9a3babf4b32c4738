"""The pages of reconciliation: who sees what, and every act as a plain form without scripts."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from reconciliation.models import Close, LedgerEntry, LedgerImport, LedgerOpening, Match, OpenBankLine
from reconciliation.services.matching import match_account
from reconciliation.services.opening import set_opening
from tests.make import Cast
from tests.reconciliation.build import DAY, NOW, day, journal, statement

pytestmark = pytest.mark.django_db


@pytest.fixture
def filled(cast: Cast) -> Cast:
    """One matched pair and open lines of every kind; the day agrees."""
    set_opening(account=cast.cny, on=day(-1), amount=Decimal(1000), by=cast.dave, at=NOW)
    statement(
        cast.cny,
        [
            {"amount": -50, "reference": "ZL1", "name": "Supplier"},
            {"amount": 300, "name": "Acme 客户", "text": "Invoice 4711"},
            {"amount": -7, "name": "Fee"},
        ],
        on=DAY,
        opening=1000,
    )
    journal(
        cast.cny,
        [
            {"amount": -50, "reference": "ZL1", "name": "Supplier"},
            {"amount": 100, "voucher": "V-1"},
            {"amount": 200, "voucher": "V-2"},
        ],
        by=cast.alice,
    )
    match_account(account=cast.cny, at=NOW)
    return cast


def signed_in(client: Client, user: Any) -> Client:
    client.force_login(user)
    return client


def url(name: str, *args: Any) -> str:
    return reverse(f"reconciliation:{name}", args=args)


def test_mallory_sees_nothing_of_it(filled: Cast, client: Client) -> None:
    signed_in(client, filled.mallory)
    match, imported = Match.objects.get(), LedgerImport.objects.get()
    hidden = [
        url("account", filled.cny.pk),
        url("sheet", filled.cny.pk),
        url("sheet_pdf", filled.cny.pk),
        url("match", match.pk),
        url("journal", imported.pk),
    ]
    assert [client.get(path).status_code for path in hidden] == [404] * len(hidden)
    acts = [
        url("match_lines", filled.cny.pk),
        url("close_day", filled.cny.pk),
        url("undo_match", match.pk),
        url("undo_journal", imported.pk),
        url("book_journal", imported.pk),
        url("journal_columns", imported.pk),
    ]
    assert [client.post(path).status_code for path in acts] == [404] * len(acts)
    for listed in ("overview", "matches", "journals", "closes"):
        page = client.get(url(listed))
        assert page.status_code == 200
        assert "…0001" not in page.content.decode()


def test_roles_without_the_permission_are_told_so(filled: Cast, client: Client) -> None:
    signed_in(client, filled.bob)
    match, imported = Match.objects.get(), LedgerImport.objects.get()
    for path, data in (
        (url("match_lines", filled.cny.pk), {"bank": ["1", "2"]}),
        (url("undo_match", match.pk), {}),
        (url("match_now", filled.cny.pk), {}),
        (url("opening", filled.cny.pk), {}),
        (url("undo_journal", imported.pk), {}),
        (url("close_day", filled.cny.pk), {"on": str(DAY)}),
    ):
        assert client.post(path, data).status_code == 403, path
    assert client.get(url("import_journal")).status_code == 403
    page = client.get(url("account", filled.cny.pk))
    assert page.status_code == 200
    assert "data-match" not in page.content.decode()
    assert Match.objects.live().count() == 1


def test_the_overview_counts_open_lines_and_the_difference(
    filled: Cast, client: Client, django_assert_max_num_queries: Any
) -> None:
    signed_in(client, filled.dave)
    client.get(url("overview"))
    with django_assert_max_num_queries(16):
        page = client.get(url("overview"))
    [cny, usd] = page.context["standings"]
    assert (cny.bank_open, cny.books_open, cny.difference, cny.statement_on) == (2, 2, 0, DAY)
    assert (usd.bank_open, usd.difference) == (0, None)


def test_lines_are_matched_and_undone_by_plain_forms(filled: Cast, client: Client) -> None:
    signed_in(client, filled.dave)
    path = url("account", filled.cny.pk)
    page = client.get(path).content.decode()
    assert "Acme 客户" in page
    assert "V-1" in page
    bank = OpenBankLine.objects.get(amount=300).pk
    books = list(LedgerEntry.objects.filter(voucher__startswith="V-").values_list("pk", flat=True))
    done = client.post(
        url("match_lines", filled.cny.pk), {"bank": [bank], "book": books[:1], "next": path}, follow=True
    )
    assert "apart" in done.content.decode()
    assert Match.objects.live().count() == 1
    done = client.post(url("match_lines", filled.cny.pk), {"bank": [bank], "book": books}, follow=True)
    assert "Matched 300.00 CNY." in done.content.decode()
    assert "Undo my last match (300.00)" in done.content.decode()
    match = Match.objects.live().get(tier="HAND")
    detail = client.get(url("match", match.pk)).content.decode()
    assert "V-2" in detail
    assert "Matched by hand" in detail
    client.post(url("undo_match", match.pk))
    assert OpenBankLine.objects.filter(pk=bank).exists()


def test_foreign_addresses_and_junk_ids_are_ignored(filled: Cast, client: Client) -> None:
    signed_in(client, filled.dave)
    done = client.post(
        url("match_lines", filled.cny.pk), {"bank": ["x", "9" * 30], "next": "https://elsewhere.example/"}
    )
    assert done.status_code == 302
    assert done["Location"] == url("account", filled.cny.pk)


def test_suggestions_come_as_a_page_and_as_a_part(filled: Cast, client: Client) -> None:
    signed_in(client, filled.dave)
    bank = OpenBankLine.objects.get(amount=300).pk
    path = url("account", filled.cny.pk)
    page = client.get(path, {"for": f"bank-{bank}"}).content.decode()
    assert "same sum" in page
    assert 'data-take="1"' in page
    part = client.get(path, {"for": f"bank-{bank}"}, headers={"HX-Target": "suggestions"}).content.decode()
    assert part.strip().startswith('<div id="suggestions"')
    form = re.findall(r'name="(bank|book)" value="(\d+)"', part)
    client.post(
        url("match_lines", filled.cny.pk),
        {side: [v for s, v in form if s == side] for side in ("bank", "book")},
    )
    assert Match.objects.live().filter(tier="HAND", amount=300).exists()
    gone = client.get(path, {"for": f"bank-{bank}"}).content.decode()
    assert "no longer open" in gone
    assert client.get(path, {"for": "bank-x"}).status_code == 200


def test_filters_narrow_both_sides(filled: Cast, client: Client) -> None:
    signed_in(client, filled.dave)
    path = url("account", filled.cny.pk)

    def shown(**query: str) -> tuple[int, int]:
        context = client.get(path, query).context
        return len(context["bank"]), len(context["books"])

    assert shown() == (2, 2)
    assert shown(search="客户") == (1, 0)
    assert shown(search="V-1") == (0, 1)
    assert shown(amount="7") == (1, 0)
    assert shown(way="in") == (1, 2)
    assert shown(way="out", since=str(day(1))) == (0, 0)
    assert shown(amount="seven") == (0, 0)


def test_many_lines_are_paged_on_each_side(cast: Cast, client: Client) -> None:
    statement(cast.cny, [{"amount": n + 1, "on": day(-(n % 7))} for n in range(120)])
    journal(cast.cny, [{"amount": 500 + n} for n in range(60)], by=cast.alice)
    signed_in(client, cast.dave)
    path, seen, query = url("account", cast.cny.pk), set(), {}
    while True:
        context = client.get(path, query).context
        assert len(context["books"]) == 50
        seen |= {line.pk for line in context["bank"]}
        if not context["bank_page"].after:
            break
        query = {"bank_after": context["bank_page"].after}
    assert len(seen) == 120


def test_matches_are_listed_exported_and_undone_many_at_a_time(filled: Cast, client: Client) -> None:
    signed_in(client, filled.dave)
    match = Match.objects.get()
    page = client.get(url("matches"), {"account": filled.cny.pk, "tier": "T1"}).content.decode()
    assert f"#{match.pk}" in page
    assert "our reference, amount" in page
    export = client.get(url("matches"), {"export": "csv"})
    assert b"our reference" in b"".join(export.streaming_content) if export.streaming else export.content
    client.post(url("undo_matches"), {"ids": [match.pk]})
    assert not Match.objects.live().exists()
    assert f"#{match.pk}" not in client.get(url("matches")).content.decode()
    assert f"#{match.pk}" in client.get(url("matches"), {"undone": "yes"}).content.decode()


def test_a_journal_goes_through_upload_look_and_booking(cast: Cast, client: Client) -> None:
    signed_in(client, cast.alice)
    content = "日期,借方金额,贷方金额,对方单位\n2026-11-23,100,,客户\n2026-11-23,,30,供应商\n".encode(
        "gb18030"
    )
    file = SimpleUploadedFile("日记账.csv", content)
    done = client.post(url("import_journal"), {"account": cast.cny.pk, "file": file})
    draft = LedgerImport.objects.get()
    assert done["Location"] == url("journal", draft.pk)
    page = client.get(done["Location"]).content.decode()
    assert "Book 2 lines" in page
    assert "客户" in page
    assert not LedgerEntry.objects.exists()
    signed_in(client, cast.dave)
    assert client.get(url("journal", draft.pk)).status_code == 404
    signed_in(client, cast.alice)
    done = client.post(url("book_journal", draft.pk), follow=True)
    assert "2 lines are booked" in done.content.decode()
    assert LedgerEntry.objects.count() == 2
    assert "Journal booked" in client.get(url("journal", draft.pk)).content.decode()
    again = client.post(
        url("import_journal"), {"account": cast.cny.pk, "file": SimpleUploadedFile("x.csv", content)}
    )
    assert again.status_code == 422
    assert "booked already" in again.content.decode()
    client.post(url("undo_journal", draft.pk))
    assert not LedgerEntry.objects.live().exists()


def test_a_bad_journal_shows_problems_by_cause_and_books_nothing(cast: Cast, client: Client) -> None:
    signed_in(client, cast.alice)
    rows = "\n".join(["Tag,Betrag"] + ["2026-11-23,x"] * 3)
    file = SimpleUploadedFile("j.csv", rows.encode())
    path = client.post(url("import_journal"), {"account": cast.cny.pk, "file": file})["Location"]
    assert "No column holds the date" in client.get(path).content.decode()
    pk = LedgerImport.objects.get().pk
    client.post(url("journal_columns", pk), {"posted_on": "Tag", "amount": "Betrag"})
    page = client.get(path).content.decode()
    assert "amount unreadable" in page
    assert "3 rows" in page
    client.post(url("book_journal", pk))
    assert not LedgerEntry.objects.exists()
    bad = client.post(
        url("import_journal"), {"account": cast.cny.pk, "file": SimpleUploadedFile("j.csv", b"\x00\x01")}
    )
    assert bad.status_code == 422


def test_the_template_is_a_file_for_spreadsheets(cast: Cast, client: Client) -> None:
    answer = signed_in(client, cast.alice).get(url("journal_template"))
    assert answer.content.startswith("\ufeffdate,".encode())


def test_the_opening_is_set_on_its_page(cast: Cast, client: Client) -> None:
    signed_in(client, cast.dave)
    [old, _new] = statement(cast.cny, [{"amount": 5, "on": day(-5)}, {"amount": 6}])
    path = url("opening", cast.cny.pk)
    assert client.get(path).status_code == 200
    assert client.post(path, {"on": "soon", "amount": "1.234,5"}).status_code == 422
    client.post(path, {"on": str(DAY), "amount": "1,005.00", "still_open": [old.pk]})
    assert LedgerOpening.objects.get().amount == 1005
    assert OpenBankLine.objects.count() == 2
    page = client.get(path)
    assert "Dave set 1,005.00" in page.content.decode()
    assert page.context["chosen"] == [old.pk]


def test_the_sheet_on_screen_and_paper_and_the_close(filled: Cast, client: Client) -> None:
    signed_in(client, filled.dave)
    path = url("sheet", filled.cny.pk)
    page = client.get(path).content.decode()
    assert "Close 2026-11-23" in page
    assert page.count("1,543.00") == 2
    paper = client.get(url("sheet_pdf", filled.cny.pk), {"on": str(DAY)})
    text = "".join(p.extract_text() for p in PdfReader(io.BytesIO(paper.content)).pages)
    assert "1,543.00" in text
    assert "Acme 客户" in text
    assert "draft" in text
    done = client.post(url("close_day", filled.cny.pk), {"on": str(DAY)}, follow=True)
    assert "is closed to 2026-11-23" in done.content.decode()
    assert "as it was signed off" in done.content.decode()
    assert Close.objects.get().closed_by == filled.dave
    assert "2026-11-23" in client.get(url("closes")).content.decode()
    again = client.post(url("close_day", filled.cny.pk), {"on": str(DAY)}, follow=True)
    assert "closed to 2026-11-23 already" in again.content.decode()


def test_a_sheet_that_cannot_be_drawn_says_why(cast: Cast, client: Client) -> None:
    signed_in(client, cast.dave)
    page = client.get(url("sheet", cast.cny.pk)).content.decode()
    assert "no opening balance yet" in page
    assert client.get(url("sheet", cast.cny.pk), {"on": "nonsense"}).status_code == 200
    assert client.get(url("sheet_pdf", cast.cny.pk)).status_code == 302
    assert client.post(url("close_day", cast.cny.pk), {"on": "x"}).status_code == 302


def test_the_home_page_tells_who_may_match_what_waits(filled: Cast, client: Client) -> None:
    page = signed_in(client, filled.dave).get(reverse("home")).content.decode()
    assert "2 at the bank, 2 in the books" in page
    page = signed_in(client, filled.bob).get(reverse("home")).content.decode()
    assert "at the bank, 2 in the books" not in page
    assert timezone.now() > NOW - timedelta(days=3650)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_page_opens_in_both_languages(filled: Cast, client: Client, language: str) -> None:
    signed_in(client, filled.dave)
    client.cookies["django_language"] = language
    pk, match, imported = filled.cny.pk, Match.objects.get().pk, LedgerImport.objects.get().pk
    paths = [url(n) for n in ("overview", "matches", "journals", "closes", "import_journal")]
    paths += [url(n, pk) for n in ("account", "sheet", "sheet_pdf", "opening")]
    paths += [url("match", match), url("journal", imported)]
    assert {path: client.get(path).status_code for path in paths} == dict.fromkeys(paths, 200)
