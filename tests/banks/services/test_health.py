"""The doctor asks every active connection to prove itself."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from banks.models import Connection, Exchange
from banks.services.health import check_connections
from banks.states import ConnectionState
from tests.simulated_bank import SimulatedBank
from treasury import secrets
from treasury.checks_registry import Level

pytestmark = [pytest.mark.django_db, pytest.mark.processes]


def connection_to(bank: SimulatedBank, cast: Any, **config: Any) -> Connection:
    settings = bank.config | config
    key = settings.pop("key")
    return Connection.objects.create(
        name="Simulated",
        bank=cast.cny.bank,
        connector="simulated",
        config=settings,
        secrets=secrets.seal({"key": key}),
        state=ConnectionState.ACTIVE,
    )


def test_a_bank_that_answers_is_well(bank: SimulatedBank, cast: Any) -> None:
    connection_to(bank, cast)
    (found,) = check_connections(timezone.now())
    assert (found.name, found.level) == ("bank Simulated", Level.OK)
    assert Exchange.objects.get().purpose == "check"


def test_a_wrong_key_a_wrong_clock_and_a_dead_bank_are_told_apart(bank: SimulatedBank, cast: Any) -> None:
    connection = connection_to(bank, cast, key="some-other-key-entirely")
    (refused,) = check_connections(timezone.now())
    assert refused.level is Level.FAIL
    assert "key" in (refused.detail + refused.next_step).lower()

    connection.secrets = secrets.seal({"key": bank.config["key"]})
    connection.save()
    bank.set_clock_offset(3600)
    (apart,) = check_connections(timezone.now())
    assert apart.level is Level.FAIL
    assert "clock" in apart.detail

    bank.stop()
    (dead,) = check_connections(timezone.now())
    assert dead.level is Level.FAIL
    assert dead.next_step


def test_a_connection_that_rests_is_not_asked(bank: SimulatedBank, cast: Any) -> None:
    connection = connection_to(bank, cast)
    connection.state = ConnectionState.PAUSED
    connection.save()
    (found,) = check_connections(timezone.now())
    assert "1 not active" in found.detail
    assert not Exchange.objects.exists()
