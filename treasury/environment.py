"""Strict reading of the environment: every setting the portal takes, its meaning and its form.

A value that is unknown or malformed stops the start with a hint; nothing is guessed. The
settings module asks this module only; `manage.py doctor` and the settings page of the docs
list `KNOWN`. No Django here: this runs before Django is set up.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

PREFIX = "ZHILIAN_"


class EnvironmentRefusedError(SystemExit):
    """A setting is unknown or malformed; the text names it, the rule and the next step."""

    def __init__(self, message: str) -> None:
        super().__init__(f"Zhilian did not start. {message}")


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable: its name, what it does and what it looks like."""

    name: str
    meaning: str
    example: str


KNOWN: dict[str, Setting] = {
    s.name: s
    for s in (
        Setting(
            "DATABASE_URL",
            "PostgreSQL server; empty means the embedded one",
            "postgres://u:p@db:5432/zhilian",
        ),
        Setting(
            "BROKER_URL",
            "Redis for the job queue; empty means PostgreSQL carries it",
            "redis://127.0.0.1:6379/0",
        ),
        Setting("ZHILIAN_DEBUG", "Developer mode: detailed error pages", "no"),
        Setting("ZHILIAN_DATA_FOLDER", "Where the embedded database, keys and files live", ".data"),
        Setting(
            "ZHILIAN_SECRET_KEY", "Signs sessions; empty means a generated key file", "50 or more characters"
        ),
        Setting("ZHILIAN_MASTER_KEYS", "Encrypts secrets at rest: Fernet keys, newest first", "key1,key2"),
        Setting(
            "ZHILIAN_SIGNING_KEYS",
            "Signs approvals: Ed25519 seeds in URL-safe base64, newest first; old ones still verify",
            "key1,key2",
        ),
        Setting("ZHILIAN_HOSTS", "Host names the portal answers to", "treasury.example.com"),
        Setting("ZHILIAN_HTTPS", "Set when people reach the portal by https", "yes"),
        Setting("ZHILIAN_TIME_ZONE", "Time zone of screens without an account", "Asia/Shanghai"),
        Setting("ZHILIAN_LANGUAGE", "Language before a person has chosen one", "en or zh-hans"),
        Setting("ZHILIAN_WORKERS", "Worker processes that one `manage.py qcluster` starts", "2"),
        Setting(
            "ZHILIAN_EMAIL_URL", "SMTP server; empty means mail is written to the log", "smtp://u:p@mail:587"
        ),
        Setting("ZHILIAN_EMAIL_FROM", "Sender of the portal's mail", "treasury@example.com"),
        Setting("ZHILIAN_LOG_LEVEL", "How much is logged", "INFO"),
    )
}


class Environment:
    """The process environment read by type. Raises EnvironmentRefusedError on the first fault."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.values = dict(os.environ if values is None else values)
        unknown = sorted(
            n for n in self.values if n.startswith(PREFIX) and n.removesuffix("_FILE") not in KNOWN
        )
        if unknown:
            raise EnvironmentRefusedError(
                f"{unknown[0]} is not a setting of the portal. Known are: {', '.join(KNOWN)}."
                " Remove it or correct its name."
            )

    def text(self, name: str, default: str = "") -> str:
        """The value, or the content of the file named by NAME_FILE, or the default."""
        assert name in KNOWN, name  # noqa: S101 - a setting must be listed before it is read
        path = self.values.get(f"{name}_FILE", "")
        if path:
            if name in self.values:
                raise EnvironmentRefusedError(f"{name} and {name}_FILE are both set. Keep one.")
            try:
                return Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise EnvironmentRefusedError(
                    f"{name}_FILE={path!r} cannot be read: {error.strerror}."
                ) from error
        return self.values.get(name, "").strip() or default

    def refuse(self, name: str, value: str, rule: str) -> EnvironmentRefusedError:
        return EnvironmentRefusedError(f"{name}={value!r}: {rule} For example: {KNOWN[name].example}.")

    def yes(self, name: str, *, default: bool) -> bool:
        value = self.text(name, "yes" if default else "no")
        if value not in {"yes", "no"}:
            raise self.refuse(name, value, "it is either yes or no.")
        return value == "yes"

    def number(self, name: str, *, default: int, least: int, most: int) -> int:
        value = self.text(name, str(default))
        if not value.isdecimal() or not least <= int(value) <= most:
            raise self.refuse(name, value, f"it is a whole number from {least} to {most}.")
        return int(value)

    def choice(self, name: str, *, default: str, of: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in of:
            raise self.refuse(name, value, f"it is one of {', '.join(of)}.")
        return value

    def names(self, name: str, *, default: tuple[str, ...]) -> list[str]:
        return [part.strip() for part in self.text(name, ",".join(default)).split(",") if part.strip()]


def database(url: str, environment: Environment) -> dict[str, object]:
    """Django's database settings from a postgres URL, socket folders (?host=) included."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    name = unquote(parts.path.lstrip("/"))
    if parts.scheme not in {"postgres", "postgresql"} or not name:
        shown = url if parts.password is None else url.replace(parts.password, "…")
        raise environment.refuse("DATABASE_URL", shown, "it names a PostgreSQL server and a database.")
    try:
        port = parts.port
    except ValueError as error:
        raise environment.refuse("DATABASE_URL", parts.hostname or "", "its port is not a number.") from error
    known = {"host", "sslmode", "sslrootcert", "application_name"}
    if unknown := sorted(set(query) - known):
        raise environment.refuse(
            "DATABASE_URL", unknown[0], f"the options it takes are {', '.join(sorted(known))}."
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", "") or parts.hostname or "",
        "PORT": str(port or ""),
        "OPTIONS": query,
    }


def redis(url: str, environment: Environment) -> str:
    """The broker's URL after a check of its form; "" when the database carries the jobs."""
    if url and urlsplit(url).scheme not in {"redis", "rediss", "unix"}:
        raise environment.refuse(
            "BROKER_URL", url, "the queue is carried by Redis or, when empty, by PostgreSQL."
        )
    return url
