"""API tokens: create, show once, revoke. Only the SHA-256 of a token is kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from treasury.models import ApiToken, User
from treasury.services import auditing

PREFIX = "zhl_"
AT_MOST = 20
USED = timedelta(minutes=1)
"""How exactly `last_used_at` is kept: a busy program need not write with every request."""


class TokenRefusedError(Exception):
    """The token cannot be created; the text says why and what to do."""

    code = "treasury.token_refused"


@transaction.atomic
def create_token(*, user: User, name: str, by: Any, at: datetime) -> tuple[ApiToken, str]:
    """A token that acts as `user`, and its text, which is known only now.

    Raises TokenRefusedError without a name, for a person who may not sign in, and above the limit.
    """
    name = name.strip()
    if not name or len(name) > 100:
        raise TokenRefusedError(_("Say in 1 to 100 characters what the token is for."))
    if not user.is_active:
        raise TokenRefusedError(
            _("%(person)s may not sign in, so no program may act as them.") % {"person": user}
        )
    User.objects.select_for_update().get(pk=user.pk)
    if ApiToken.objects.filter(user=user, revoked_at__isnull=True).count() >= AT_MOST:
        raise TokenRefusedError(
            _("%(count)d tokens are in use already. Revoke one that is not needed.") % {"count": AT_MOST}
        )
    value = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(user=user, name=name, digest=_digest(value), created_at=at)
    auditing.record(action="treasury.token_created", about=token, by=by, at=at, person=str(user), name=name)
    return token, value


@transaction.atomic
def revoke_token(*, token: ApiToken, by: Any, at: datetime) -> ApiToken:
    """End a token at once. One revoked before stays as it is."""
    locked = ApiToken.objects.select_for_update(of=("self",)).select_related("user").get(pk=token.pk)
    if locked.revoked_at is None:
        locked.revoked_at = at
        locked.save(update_fields=["revoked_at"])
        auditing.record(
            action="treasury.token_revoked",
            about=locked,
            by=by,
            at=at,
            person=str(locked.user),
            name=locked.name,
        )
    return locked


def find_token(*, value: str) -> ApiToken | None:
    """The living token with this text, of a person who may sign in; notes that it was used."""
    token = (
        ApiToken.objects.select_related("user").filter(digest=_digest(value), revoked_at__isnull=True).first()
    )
    if token is None or not token.user.is_active:
        return None
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > USED:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
