"""What every test shares: the truncate guards step aside for the test runner, and the cast."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings

from tests.make import Cast, cast_of

pytest_plugins = ["tests.simulated_bank"]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: Any, django_db_blocker: Any) -> None:
    """Tests that commit are cleaned by TRUNCATE, which the product's guards refuse."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger"
            " WHERE NOT tgisinternal AND tgname LIKE '%no_truncate'"
        )
        for table, trigger in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """The product's password hash is slow on purpose; eleven people a test would take seconds."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture
def now() -> datetime:
    """A fixed instant on a Tuesday: 10:00 in Shanghai."""
    return datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@pytest.fixture
def cast(db: None) -> Cast:
    """One group, its accounts, and everybody from Alice to Mallory."""
    return cast_of()
