"""The pages around the API in a real browser: tokens made and ended, the description on narrow screens."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests import make
from tests.browser.conftest import Strict
from tests.make import Cast
from treasury.models import ApiToken

pytestmark = pytest.mark.browser


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make.cast_of()


def test_a_token_is_made_shown_and_ended(strict: Strict, cast: Cast) -> None:
    strict.sign_in(cast.alice)
    page = strict.open("/preferences/api-tokens/")
    page.get_by_label("What is the token for?").fill("ERP export")
    page.get_by_role("button", name="Create the token").click()
    expect(page.locator("#token-value")).to_contain_text("zhl_")
    strict.axe()
    strict.fits()
    strict.shot("api-token-new")
    strict.tour("api-tokens", "/preferences/api-tokens/")
    page = strict.open("/preferences/api-tokens/")
    page.get_by_role("button", name="Revoke ERP export").click()
    expect(page.get_by_text("ERP export is revoked")).to_be_visible()
    assert ApiToken.objects.get().revoked_at is not None


def test_the_description_of_the_api(strict: Strict, cast: Cast) -> None:
    strict.sign_in(cast.alice)
    strict.tour("api-docs", "/api/v1/docs/")
    strict.tour("api-guide", "/docs/api/")
