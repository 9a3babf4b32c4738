"""Strict reading of the environment: every setting the portal takes, its meaning and its form.

A value that is unknown or malformed stops the start with a hint; nothing is guessed. The
settings module asks this module only; `manage.py doctor` and the settings page of the docs
list `KNOWN`. No Django here: this runs before Django is set up.
"""

from __future__ import annotations

import os
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PREFIX = "ZHILIAN_"
KEY_BYTES = 32
HOST = re.compile(r"\.?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\]")


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

    def secret(self, name: str, *, least: int) -> str:
        """A secret of at least so many characters, or "" when it is not set. Never shown in a refusal."""
        value = self.text(name)
        if value and len(value) < least:
            raise EnvironmentRefusedError(f"{name} has {len(value)} characters; it needs {least} or more.")
        return value

    def keys(self, name: str) -> list[str]:
        """Keys of 32 bytes in URL-safe base64, newest first. Never shown in a refusal."""
        found = self.names(name, default=())
        for number, key in enumerate(found, start=1):
            try:
                right = len(urlsafe_b64decode(key)) == KEY_BYTES
            except ValueError:
                right = False
            if not right:
                raise EnvironmentRefusedError(
                    f"{name}: key {number} of {len(found)} is not {KEY_BYTES} bytes in URL-safe base64."
                    " `manage.py rotate_master_key --new-key` prints a right one."
                )
        return found

    def hosts(self, name: str, *, default: tuple[str, ...]) -> list[str]:
        """Host names without scheme, port or path; a leading dot takes in all below."""
        found = self.names(name, default=default)
        for host in found:
            if not HOST.fullmatch(host):
                raise self.refuse(name, host, "it is a bare host name, without scheme, port or wildcard.")
        return found

    def time_zone(self, name: str, *, default: str) -> str:
        value = self.text(name, default)
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise self.refuse(name, value, "it is the name of a time zone.") from error
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


@dataclass(frozen=True, slots=True)
class Mail:
    """An SMTP server; without a host, mail is written to the log."""

    host: str = ""
    port: int = 587
    user: str = ""
    password: str = ""
    tls: bool = False
    ssl: bool = False


def mail(url: str, environment: Environment) -> Mail:
    """The SMTP server that `url` names: smtps:// speaks TLS at once, smtp:// on 587 after a greeting."""
    if not url:
        return Mail()
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise environment.refuse("ZHILIAN_EMAIL_URL", parts.scheme, "its port is not a number.") from error
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise environment.refuse("ZHILIAN_EMAIL_URL", parts.scheme, "it names an SMTP server.")
    direct = parts.scheme == "smtps"
    port = port or (465 if direct else 587)
    return Mail(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=not direct and port == 587,
        ssl=direct,
    )


def redis(url: str, environment: Environment) -> str:
    """The broker's URL after a check of its form; "" when the database carries the jobs."""
    parts = urlsplit(url)
    if url and parts.scheme not in {"redis", "rediss", "unix"}:
        shown = url if parts.password is None else url.replace(parts.password, "…")
        raise environment.refuse(
            "BROKER_URL", shown, "the queue is carried by Redis or, when empty, by PostgreSQL."
        )
    return url
