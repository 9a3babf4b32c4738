"""Second factors in a real browser: authenticator app, recovery codes and passkeys."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from playwright.sync_api import expect

from tests.browser.conftest import Strict
from tests.make import PASSWORD, Cast, cast_of

pytestmark = pytest.mark.browser


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return cast_of()


def sign_in_by_form(strict: Strict, name: str) -> None:
    page = strict.open("/accounts/login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def confirm_password(strict: Strict, path: str) -> None:
    """The door before second factors: the password once more."""
    page = strict.open(path)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page).to_have_url(re.compile(re.escape(path) + "$"))


def code_of(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return str(format_hotp_value(hotp_value(secret, counter)))


def test_an_authenticator_app_and_recovery_codes(strict: Strict, cast: Cast) -> None:
    sign_in_by_form(strict, "bob")
    expect(strict.page).to_have_url(re.compile(r":\d+/$"))
    confirm_password(strict, "/accounts/2fa/totp/activate/")
    strict.tour("totp", "/accounts/2fa/totp/activate/")
    page = strict.open("/accounts/2fa/totp/activate/")
    secret = page.locator("#authenticator_secret").input_value()
    page.locator("#id_code").fill(code_of(secret))
    page.get_by_role("button", name="Activate").click()
    expect(page).to_have_url(re.compile("recovery-codes"))
    strict.allow("beforeunload")
    strict.axe()
    strict.shot("recovery-codes")
    strict.tour("two-factor-on", "/accounts/2fa/")
    strict.context.clear_cookies()
    strict.speak("en")
    sign_in_by_form(strict, "bob")
    expect(page).to_have_url(re.compile("/2fa/authenticate/"))
    strict.axe()
    strict.shot("second-factor")
    page.locator("#id_code").fill("000000")
    page.get_by_role("button", name="Sign In").click()
    expect(page.locator("[data-error-summary]")).to_be_visible()


def test_a_passkey_is_added_and_used_to_sign_in(strict: Strict, cast: Cast) -> None:
    # Passkeys belong to a host name, not to an address.
    strict.server = strict.server.replace("127.0.0.1", "localhost")
    strict.speak("en")
    tools = strict.context.new_cdp_session(strict.page)
    tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    sign_in_by_form(strict, "bob")
    expect(strict.page).to_have_url(re.compile(r":\d+/$"))
    confirm_password(strict, "/accounts/2fa/webauthn/add/")
    strict.tour("passkey-add", "/accounts/2fa/webauthn/add/")
    page = strict.open("/accounts/2fa/webauthn/add/")
    page.get_by_label(re.compile("Passwordless")).check()
    page.get_by_role("button", name="Add").click()
    expect(page).not_to_have_url(re.compile("webauthn/add"))
    strict.tour("passkeys", "/accounts/2fa/webauthn/")
    strict.context.clear_cookies()
    strict.speak("en")
    page = strict.open("/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(re.compile(r":\d+/$"))
    expect(page.get_by_role("button", name="Bob")).to_be_visible()
