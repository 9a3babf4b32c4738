"""Audit trail, proposed changes, people and the configuration screens, as a person sees them."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.conftest import Strict
from tests.make import Cast, cast_of
from treasury.services import auditing, people

pytestmark = pytest.mark.browser


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return cast_of()


def test_a_change_is_proposed_and_confirmed_by_another(strict: Strict, cast: Cast) -> None:
    strict.sign_in(cast.erin)
    strict.tour("people", "/oversight/people/")
    strict.tour("person", f"/oversight/people/{cast.alice.pk}/")
    page = strict.open(f"/oversight/people/{cast.alice.pk}/")
    page.get_by_label("manager").check()
    page.get_by_role("button", name="Propose to a second").click()
    expect(page.get_by_text("Proposed. Another administrator")).to_be_visible()
    expect(page.get_by_role("button", name="Confirm and apply")).to_have_count(0)
    path = page.url.removeprefix(strict.server)
    strict.context.clear_cookies()
    strict.speak("en")
    strict.sign_in(cast.eve)
    strict.tour("change", path)
    strict.tour("changes", "/oversight/changes/")
    page = strict.open("/")
    page.get_by_role("link", name="Changes to confirm").click()
    page.locator("tbody").get_by_role("link", name="Alice").click()
    page.get_by_role("button", name="Confirm and apply").click()
    expect(page.get_by_text("is applied")).to_be_visible()
    assert people.access_of(cast.alice).roles == {"clerk", "manager"}


def test_the_trail_reads_well_and_is_checked_on_demand(strict: Strict, cast: Cast) -> None:
    for number in range(30):
        auditing.record(
            action="payments.approved",
            about=cast.cny,
            by=cast.bob,
            at=timezone.now(),
            amount=f"{number}.50",
            beneficiary="南海物流有限公司",
            changes=[["amount", "1.00", "2.00"]],
        )
    strict.sign_in(cast.carol)
    strict.tour("audit", "/oversight/audit/")
    page = strict.open("/oversight/audit/")
    page.get_by_role("button", name="Check the chain now").click()
    expect(page.get_by_text(re.compile("The chain is intact: 30 events"))).to_be_visible()


def test_the_configuration_screens_fit_the_portal(strict: Strict, cast: Cast) -> None:
    strict.sign_in(cast.erin)
    for name, path in {
        "admin": "/admin/",
        "admin-accounts": "/admin/treasury/account/",
        "admin-bank": "/admin/treasury/bank/add/",
    }.items():
        page = strict.open(path)
        strict.shot(name)
        expect(page.locator("#header")).to_have_css("background-color", "rgb(20, 40, 75)")


def test_the_configuration_screens_read_well(strict: Strict, cast: Cast) -> None:
    """Lists only: axe reads the `@import` of Django's form styles by a style element of its own,
    which the policy of the page rightly refuses."""
    strict.sign_in(cast.erin)
    for name in ("treasury/account", "treasury/user", "banks/connection"):
        strict.tour(f"admin-{name.replace('/', '-')}", f"/admin/{name}/")
