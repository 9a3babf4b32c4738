"""Own accounts come into being, and change, by two people."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client

from tests import make
from tests.make import Cast
from treasury.models import Account, AuditEvent, ProposedChange
from treasury.services import changes
from treasury.services.changes import ChangeRefusedError

NEW = {
    "name": "New one",
    "number": "6222 0000 1111",
    "currency": "cny",
    "kind": "GENERAL",
    "status": "ACTIVE",
    "time_zone": "Asia/Shanghai",
    "minimum_balance": "500.00",
    "opened_on": "2026-11-01",
}


def proposed(
    client: Client, cast: Cast, path: str = "/cash/accounts/new/", **fields: object
) -> ProposedChange:
    client.force_login(cast.erin)
    data = {**NEW, "company": cast.company.pk, "bank": make.bank().pk, **fields}
    response = client.post(path, data)
    assert response.status_code == 302, response.content.decode()
    return ProposedChange.objects.latest("pk")


def test_an_account_exists_only_after_the_second_yes(client: Client, cast: Cast, now: datetime) -> None:
    change = proposed(client, cast)
    assert not Account.objects.filter(number="622200001111").exists()
    with pytest.raises(ChangeRefusedError):
        changes.confirm(change=change, by=cast.erin, at=now)
    changes.confirm(change=change, by=cast.bob, at=now)
    made = Account.objects.get(number="622200001111")
    assert (made.currency, made.minimum_balance, str(made.opened_on)) == ("CNY", 500, "2026-11-01")
    assert AuditEvent.objects.filter(action="treasury.account.applied", object_id=made.pk).exists()


def test_what_identifies_an_account_never_changes(client: Client, cast: Cast, now: datetime) -> None:
    path = f"/cash/accounts/{cast.cny.pk}/change/"
    change = proposed(client, cast, path, number="1", name="Renamed")
    changes.confirm(change=change, by=cast.carol, at=now)
    cast.cny.refresh_from_db()
    assert (cast.cny.number, cast.cny.name) == ("6225000000000001", "Renamed")


def test_the_same_number_twice_is_refused_at_the_second_yes(
    client: Client, cast: Cast, now: datetime
) -> None:
    change = proposed(client, cast)
    make.account(cast.company, "622200001111", "CNY")
    with pytest.raises(ChangeRefusedError, match="exists by now"):
        changes.confirm(change=change, by=cast.bob, at=now)
    change.refresh_from_db()
    assert change.state == "PENDING"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"time_zone": "Mars/Base"}, "is no time zone"),
        ({"currency": "ABC"}, "is not a currency"),
        ({"number": "6225000000000001"}, "already exists"),
        ({"minimum_balance": "1,5,0"}, "Enter a number"),
        ({"opened_on": "2026-13-01"}, "Enter a valid date"),
    ],
)
def test_bad_input_is_named_and_nothing_is_proposed(
    client: Client, cast: Cast, fields: dict[str, str], said: str
) -> None:
    client.force_login(cast.erin)
    data = {**NEW, "company": cast.company.pk, "bank": make.bank().pk, **fields}
    response = client.post("/cash/accounts/new/", data)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not ProposedChange.objects.exists()


def test_another_companys_account_cannot_be_proposed(client: Client, cast: Cast) -> None:
    other = make.company("OTHER", "Other")
    client.force_login(cast.erin)
    data = {**NEW, "company": other.pk, "bank": make.bank().pk}
    assert client.post("/cash/accounts/new/", data).status_code == 422
    client.force_login(cast.alice)
    assert client.get("/cash/accounts/new/").status_code == 403
