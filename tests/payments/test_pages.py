"""The payment screens by HTTP: who sees what, what a post does, what a refusal looks like."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from io import BytesIO

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from payments.models import Beneficiary, Payment
from payments.services import batches, beneficiaries, preparing
from payments.services.checking import Wish
from tests import make
from tests.make import Cast
from treasury.models import Balance, ProposedChange, User
from treasury.services import changes


@pytest.fixture(autouse=True)
def the_hour(now: datetime) -> object:
    with time_machine.travel(now, tick=True):
        yield


def by(person: User) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def said(response: object) -> str:
    return response.content.decode()


def entry_data(cast: Cast, payee: Beneficiary, **more: str) -> dict[str, str]:
    return {
        "account": str(cast.cny.pk),
        "payee": f"b-{payee.pk}",
        "amount": "107,000.53",
        "execute_on": "2026-11-24",
        "purpose": "货款",
        **more,
    }


def test_a_clerk_enters_and_submits_and_a_manager_approves(cast: Cast) -> None:
    make.rule_set(cast)
    payee = make.beneficiary(cast)
    page = by(cast.alice).post(reverse("payments:new"), entry_data(cast, payee, then="submit"), follow=True)
    assert page.status_code == 200
    payment = Payment.objects.get()
    assert (payment.state, payment.amount) == ("SUBMITTED", Decimal("107000.53"))
    queue = said(by(cast.bob).get(reverse("payments:approvals")))
    assert payment.reference in queue
    assert "First payment to this account" in queue
    assert f"{payment.pk}:{payment.digest}" in queue
    done = by(cast.bob).post(reverse("payments:decide"), {"ids": [f"{payment.pk}:{payment.digest}"]})
    assert "Your approval is signed" in said(done)
    payment.refresh_from_db()
    assert payment.state == "APPROVED"
    assert "signature" in said(by(cast.alice).get(reverse("payments:payment", args=[payment.pk])))


def test_every_page_opens_for_those_who_may(cast: Cast) -> None:
    payment = make.submitted_payment(cast)
    payee = payment.beneficiary
    for name, args in (
        ("payments", []),
        ("new", []),
        ("payees", []),
        ("hints", []),
        ("payment", [payment.pk]),
        ("edit", [payment.pk]),
        ("voucher", [payment.pk]),
        ("approvals", []),
        ("batches", []),
        ("import", []),
        ("import_template", []),
        ("beneficiaries", []),
        ("new_beneficiary", []),
        ("beneficiary", [payee.pk]),
        ("change_beneficiary", [payee.pk]),
        ("rules", []),
    ):
        assert by(cast.alice).get(reverse(f"payments:{name}", args=args)).status_code == 200, name
    assert by(cast.erin).get(reverse("payments:propose_rules", args=[cast.company.pk])).status_code == 200
    for kind in ("csv", "xlsx"):
        file = by(cast.alice).get(reverse("payments:payments"), {"export": kind})
        assert payment.reference in str(b"".join(file.streaming_content)) or kind == "xlsx"
    home = said(by(cast.bob).get("/"))
    assert "Payments wait for your approval" in home


def test_what_mallory_may_not_see_is_not_there(cast: Cast) -> None:
    payment = make.submitted_payment(cast)
    client = by(cast.mallory)
    for name, args in (
        ("payment", [payment.pk]),
        ("edit", [payment.pk]),
        ("voucher", [payment.pk]),
        ("beneficiary", [payment.beneficiary_id]),
        ("change_beneficiary", [payment.beneficiary_id]),
    ):
        assert client.get(reverse(f"payments:{name}", args=args)).status_code == 404, name
    for what in ("submit", "withdraw", "cancel", "approve", "send-back", "reject", "ask", "refresh"):
        address = reverse("payments:act", args=[payment.pk, what])
        assert client.post(address, {"digest": payment.digest, "reason": "x"}).status_code == 404, what
    assert payment.reference not in said(client.get(reverse("payments:payments")))
    payment.refresh_from_db()
    assert payment.state == "SUBMITTED"


@pytest.mark.parametrize("what", ["approve", "send-back", "reject"])
def test_a_clerk_cannot_decide(cast: Cast, what: str) -> None:
    payment = make.submitted_payment(cast)
    address = reverse("payments:act", args=[payment.pk, what])
    response = by(cast.alice).post(address, {"digest": payment.digest, "reason": "x"})
    assert response.status_code == 403
    response = by(cast.alice).post(reverse("payments:decide"), {"ids": [f"{payment.pk}:{payment.digest}"]})
    assert response.status_code == 403
    payment.refresh_from_db()
    assert payment.state == "SUBMITTED"


def test_a_manager_cannot_enter_import_or_set_rules(cast: Cast) -> None:
    for name, args in (
        ("new", []),
        ("import", []),
        ("new_beneficiary", []),
        ("propose_rules", [cast.company.pk]),
    ):
        assert by(cast.bob).get(reverse(f"payments:{name}", args=args)).status_code == 403, name


def test_acts_take_a_post_and_people_sign_in_first(cast: Cast) -> None:
    payment = make.submitted_payment(cast)
    assert by(cast.bob).get(reverse("payments:act", args=[payment.pk, "approve"])).status_code == 405
    assert Client().get(reverse("payments:payments")).status_code == 302


def test_the_queue_refuses_what_changed_since_it_was_shown(cast: Cast, now: datetime) -> None:
    payment = make.submitted_payment(cast)
    shown = payment.digest
    preparing.edit_payment(payment=payment, by=cast.alice, at=now, amount=Decimal("5.00"))
    preparing.submit_payment(payment=payment, by=cast.alice, at=now)
    page = said(by(cast.bob).post(reverse("payments:decide"), {"ids": [f"{payment.pk}:{shown}"]}))
    assert "changed since you opened it" in page
    payment.refresh_from_db()
    assert payment.state == "SUBMITTED"


def test_red_flags_are_left_out_of_bulk_approval(cast: Cast, now: datetime) -> None:
    first = make.submitted_payment(cast, "10.00")
    twin = make.submitted_payment(cast, "10.00")
    ids = [f"{p.pk}:{p.digest}" for p in (first, twin)]
    page = said(by(cast.bob).post(reverse("payments:decide"), {"ids": ids}))
    assert page.count("red flag") == 2
    address = reverse("payments:act", args=[twin.pk, "approve"])
    by(cast.bob).post(address, {"digest": twin.digest})
    twin.refresh_from_db()
    assert twin.state == "APPROVED"


def test_a_faulty_entry_comes_back_with_its_faults(cast: Cast) -> None:
    payee = make.beneficiary(cast)
    page = by(cast.alice).post(
        reverse("payments:new"), entry_data(cast, payee, execute_on="2026-11-22", amount="1.234")
    )
    assert page.status_code == 422
    assert "in the past" in said(page)
    assert "decimals" in said(page)
    assert not Payment.objects.exists()
    garbage = by(cast.alice).post(reverse("payments:new"), {"payee": "b-'; DROP", "amount": "x"})
    assert garbage.status_code == 422


def test_the_hints_speak_while_one_types(cast: Cast, now: datetime) -> None:
    payee = make.beneficiary(cast)
    twin = make.payment(cast, "107000.53", to=payee)
    Balance.objects.create(
        account=cast.cny,
        as_of=now,
        ledger=Decimal(100),
        available=Decimal(100),
        source="BANK",
        received_at=now,
    )
    page = said(by(cast.alice).get(reverse("payments:hints"), entry_data(cast, payee)))
    assert "壹拾万柒仟元零伍角叁分" in page
    assert twin.reference in page
    assert "does not cover it" in page


def test_an_edit_of_an_approved_payment_makes_it_a_draft(cast: Cast) -> None:
    payment = make.approved_payment(cast)
    address = reverse("payments:edit", args=[payment.pk])
    assert "every approval given so far becomes void" in said(by(cast.alice).get(address))
    data = entry_data(cast, payment.beneficiary, version="1", then="draft")
    by(cast.alice).post(address, data)
    payment.refresh_from_db()
    assert (payment.state, payment.amount) == ("DRAFT", Decimal("107000.53"))
    stale = by(cast.alice).post(address, data)
    assert "changed since you opened it" in said(stale)


def test_an_import_from_upload_to_undo(cast: Cast) -> None:
    make.beneficiary(cast)
    content = "收款人,收款账号,金额,执行日期\n北京供应商有限公司,6217000000000099,12.50,2026-11-24\n".encode(
        "gbk"
    )

    def send() -> object:
        file = SimpleUploadedFile("pay.csv", content)
        return by(cast.alice).post(
            reverse("payments:import"), {"account": cast.cny.pk, "file": file}, follow=True
        )

    page = said(send())
    assert "Step 2 of 3" in page
    assert "Enter 1 payment as draft" in page
    preview = by(cast.alice)
    file_pk = (
        cast.company.pk
        and __import__("payments.models", fromlist=["ImportedFile"]).ImportedFile.objects.get().pk
    )
    batch = said(preview.post(reverse("payments:import_commit", args=[file_pk]), follow=True))
    assert "became a batch of drafts" in batch
    assert "imported on" in said(send())
    payment = Payment.objects.get()
    undone = preview.post(reverse("payments:undo_batch", args=[payment.batch_id]), follow=True)
    assert "1 drafts were cancelled" in said(undone)
    assert "Step 2 of 3" in said(send())


def test_a_bad_file_shows_its_faults_and_offers_no_commit(cast: Cast) -> None:
    file = SimpleUploadedFile("pay.csv", "收款人,收款账号,金额,执行日期\n谁,1,x,y\n".encode())
    page = said(
        by(cast.alice).post(reverse("payments:import"), {"account": cast.cny.pk, "file": file}, follow=True)
    )
    assert "have it confirmed first" in page
    assert "as draft" not in page
    foreign = SimpleUploadedFile("pay.csv", b"%PDF-1.7\x00")
    refused = by(cast.alice).post(reverse("payments:import"), {"account": cast.cny.pk, "file": foreign})
    assert refused.status_code == 422


def test_a_batch_is_submitted_from_its_page(cast: Cast, now: datetime) -> None:
    make.rule_set(cast)
    wish = Wish(
        account=cast.cny,
        beneficiary=make.beneficiary(cast),
        amount=Decimal("9.00"),
        currency="CNY",
        execute_on=now.date(),
    )
    batch = batches.create_batch(
        account=cast.cny, name="Tuesday", source="API", by=cast.alice, at=now, wishes=[wish]
    )
    page = by(cast.alice).post(reverse("payments:submit_batch", args=[batch.pk]), follow=True)
    assert "1 submitted" in said(page)
    assert Payment.objects.get().state == "SUBMITTED"
    assert by(cast.mallory).get(reverse("payments:batch", args=[batch.pk])).status_code == 404


def test_beneficiaries_are_proposed_changed_and_blocked_by_page(cast: Cast, now: datetime) -> None:
    data = {
        "company": str(cast.company.pk),
        "name": "上海物流有限公司",
        "account_number": "6222 0000 0001",
        "currency": "CNY",
        "country": "CN",
        "bank_code": "102100099996",
    }
    page = by(cast.alice).post(reverse("payments:new_beneficiary"), data, follow=True)
    assert "waits for a second person" in said(page)
    row = Beneficiary.objects.get()
    assert row.state == "PENDING"
    wrong = by(cast.alice).post(reverse("payments:new_beneficiary"), {**data, "bank_code": "102100099997"})
    assert wrong.status_code == 422
    assert "check digit" in said(wrong)
    changes.confirm(change=ProposedChange.objects.get(), by=cast.bob, at=now)
    by(cast.alice).post(
        reverse("payments:change_beneficiary", args=[row.pk]), {**data, "account_number": "622233334444"}
    )
    shown = said(by(cast.bob).get(reverse("payments:beneficiary", args=[row.pk])))
    assert "622233334444" in shown
    blocked = by(cast.bob).post(
        reverse("payments:block_beneficiary", args=[row.pk]), {"reason": "Call-back failed"}, follow=True
    )
    assert "is blocked" in said(blocked)


def test_rules_are_proposed_by_page_and_gaps_are_told(cast: Cast, now: datetime) -> None:
    def bands(*rows: tuple[str, str, str, str]) -> dict[str, str]:
        data = {"bands-TOTAL_FORMS": str(len(rows)), "bands-INITIAL_FORMS": "0", "reason": "Start"}
        for n, (low, high, role, people) in enumerate(rows):
            data |= {
                f"bands-{n}-amount_from": low,
                f"bands-{n}-amount_to": high,
                f"bands-{n}-role_1": role,
                f"bands-{n}-people_1": people,
            }
        return data

    address = reverse("payments:propose_rules", args=[cast.company.pk])
    gap = by(cast.erin).post(address, bands(("0", "1,000", "manager", "1"), ("2,000", "", "manager", "2")))
    assert gap.status_code == 422
    assert "1,000 to 2,000 are in no band" in said(gap)
    good = by(cast.erin).post(
        address, bands(("0", "1,000", "manager", "1"), ("1,000", "", "manager", "2")), follow=True
    )
    assert "second administrator" in said(good)
    changes.confirm(change=ProposedChange.objects.get(), by=cast.eve, at=now)
    page = said(by(cast.alice).get(reverse("payments:rules")))
    assert "2 × manager" in page
    change_form = said(by(cast.erin).get(f"{address}?account=&kind="))
    assert 'value="1000"' in change_form


def test_the_voucher_says_everything_in_embedded_chinese(cast: Cast) -> None:
    payment = make.approved_payment(cast, "1680.32", purpose="货款")
    response = by(cast.alice).get(reverse("payments:voucher", args=[payment.pk]))
    assert response["Content-Type"] == "application/pdf"
    reader = PdfReader(BytesIO(response.content))
    text = "".join(page.extract_text() for page in reader.pages).replace("\n", "")
    for part in (
        payment.reference,
        "壹仟陆佰捌拾元零叁角贰分",
        "¥1,680.32",
        "北京供应商有限公司",
        "货款",
        "Alice",
        "Bob",
        "not a bank receipt",
    ):
        assert part in text
    assert len(reader.pages) == 1
    box = reader.pages[0].mediabox
    assert box.width > box.height


def test_the_admin_only_shows_payments(cast: Cast) -> None:
    payment = make.approved_payment(cast)
    cast.erin.is_superuser = True
    cast.erin.save()
    client = by(cast.erin)
    assert client.get("/admin/payments/payment/").status_code == 200
    page = client.get(f"/admin/payments/payment/{payment.pk}/change/")
    assert page.status_code == 200
    assert b'name="amount"' not in page.content
    assert client.post(f"/admin/payments/payment/{payment.pk}/change/", {"amount": "1"}).status_code == 403
    assert client.post(f"/admin/payments/payment/{payment.pk}/delete/").status_code == 403
    assert client.get("/admin/payments/payment/add/").status_code == 403


def test_a_change_of_the_payee_is_flagged_to_the_approver(cast: Cast, now: datetime) -> None:
    payment = make.submitted_payment(cast)
    beneficiaries.propose_change(
        beneficiary=payment.beneficiary, by=cast.alice, at=now, account_number="622255551111"
    )
    queue = said(by(cast.bob).get(reverse("payments:approvals")))
    assert "waits for a second person" in queue
    assert "disabled" in queue


def test_the_queue_takes_few_questions_however_long_it_is(
    cast: Cast, now: datetime, django_assert_max_num_queries: object
) -> None:
    make.rule_set(cast)
    payee = make.beneficiary(cast)
    second = make.account(cast.company, "6225000000000042")
    for n in range(30):
        make.submitted_payment(cast, f"{n + 1}.00", to=payee)
    make.submitted_payment(cast, "77.00", own_account=second)
    client = by(cast.bob)
    client.get(reverse("payments:approvals"))
    with django_assert_max_num_queries(32):
        page = said(client.get(reverse("payments:approvals")))
    assert page.count('name="ids"') == 31
