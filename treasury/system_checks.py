"""Django system checks: what can be told wrong from the settings alone, each with an id and a hint.

Run by every management command that Django checks for, and by `manage.py doctor`. Malformed
values never come this far: `treasury.environment` refuses them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

KEYS = ("ZHILIAN_SECRET_KEY", "ZHILIAN_MASTER_KEYS", "ZHILIAN_SIGNING_KEYS")
LOCAL = {"127.0.0.1", "localhost", "[::1]", "testserver"}


def public_hosts() -> list[str]:
    return sorted(set(settings.ALLOWED_HOSTS) - LOCAL)


@register("zhilian")
def check_edge(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:
    """Names under which people reach the portal want https and no developer's error pages."""
    hosts = public_hosts()
    found: list[CheckMessage] = []
    if hosts and settings.DEBUG:
        found.append(
            Error(
                f"Developer mode is on while the portal answers to {hosts[0]}.",
                hint="Set ZHILIAN_DEBUG=no: detailed error pages show settings and account data.",
                id="treasury.E001",
            )
        )
    if hosts and not settings.HTTPS:
        found.append(
            Warning(
                f"People reach the portal as {hosts[0]} without https.",
                hint="Put a proxy that ends TLS in front and set ZHILIAN_HTTPS=yes; passkeys need it too.",
                id="treasury.W002",
            )
        )
    return found


@register("zhilian")
def check_shared_keys(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:
    """With a database server several machines may serve: keys in a local file would differ."""
    if not settings.DATABASE_URL or settings.TESTING:
        return []
    local = [n for n in KEYS if not settings.ENVIRONMENT.text(n)]
    if not local:
        return []
    return [
        Warning(
            f"{' and '.join(local)} come from generated files of this machine.",
            hint="Give every machine the same keys; the files are in the data folder, under keys/.",
            id="treasury.W003",
        )
    ]


@register("zhilian")
def check_jobs(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[CheckMessage]:
    """A job that outlives its retry would be handed out twice."""
    queue: dict[str, Any] = settings.Q_CLUSTER
    if queue["timeout"] < queue["retry"]:
        return []
    return [
        Error(
            "Q_CLUSTER's timeout is not below its retry.",
            hint="Keep timeout < retry: a job still running must never be handed out a second time.",
            id="treasury.E004",
        )
    ]
