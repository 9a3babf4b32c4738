"""Coming in: closed doors, one answer for wrong credentials, limits, the kept language, preferences."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from tests.make import PASSWORD, Cast
from treasury.models import User


@pytest.fixture(autouse=True)
def fresh_limits() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def attempt(client: Client, name: str, password: str) -> str:
    response = client.post("/accounts/login/", {"login": name, "password": password})
    return response.content.decode() if response.status_code == 200 else response.headers.get("location", "")


@pytest.mark.parametrize(
    "path", ["/", "/cash/accounts/", "/oversight/audit/", "/admin/", "/docs/", "/payments/"]
)
def test_nothing_opens_without_signing_in(client: Client, cast: Cast, path: str) -> None:
    response = client.get(path)
    assert response.status_code in {302, 404}
    if response.status_code == 302:
        assert "login" in response.headers["location"]


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/password/reset/",
        "/accounts/email/",
        "/accounts/confirm-email/",
        "/accounts/2fa/webauthn/signup/",
    ],
)
def test_doors_that_are_shut_do_not_exist(client: Client, cast: Cast, path: str) -> None:
    client.force_login(cast.alice)
    assert client.get(path).status_code == 404


def test_nobody_signs_up(client: Client, db: None) -> None:
    assert "Nobody signs up here" in client.get("/accounts/signup/").content.decode()
    client.post("/accounts/signup/", {"username": "x", "password1": PASSWORD, "password2": PASSWORD})
    assert not User.objects.exists()


def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(client: Client, cast: Cast) -> None:
    said = "The username and/or password you specified are not correct."
    assert said in attempt(client, "nobody", "wrong")
    assert said in attempt(client, "alice", "wrong")


def test_guessing_is_stopped_even_when_the_right_password_comes_then(client: Client, cast: Cast) -> None:
    for _ in range(12):
        said = attempt(client, "alice", "wrong")
    assert "Too many failed login attempts" in said
    assert "Too many failed login attempts" in attempt(client, "alice", PASSWORD)


def test_a_person_who_left_does_not_come_in(client: Client, cast: Cast) -> None:
    User.objects.filter(pk=cast.alice.pk).update(is_active=False)
    attempt(client, "alice", PASSWORD)
    assert client.get("/").status_code == 302


def test_the_language_of_the_person_follows_them_to_this_browser(client: Client, cast: Cast) -> None:
    User.objects.filter(pk=cast.alice.pk).update(language="zh-hans")
    attempt(client, "alice", PASSWORD)
    assert client.get("/").headers["Content-Language"] == "zh-hans"


def test_preferences_are_kept_and_applied(client: Client, cast: Cast) -> None:
    client.force_login(cast.alice)
    client.post("/preferences/", {"language": "zh-hans", "amount_unit": "10000"})
    cast.alice.refresh_from_db()
    assert (cast.alice.language, cast.alice.amount_unit, cast.alice.shortcuts) == ("zh-hans", "10000", False)
    page = client.get("/preferences/")
    assert page.headers["Content-Language"] == "zh-hans"
    assert 'data-shortcuts="on"' not in page.content.decode()
    assert client.post("/preferences/", {"language": "fr", "amount_unit": "1"}).status_code == 422


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_the_language_switch_leads_nowhere_else(client: Client, db: None, target: str) -> None:
    response = client.post("/language/", {"language": "zh-hans", "next": target})
    assert response.headers["location"] == "/"


def test_every_page_carries_the_strict_policy(client: Client, cast: Cast) -> None:
    client.force_login(cast.erin)
    for path in ("/", "/admin/", "/nowhere/", "/accounts/2fa/"):
        policy = client.get(path).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
