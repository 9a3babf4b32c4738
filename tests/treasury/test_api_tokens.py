"""API tokens: shown once, one's own only, audited, ended at once; at the console too."""

from __future__ import annotations

import io
from datetime import datetime

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from tests.make import Cast
from tests.programs import Program
from treasury.models import ApiToken, AuditEvent, User
from treasury.services import api_tokens


def status_with(token: str, scheme: str = "Bearer") -> int:
    return int(APIClient().get("/api/v1/accounts/", HTTP_AUTHORIZATION=f"{scheme} {token}").status_code)


def test_a_token_is_made_on_the_page_and_shown_once(client: Client, cast: Cast) -> None:
    client.force_login(cast.alice)
    page = client.post(reverse("api_tokens"), {"name": "ERP"})
    assert page.status_code == 201
    value = page.context["value"]
    assert value in page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]
    assert status_with(value) == status_with(value, "bearer") == 200
    assert value not in client.get(reverse("api_tokens")).content.decode()
    token = ApiToken.objects.get()
    assert value not in (token.digest, token.name)
    assert token.last_used_at is not None
    event = AuditEvent.objects.get(action="treasury.token_created")
    assert event.actor == cast.alice
    assert value not in event.detail


def test_a_revoked_token_is_dead_at_once(client: Client, cast: Cast) -> None:
    program = Program(cast.alice)
    client.force_login(cast.alice)
    client.post(reverse("revoke_api_token", args=[ApiToken.objects.get().pk]))
    answer = program.read("accounts/")
    assert (answer.status_code, answer.json()["code"]) == (401, "treasury.token_unknown")
    assert AuditEvent.objects.filter(action="treasury.token_revoked", actor=cast.alice).count() == 1


def test_nobody_sees_or_ends_the_tokens_of_others(client: Client, cast: Cast, now: datetime) -> None:
    token, _value = api_tokens.create_token(user=cast.alice, name="hers", by=cast.alice, at=now)
    client.force_login(cast.erin)
    assert "hers" not in client.get(reverse("api_tokens")).content.decode()
    assert client.post(reverse("revoke_api_token", args=[token.pk])).status_code == 404
    assert ApiToken.objects.get().revoked_at is None


def test_a_token_sleeps_while_its_person_may_not_sign_in(cast: Cast) -> None:
    program = Program(cast.alice)
    User.objects.filter(pk=cast.alice.pk).update(is_active=False)
    assert program.read("accounts/").status_code == 401


@pytest.mark.parametrize("value", ["", "zhl_wrong", "a b", "zhl_\u00e9", "x" * 5000])
def test_what_is_no_token_is_refused(db: None, value: str) -> None:
    assert status_with(value) == 401


def test_a_token_has_a_name_and_there_are_not_endlessly_many(cast: Cast, now: datetime) -> None:
    with pytest.raises(api_tokens.TokenRefusedError, match="what the token is for"):
        api_tokens.create_token(user=cast.alice, name="  ", by=cast.alice, at=now)
    for n in range(api_tokens.AT_MOST):
        api_tokens.create_token(user=cast.alice, name=str(n), by=cast.alice, at=now)
    with pytest.raises(api_tokens.TokenRefusedError, match="Revoke one"):
        api_tokens.create_token(user=cast.alice, name="one more", by=cast.alice, at=now)


def test_tokens_at_the_console(cast: Cast) -> None:
    out = io.StringIO()
    call_command("create_api_token", "alice", "export", stdout=out)
    value = out.getvalue().strip()
    assert status_with(value) == 200
    with pytest.raises(CommandError, match="There is no person 'nobody'"):
        call_command("create_api_token", "nobody", "export")
    with pytest.raises(CommandError, match="nothing was revoked"):
        call_command("revoke_api_token", "alice", "other")
    call_command("revoke_api_token", "alice", "export", stdout=out)
    assert status_with(value) == 401
