"""The pages of the banks floor: what they show, to whom, and what their buttons do."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from banks.messages import EntryStatus
from banks.models import Connection, Entry, Exchange, InboundFile, QuarantinedLine, Statement
from banks.rules import shown
from banks.services import connections, importing
from banks.states import ConnectionState
from tests.banks.papers import camt, line, paper
from tests.banks.test_connections import KEY, VALUES, active, draft
from tests.make import Cast, account
from treasury.models import User

pytestmark = pytest.mark.django_db


def as_(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def html(client: Client, url: str, status: int = 200) -> str:
    response = client.get(url)
    assert response.status_code == status, response.content.decode()[:500]
    return response.content.decode()


def exported(client: Client, name: str) -> str:
    response = client.get(reverse(f"banks:{name}") + "?export=csv")
    return b"".join(response).decode()  # type: ignore[arg-type]


@pytest.fixture
def statement(cast: Cast, now: datetime) -> Statement:
    lines = [line("250.50", bank_reference="B1"), line("-9", text="Fee of the bank", name="")]
    file = importing.receive_file(name="day.xml", content=camt(paper(cast.cny, lines)), by=cast.alice, at=now)
    return importing.import_file(file=file, at=now).statements[0]


def test_lists_show_what_one_may_see_and_nothing_else(cast: Cast, statement: Statement) -> None:
    alice, mallory = as_(cast.alice), as_(cast.mallory)
    for name, text in (
        ("statements", "1,241.50"),
        ("entries", "Fee of the bank"),
        ("files", "day.xml"),
    ):
        assert text in html(alice, reverse(f"banks:{name}"))
        assert text not in html(mallory, reverse(f"banks:{name}"))
        assert text not in exported(mallory, name)
    assert "Fee of the bank" in exported(alice, "entries")


def test_what_was_not_granted_is_not_found(cast: Cast, now: datetime, statement: Statement) -> None:
    connection = active(cast, now)
    mallory = as_(cast.mallory)
    for url in (
        reverse("banks:statement", args=[statement.pk]),
        reverse("banks:file", args=[statement.file_id]),
        reverse("banks:download", args=[statement.file_id]),
        reverse("banks:connection", args=[connection.pk]),
    ):
        assert as_(cast.erin if "content" not in url else cast.alice).get(url).status_code == 200
        html(mallory, url, 404)
    assert mallory.post(reverse("banks:retry", args=[statement.file_id])).status_code == 404
    assert "Direct line" not in html(mallory, reverse("banks:connections"))


def test_pages_need_a_sign_in(cast: Cast) -> None:
    assert Client().get(reverse("banks:statements")).status_code == 302


def test_a_statement_page_shows_its_sum(cast: Cast, statement: Statement) -> None:
    page = html(as_(cast.dave), reverse("banks:statement", args=[statement.pk]))
    for text in ("1,000.00", "+241.50", "1,241.50", "adds up", "Beihai Steel", "day.xml"):
        assert text in page


def test_bank_lines_are_filtered_and_summed(cast: Cast, now: datetime, statement: Statement) -> None:
    alice = as_(cast.alice)
    page = html(alice, reverse("banks:entries") + "?search=fee")
    assert "Fee of the bank" in page
    assert "Beihai" not in page
    assert "Fee of the bank" not in html(alice, reverse("banks:entries") + "?least=1")
    pending = [line("5", status=EntryStatus.PENDING, text="On its way here")]
    file = importing.receive_file(
        name="i.xml", content=camt(paper(cast.cny, pending, intraday=True)), by=None, at=now
    )
    importing.import_file(file=file, at=now)
    assert "On its way here" not in html(alice, reverse("banks:entries"))
    assert "On its way here" in html(alice, reverse("banks:entries") + "?status=pending")


def upload(client: Client, *files: tuple[str, bytes], **data: Any) -> Any:
    sent = [SimpleUploadedFile(name, content) for name, content in files]
    return client.post(reverse("banks:upload"), {"chosen": sent, **data}, follow=True)


def test_upload_gives_a_result_for_each_file(cast: Cast) -> None:
    good = camt(paper(cast.cny, [line("1")]))
    unknown = camt(paper("4711", [line("1")]))
    page = upload(
        as_(cast.alice),
        ("good.xml", good),
        ("other.xml", unknown),
        ("note.txt", b"hello there"),
        ("void", b""),
    ).content.decode()
    for text in ("good.xml", "other.xml", "Account 4711", "Create the account", "note.txt", "void is empty"):
        assert text in page, text
    assert Entry.objects.count() == 1
    assert InboundFile.objects.count() == 3


def test_the_same_upload_again_says_so(cast: Cast) -> None:
    content = camt(paper(cast.cny, [line("1")]))
    upload(as_(cast.alice), ("a.xml", content))
    page = upload(as_(cast.dave), ("b.xml", content)).content.decode()
    assert "delivered before" in page
    assert Entry.objects.count() == 1


def test_bytes_that_somebody_else_handed_in_before_are_explained_too(cast: Cast) -> None:
    content = camt(paper("4711", [line("1")]))
    upload(as_(cast.mallory), ("first.xml", content))
    page = upload(as_(cast.alice), ("again.xml", content)).content.decode()
    assert "Account 4711" in page
    ids = InboundFile.objects.get().pk
    assert "Account 4711" not in html(as_(cast.dave), f"{reverse('banks:uploaded')}?files={ids}")


def test_a_large_upload_is_read_by_a_job_and_followed(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    from banks import tasks
    from banks.views import files

    monkeypatch.setattr(files, "AT_ONCE", 10)
    response = upload(as_(cast.alice), ("a.xml", camt(paper(cast.cny, [line("1")]))))
    assert 'hx-trigger="every 1s"' in response.content.decode()
    tasks.import_stored_file(InboundFile.objects.get().pk)
    url = response.redirect_chain[-1][0]
    part = as_(cast.alice).get(url, headers={"HX-Request": "true"}).content.decode()
    assert "hx-trigger" not in part
    assert "<html" not in part
    assert "adds up" in part


def test_upload_takes_the_role(cast: Cast) -> None:
    assert upload(as_(cast.bob), ("a.xml", b"x")).status_code == 403
    assert not InboundFile.objects.exists()


def test_a_file_is_read_again_after_its_account_was_created(cast: Cast, now: datetime) -> None:
    alice = as_(cast.alice)
    upload(alice, ("other.xml", camt(paper("4711", [line("1")]))))
    file = InboundFile.objects.get()
    page = html(alice, reverse("banks:file", args=[file.pk]))
    assert "Account 4711" in page
    assert "Read it again" in page
    account(cast.company, "4711")
    alice.post(reverse("banks:retry", args=[file.pk]))
    file.refresh_from_db()
    assert file.state == "READ"
    assert "Read it again" not in html(alice, reverse("banks:file", args=[file.pk]))


def test_quarantined_lines_are_shown_and_noted(cast: Cast) -> None:
    content = camt(paper(cast.cny, [line("1"), line("22.22")])).replace(b">22.22<", b">twenty<")
    upload(as_(cast.alice), ("odd.xml", content))
    held = QuarantinedLine.objects.get()
    url = reverse("banks:file", args=[held.file_id])
    assert "twenty" in html(as_(cast.dave), url)
    as_(cast.dave).post(reverse("banks:resolve", args=[held.file_id, held.pk]))
    held.refresh_from_db()
    assert held.resolved_by == cast.dave


def test_a_file_comes_back_byte_for_byte(cast: Cast, statement: Statement) -> None:
    response = as_(cast.dave).get(reverse("banks:download", args=[statement.file_id]))
    assert b"".join(response) == camt(  # type: ignore[arg-type]
        paper(cast.cny, [line("250.50", bank_reference="B1"), line("-9", text="Fee of the bank", name="")])
    )


def test_bytes_that_tell_of_a_hidden_account_are_not_shown(cast: Cast, now: datetime) -> None:
    from guardian.shortcuts import assign_perm

    both = camt(paper(cast.cny, [line("1")]), paper(cast.usd, [line("7", currency="USD")], currency="USD"))
    file = importing.receive_file(name="both.xml", content=both, by=cast.alice, at=now)
    importing.import_file(file=file, at=now)
    assign_perm("treasury.view_account", cast.mallory, cast.cny)
    mallory = as_(cast.mallory)
    page = html(mallory, reverse("banks:file", args=[file.pk]))
    assert "0001 CNY" in page
    assert "0002 USD" not in page
    html(mallory, reverse("banks:download", args=[file.pk]), 404)


def test_a_connection_is_set_up_by_two_administrators_on_screen(cast: Cast) -> None:
    erin, eve = as_(cast.erin), as_(cast.eve)
    assert 'name="connector"' in html(erin, reverse("banks:connection_new"))
    url = reverse("banks:connection_new") + f"?bank={cast.cny.bank_id}&connector=simulated"
    page = html(erin, url)
    assert "Signing key" in page
    data = {"name": "Line", "setting_base_url": "ftp://x", "setting_key": KEY, "accounts": [cast.cny.pk]}
    data |= {"setting_timeout_seconds": "3", "setting_batch_limit": "10"}
    data |= {"setting_no_record_window_seconds": "60", "setting_clock_margin_seconds": "5"}
    refused = erin.post(url, data)
    assert refused.status_code == 422
    assert "base_url must look like" in refused.content.decode()
    assert KEY not in refused.content.decode()
    response = erin.post(url, data | {"setting_base_url": "http://127.0.0.1:9"}, follow=True)
    assert response.status_code == 200
    connection = Connection.objects.get()
    assert connection.config["batch_limit"] == 10
    page_url = reverse("banks:connection", args=[connection.pk])
    assert "another administrator has to agree" in html(erin, page_url)
    erin.post(reverse("banks:connection_agree", args=[connection.pk]))
    connection.refresh_from_db()
    assert connection.state == ConnectionState.DRAFT
    page = html(eve, page_url)
    assert KEY not in page
    assert "http://127.0.0.1:9" in page
    eve.post(reverse("banks:connection_agree", args=[connection.pk]))
    connection.refresh_from_db()
    assert connection.state == ConnectionState.ACTIVE


def test_changing_keeps_secrets_that_are_left_empty(cast: Cast, now: datetime) -> None:
    connection = active(cast, now)
    erin = as_(cast.erin)
    url = reverse("banks:connection_change", args=[connection.pk])
    page = html(erin, url)
    assert KEY not in page
    data = {"name": "Renamed", "setting_base_url": "http://127.0.0.1:10", "setting_key": ""}
    data |= {"setting_timeout_seconds": "3", "setting_batch_limit": "10"}
    data |= {"setting_no_record_window_seconds": "60", "setting_clock_margin_seconds": "5"}
    assert erin.post(url, data).status_code == 302
    as_(cast.eve).post(reverse("banks:connection_agree", args=[connection.pk]))
    connection.refresh_from_db()
    assert connection.name == "Renamed"
    from treasury.secrets import unseal

    assert unseal(connection.secrets) == {"key": KEY}


def test_a_failing_connection_says_what_is_wrong_and_what_comes_next(cast: Cast, now: datetime) -> None:
    connection = active(cast, now)
    erin = as_(cast.erin)
    page = erin.post(reverse("banks:connection_test", args=[connection.pk]), follow=True).content.decode()
    assert "Check that the bank is running" in page
    page = html(as_(cast.carol), reverse("banks:connection", args=[connection.pk]))
    for text in ("The last talk failed", "Check that the bank is running", "Take payments"):
        assert text in page
    assert VALUES["base_url"] + "</dd>" not in page
    page = html(as_(cast.carol), reverse("banks:connections"))
    assert "Check that the bank is running" in page


def test_only_administrators_touch_a_connection(cast: Cast, now: datetime) -> None:
    connection = active(cast, now)
    bob = as_(cast.bob)
    for act in ("pause", "resume", "test", "refresh", "agree", "refuse"):
        assert bob.post(reverse(f"banks:connection_{act}", args=[connection.pk])).status_code == 403
    assert bob.get(reverse("banks:connection_new")).status_code == 403
    assert bob.get(reverse("banks:connection_change", args=[connection.pk])).status_code == 403
    as_(cast.erin).post(reverse("banks:connection_pause", args=[connection.pk]), {"reason": "Key leaked"})
    connection.refresh_from_db()
    assert connection.state == ConnectionState.PAUSED


def test_the_bank_log_is_for_those_who_look_after_it_and_hides_secrets(cast: Cast, now: datetime) -> None:
    connection = active(cast, now)
    talk = Exchange.objects.create(
        connection=connection,
        purpose="balances",
        request=f"GET /balances\nX-Key: {KEY}\nAuthorization: Bearer abc\n\n".encode(),
        response=b'{"password": "hush", "ledger": "10.00"}',
        outcome="ANSWERED",
        started_at=now,
    )
    url = reverse("banks:exchange", args=[talk.pk])
    page = html(as_(cast.erin), url)
    assert "10.00" in page
    for secret in (KEY, "hush", "Bearer abc"):
        assert secret not in page
    assert "balances" in html(as_(cast.erin), reverse("banks:exchanges"))
    html(as_(cast.alice), url, 403)
    html(as_(cast.mallory), reverse("banks:exchanges"), 403)


def test_masking_leaves_the_rest_alone() -> None:
    raw = b'POST / HTTP/1.1\r\nX-Signature: 8f3\r\n\r\n<Pin a="1">1234</Pin><Amt>5</Amt>'
    assert shown(raw, []) == 'POST / HTTP/1.1\r\nX-Signature: ••••\r\n\r\n<Pin a="1">••••</Pin><Amt>5</Amt>'


def test_a_draft_is_seen_by_administrators_only(cast: Cast, now: datetime) -> None:
    draft(cast, now)
    assert "Direct line" in html(as_(cast.eve), reverse("banks:connections"))
    assert "Direct line" not in html(as_(cast.carol), reverse("banks:connections"))
    assert connections.proposal_of(Connection.objects.get()) is not None


def test_lists_cost_the_same_few_queries_however_long(
    cast: Cast, now: datetime, django_assert_max_num_queries: Any
) -> None:
    lines = [line(str(Decimal(n + 1))) for n in range(60)]
    file = importing.receive_file(name="l.xml", content=camt(paper(cast.cny, lines)), by=None, at=now)
    importing.import_file(file=file, at=now)
    alice = as_(cast.alice)
    for name in ("entries", "statements", "files"):
        with django_assert_max_num_queries(25):
            html(alice, reverse(f"banks:{name}"))


def test_the_admin_shows_and_changes_nothing(cast: Cast, now: datetime, statement: Statement) -> None:
    connection = active(cast, now)
    erin = as_(cast.erin)
    for name in ("connection", "exchange", "statement", "entry", "inboundfile", "quarantinedline"):
        assert html(erin, reverse(f"admin:banks_{name}_changelist"))
        assert erin.get(reverse(f"admin:banks_{name}_add")).status_code == 403
    url = reverse("admin:banks_connection_change", args=[connection.pk])
    assert KEY not in html(erin, url)
    erin.post(url, {"name": "Taken over"})
    connection.refresh_from_db()
    assert connection.name == "Direct line"
