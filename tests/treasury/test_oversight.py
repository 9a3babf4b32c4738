"""People, proposed changes, the audit pages and the configuration screens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from tests import make
from tests.make import PASSWORD, Cast
from treasury.models import AuditEvent, ProposedChange, User
from treasury.services import access, auditing, changes, people
from treasury.services.changes import ChangeRefusedError
from treasury.services.people import Access


def wanted(person: User, **differences: Any) -> Access:
    now = people.access_of(person)
    fields = {
        "active": now.active,
        "roles": now.roles,
        "companies": now.companies,
        "accounts": now.accounts,
    }
    return Access(**(fields | differences))


def test_a_role_counts_only_after_a_second_administrator_said_yes(cast: Cast, now: datetime) -> None:
    roles = frozenset({"clerk", "manager"})
    change = people.propose_access(
        person=cast.alice, wanted=wanted(cast.alice, roles=roles), by=cast.erin, at=now
    )
    assert people.access_of(cast.alice).roles == {"clerk"}
    with pytest.raises(ChangeRefusedError, match="Ask another person"):
        changes.confirm(change=change, by=cast.erin, at=now)
    changes.confirm(change=change, by=cast.eve, at=now)
    assert people.access_of(cast.alice).roles == roles
    assert access.may(User.objects.get(pk=cast.alice.pk), "payments.approve_payment")


def test_nobody_confirms_a_change_of_their_own_access(cast: Cast, now: datetime) -> None:
    change = people.propose_access(
        person=cast.eve,
        wanted=wanted(cast.eve, roles=frozenset({"admin", "manager"})),
        by=cast.erin,
        at=now,
    )
    with pytest.raises(ChangeRefusedError, match="their own access"):
        changes.confirm(change=change, by=cast.eve, at=now)
    assert ProposedChange.objects.get(pk=change.pk).state == "PENDING"


def test_two_administrators_always_remain(cast: Cast, now: datetime) -> None:
    with pytest.raises(ChangeRefusedError, match="Two administrators"):
        people.propose_access(person=cast.eve, wanted=wanted(cast.eve, active=False), by=cast.erin, at=now)


def test_companies_and_accounts_are_granted_and_taken(cast: Cast, now: datetime) -> None:
    other = make.company("OTHER", "Other")
    account = make.account(other, "4711")
    for companies, accounts in (({other.pk}, set()), (set(), {account.pk}), (set(), set())):
        change = people.propose_access(
            person=cast.mallory,
            wanted=wanted(cast.mallory, companies=frozenset(companies), accounts=frozenset(accounts)),
            by=cast.erin,
            at=now,
        )
        changes.confirm(change=change, by=cast.eve, at=now)
        found = people.access_of(User.objects.get(pk=cast.mallory.pk))
        assert (found.companies, found.accounts) == (companies, accounts)


def test_a_new_person_signs_in_only_after_the_second_yes(client: Client, cast: Cast, now: datetime) -> None:
    new = people.create_person(
        username="frank", first_name="Frank", last_name="", email="", by=cast.erin, at=now
    )
    change = people.propose_access(
        person=new,
        wanted=Access(True, frozenset({"clerk"}), frozenset({cast.company.pk}), frozenset()),
        password=PASSWORD,
        by=cast.erin,
        at=now,
    )
    assert not client.login(username="frank", password=PASSWORD)
    assert PASSWORD not in str(change.payload)
    changes.confirm(change=change, by=cast.eve, at=now)
    assert client.login(username="frank", password=PASSWORD)


def test_the_pages_propose_and_confirm(client: Client, cast: Cast) -> None:
    client.force_login(cast.erin)
    data = {"active": "on", "roles": ["clerk", "manager"], "companies": [cast.company.pk], "reason": "Cover"}
    response = client.post(f"/oversight/people/{cast.alice.pk}/", data)
    change = ProposedChange.objects.get()
    assert response.headers["location"] == f"/oversight/changes/{change.pk}/"
    client.post(f"/oversight/changes/{change.pk}/decide/", {"decision": "confirm"})
    change.refresh_from_db()
    assert change.state == "PENDING"
    client.force_login(cast.eve)
    assert "Changes to confirm" in client.get("/").content.decode()
    client.post(f"/oversight/changes/{change.pk}/decide/", {"decision": "confirm"})
    change.refresh_from_db()
    assert change.state == "APPLIED"
    assert people.access_of(cast.alice).roles == {"clerk", "manager"}


@pytest.mark.parametrize(
    ("path", "who"),
    [("/oversight/people/", "alice"), ("/oversight/audit/", "alice"), ("/oversight/people/new/", "carol")],
)
def test_a_missing_role_is_named(client: Client, cast: Cast, path: str, who: str) -> None:
    client.force_login(getattr(cast, who))
    response = client.get(path)
    assert response.status_code == 403
    assert "It takes the role" in response.content.decode()


def test_changes_of_others_are_not_found_by_who_may_not_see_them(
    client: Client, cast: Cast, now: datetime
) -> None:
    change = people.propose_access(
        person=cast.bob, wanted=wanted(cast.bob, active=False), by=cast.erin, at=now
    )
    client.force_login(cast.alice)
    assert client.get(f"/oversight/changes/{change.pk}/").status_code == 404
    assert client.post(f"/oversight/changes/{change.pk}/decide/", {}).status_code == 404


def test_the_trail_is_limited_to_granted_companies(client: Client, cast: Cast, now: datetime) -> None:
    other = make.company("OTHER", "Other")
    auditing.record(action="payments.approved", about=cast.cny, by=cast.bob, at=now)
    auditing.record(action="payments.approved", about=other, by=cast.bob, at=now, company=other)
    auditing.record(action="payments.approved", about=cast.cny, by=None, at=now, sum=["a", "b"])
    client.force_login(cast.carol)
    html = client.get("/oversight/audit/").content.decode()
    assert "HUAXIA CNY" in html
    assert "<td>Other</td>" not in html
    csv = b"".join(client.get("/oversight/audit/?export=csv").streaming_content).decode()
    assert csv.count("payments.approved") == 2


@pytest.mark.django_db(transaction=True)
def test_the_chain_is_checked_on_demand(client: Client, now: datetime) -> None:
    cast = make.cast_of()
    auditing.record(action="payments.approved", about=cast.cny, by=cast.bob, at=now)
    client.force_login(cast.carol)
    assert (
        "The chain is intact: 1 events"
        in client.post("/oversight/audit/verify/", follow=True).content.decode()
    )


def test_the_configuration_opens_by_role_and_shows_nothing_of_other_packages(
    client: Client, cast: Cast
) -> None:
    client.force_login(cast.erin)
    html = client.get("/admin/").content.decode()
    assert "Companies" in html
    assert "Groups" not in html
    assert client.get(f"/admin/treasury/account/{cast.cny.pk}/change/").status_code == 200
    assert client.post(f"/admin/treasury/account/{cast.cny.pk}/change/", {"number": "1"}).status_code == 403
    assert client.post("/admin/treasury/user/add/", {"username": "x"}).status_code == 403
    made = client.post("/admin/treasury/bank/add/", {"code": "NEW", "name": "New", "country": "CN"})
    assert made.status_code == 302
    assert AuditEvent.objects.filter(action="treasury.entered").count() == 1


def test_a_superuser_gets_no_further_than_their_roles(client: Client, cast: Cast) -> None:
    root = User.objects.create_superuser("root", password=PASSWORD)
    client.force_login(root)
    assert client.get("/admin/auth/group/").status_code == 404
    assert client.get("/admin/treasury/user/").status_code == 403
    assert not Group.objects.filter(user=root).exists()


def test_the_admin_has_no_sign_in_of_its_own(client: Client, cast: Cast) -> None:
    response = client.get("/admin/login/?next=/admin/")
    assert response.headers["location"].startswith("/accounts/login/")
