"""The frame, the sign-in pages and the generic pages, as a person sees them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Strict
from tests.make import PASSWORD, Cast

pytestmark = pytest.mark.browser


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    from tests.make import cast_of

    return cast_of()


def test_signing_in_with_a_wrong_and_then_the_right_password(strict: Strict, cast: Cast) -> None:
    strict.tour("login", "/accounts/login/?next=/preferences/")
    page = strict.open("/preferences/")
    page.get_by_label("Username").fill("nobody")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    wrong = page.locator("[data-error-summary]")
    expect(wrong).to_be_focused()
    unknown = wrong.inner_text()
    expect(page).to_have_title(re.compile("^Error:"))
    strict.axe()
    strict.shot("login-wrong")
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(wrong).to_be_focused()
    assert wrong.inner_text() == unknown
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(re.compile("/preferences/$"))


def test_own_pages_in_both_languages_and_widths(strict: Strict, cast: Cast) -> None:
    strict.sign_in(cast.alice)
    for name, path in {
        "preferences": "/preferences/",
        "accounts": "/cash/accounts/",
        "password": "/accounts/password/change/",
        "two-factor": "/accounts/2fa/",
    }.items():
        strict.tour(name, path)


def test_the_chosen_language_is_kept_for_the_person(strict: Strict, cast: Cast) -> None:
    strict.sign_in(cast.alice)
    page = strict.open("/preferences/")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    cast.alice.refresh_from_db()
    assert cast.alice.language == "zh-hans"
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_keyboard_walks_lists_and_goes_to_pages_but_not_while_typing(strict: Strict, cast: Cast) -> None:
    strict.sign_in(cast.alice)
    page = strict.open("/cash/accounts/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("tbody tr").nth(1)).to_have_class(re.compile("is-current"))
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    page.keyboard.type("gd?")
    expect(page.locator("[data-search]")).to_have_value("gd?")
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.locator("#shortcuts-dialog")).to_be_visible()
    strict.axe()
    strict.shot("shortcuts")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("d")
    expect(page).to_have_url(re.compile(r":\d+/$"))
    cast.alice.shortcuts = False
    cast.alice.save()
    strict.open("/cash/accounts/")
    page.keyboard.press("?")
    expect(page.locator("#shortcuts-dialog")).to_be_hidden()


def test_the_menu_opens_on_a_phone(strict: Strict, cast: Cast) -> None:
    strict.sign_in(cast.alice)
    strict.resize(390)
    page = strict.open("/")
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Cash position")).to_be_visible()
    page.wait_for_timeout(400)
    strict.axe()
    strict.shot("menu")


def test_failures_are_explained(strict: Strict, cast: Cast) -> None:
    strict.allow("status of 404", "status of 403")
    strict.sign_in(cast.alice)
    strict.tour("not-found", "/nowhere/")
