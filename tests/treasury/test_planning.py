"""Recurring items and cash plans: who may, what is refused, all or nothing, undo."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests import make
from tests.make import Cast
from treasury.models import AuditEvent, PlanImport, PlannedFlow, RecurringFlow
from treasury.services import planning
from treasury.services.access import AccessDeniedError
from treasury.services.planning import PlanRefusedError
from treasury.tables import TableError

PLAN = (
    "日期,金额,币种,账号,类别,摘要\n2026-12-01,-5000,CNY,,工资,十二月\n"
    "2026-12-05,1200.50,,6225000000000002,Sales,\n"
)


def received(cast: Cast, now: datetime, text: str = PLAN) -> PlanImport:
    return planning.receive_plan(
        company=cast.company, name="plan.csv", content=text.encode(), by=cast.carol, at=now
    )


def test_a_plan_is_previewed_then_put_in_force_whole(cast: Cast, now: datetime) -> None:
    plan = received(cast, now)
    preview = planning.preview_plan(plan=plan, at=now)
    assert not preview.problems
    assert preview.totals == {"CNY": (0, -5000), "USD": (Decimal("1200.50"), 0)}
    assert not PlannedFlow.objects.exists()
    planning.commit_plan(plan=plan, by=cast.carol, at=now)
    assert list(plan.rows.values_list("amount", "currency", "account")) == [
        (-5000, "CNY", None),
        (Decimal("1200.50"), "USD", cast.usd.pk),
    ]


def test_a_plan_file_is_in_force_once_and_again_after_undo(cast: Cast, now: datetime) -> None:
    plan = planning.commit_plan(plan=received(cast, now), by=cast.carol, at=now)
    with pytest.raises(PlanRefusedError, match="already in force"):
        received(cast, now)
    planning.undo_plan(plan=plan, by=cast.carol, at=now)
    assert not PlannedFlow.objects.exists()
    planning.commit_plan(plan=received(cast, now), by=cast.carol, at=now)
    assert PlannedFlow.objects.count() == 2
    with pytest.raises(PlanRefusedError, match="already undone"):
        planning.undo_plan(plan=plan, by=cast.carol, at=now)


def test_two_previews_of_one_file_cannot_both_be_put_in_force(cast: Cast, now: datetime) -> None:
    first = received(cast, now)
    second = PlanImport.objects.create(
        company=cast.company, name="p", sha256=first.sha256, content=first.content,
        made_by=cast.bob, made_at=now,
    )  # fmt: skip
    planning.commit_plan(plan=first, by=cast.carol, at=now)
    with pytest.raises(PlanRefusedError, match="already in force"):
        planning.commit_plan(plan=second, by=cast.carol, at=now)
    assert PlannedFlow.objects.count() == 2


def test_every_wrong_row_is_explained_and_none_is_planned(cast: Cast, now: datetime) -> None:
    closed = make.account(cast.company, "777", "CNY", status="CLOSED")
    rows = [
        "2026-11-23,-1,CNY,,Rent,",
        "01/12/2026,-1,CNY,,Rent,",
        "2026-12-01,0,CNY,,Rent,",
        "2026-12-01,1.005,CNY,,Rent,",
        '2026-12-01,"1.234,50",CNY,,Rent,',
        "2026-12-01,-1,CNX,,Rent,",
        "2026-12-01,-1,CNY,123,Rent,",
        "2026-12-01,-1,CNY,6225000000000002,Rent,",
        f"2026-12-01,-1,CNY,{closed.number},Rent,",
        "2026-12-01,-1,CNY,,,",
        f"2026-12-01,-1,CNY,,{'x' * 61},",
    ]
    plan = received(cast, now, PLAN + "\n".join(rows))
    preview = planning.preview_plan(plan=plan, at=now)
    assert [problem.row for problem in preview.problems] == list(range(4, 15))
    assert preview.by_cause[0][0] == "amount"
    with pytest.raises(PlanRefusedError, match="11 wrong rows"):
        planning.commit_plan(plan=plan, by=cast.carol, at=now)
    assert not PlannedFlow.objects.exists()


def test_money_in_and_out_may_stand_in_two_columns(cast: Cast, now: datetime) -> None:
    text = "date;in;out;currency;category\n"
    text += "2026-12-01;100;;CNY;Sales\n2026-12-01;;40;CNY;Rent\n2026-12-01;1;1;CNY;X\n"
    preview = planning.preview_plan(plan=received(cast, now, text), at=now)
    assert [row.amount for row in preview.rows] == [100, -40]
    assert [problem.row for problem in preview.problems] == [4]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("date,category,currency\n2026-12-01,Rent,CNY\n", "no column amount"),
        ("date,category,amount\n2026-12-01,Rent,1\n", "neither a currency nor an account"),
        ("amount,currency,category\n", "no column date"),
        ("date,amount,currency,category\n", "no rows"),
    ],
)
def test_a_file_that_is_no_plan_is_refused_at_once(cast: Cast, now: datetime, text: str, says: str) -> None:
    with pytest.raises(TableError, match=says):
        received(cast, now, text)
    assert not PlanImport.objects.exists()


def test_planning_takes_the_permission_and_the_whole_company(cast: Cast, now: datetime) -> None:
    other = make.company("OTHER", "Other")
    for company, person in ((cast.company, cast.alice), (other, cast.carol)):
        with pytest.raises(AccessDeniedError):
            planning.receive_plan(company=company, name="p.csv", content=PLAN.encode(), by=person, at=now)


def test_recurring_items_leave_their_trace(cast: Cast, now: datetime) -> None:
    item = RecurringFlow(
        account=cast.cny, name="Rent", category="Rent", amount=Decimal(-5), starts_on=date(2026, 12, 31)
    )
    planning.save_recurring(item=item, by=cast.carol, at=now)
    item.amount = Decimal(-6)
    planning.save_recurring(item=item, by=cast.carol, at=now)
    planning.remove_recurring(item=item, by=cast.carol, at=now)
    actions = AuditEvent.objects.filter(action__startswith="treasury.recurring").values_list(
        "action", flat=True
    )
    assert list(actions.order_by("id")) == [
        "treasury.recurring_saved",
        "treasury.recurring_saved",
        "treasury.recurring_removed",
    ]
    with pytest.raises(AccessDeniedError):
        planning.save_recurring(
            item=RecurringFlow(account=cast.cny, name="x", category="x", amount=1, starts_on=now.date()),
            by=cast.bob,
            at=now,
        )


def test_the_recurring_form_takes_amounts_as_people_write_them(cast: Cast, client: Client) -> None:
    client.force_login(cast.carol)
    data = {
        "account": cast.cny.pk,
        "name": "Rent",
        "category": "Rent",
        "way": "out",
        "size": "12,000.50",
        "every": "MONTH",
        "starts_on": "2026-12-31",
        "ends_on": "",
    }
    assert client.post(reverse("new_recurring_item"), data).status_code == 302
    item = RecurringFlow.objects.get()
    assert item.amount == Decimal("-12000.50")
    shown = client.get(reverse("recurring_item", args=[item.pk])).content.decode()
    assert 'value="12000.5"' in shown
    assert (
        client.post(reverse("recurring_item", args=[item.pk]), data | {"way": "in", "size": "7"}).status_code
        == 302
    )
    item.refresh_from_db()
    assert item.amount == 7
    for wrong in ({"size": "1.234,5"}, {"size": "0"}, {"size": "1.005"}, {"ends_on": "2026-12-01"}):
        assert client.post(reverse("recurring_item", args=[item.pk]), data | wrong).status_code == 422
    assert client.post(reverse("remove_recurring", args=[item.pk])).status_code == 302
    assert not RecurringFlow.objects.exists()


def test_the_import_pages_lead_from_upload_to_undo(cast: Cast, client: Client) -> None:
    soon = (datetime.now().astimezone() + timedelta(days=5)).date()
    good = f"date,amount,currency,category\n{soon},-100,CNY,Wages\n"
    client.force_login(cast.carol)

    def upload(text: str) -> object:
        file = SimpleUploadedFile("plan.csv", text.encode())
        return client.post(reverse("import_plan"), {"company": cast.company.pk, "file": file})

    assert upload("rubbish").status_code == 422
    bad = upload(good + "2020-01-01,1,CNY,Late\n")
    page = client.get(bad.url).content.decode()
    assert "date in the past" in page
    assert "Put in force" not in page
    plan = PlanImport.objects.get()
    refused = client.post(reverse("commit_plan", args=[plan.pk]), follow=True)
    assert "1 wrong rows" in refused.content.decode()
    fine = upload(good)
    plan = PlanImport.objects.latest("pk")
    assert "Put in force" in client.get(fine.url).content.decode()
    client.post(reverse("commit_plan", args=[plan.pk]))
    assert plan.rows.count() == 1
    assert upload(good).status_code == 422
    assert "Wages" in client.get(reverse("plan", args=[plan.pk])).content.decode()
    client.post(reverse("undo_plan", args=[plan.pk]))
    assert plan.rows.count() == 0
    client.force_login(cast.mallory)
    assert client.get(reverse("plan", args=[plan.pk])).status_code == 404
    client.force_login(cast.alice)
    assert client.get(reverse("import_plan")).status_code == 403


def test_the_rates_page_takes_a_file_and_explains_a_wrong_one(cast: Cast, client: Client) -> None:
    client.force_login(cast.carol)
    good = "date,currency,quote,rate\n2026-11-24,USD,CNY,7.1\n"

    def upload(text: str) -> object:
        return client.post(reverse("import_rates"), {"file": SimpleUploadedFile("r.csv", text.encode())})

    assert upload(good).status_code == 302
    assert "7.1" in client.get(reverse("rates")).content.decode()
    wrong = upload(good + "2026-11-24,USX,CNY,7\n")
    assert wrong.status_code == 422
    assert "USX" in wrong.content.decode()
