"""A connection works only after a second administrator's yes, and keeps its secrets to itself."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from cryptography.fernet import Fernet

from banks.connectors.abilities import ConnectorError
from banks.models import Connection, Exchange
from banks.services import connections, talking
from banks.services.connections import ConnectionSettingsError
from banks.states import ConnectionState
from tests import make
from tests.make import Cast
from tests.simulated_bank import SimulatedBank
from treasury import secrets
from treasury.models import AuditEvent, ProposedChange
from treasury.services import access, changes, rotating

pytestmark = pytest.mark.django_db
KEY = "a key nobody shall read"
VALUES: dict[str, Any] = {"base_url": "http://127.0.0.1:9", "key": KEY, "timeout_seconds": 2.0}


def draft(cast: Cast, at: datetime, **values: Any) -> Connection:
    return connections.create_connection(
        name="Direct line",
        bank=cast.cny.bank,
        connector="simulated",
        values=VALUES | values,
        accounts=[cast.cny, cast.usd],
        by=cast.erin,
        at=at,
    )


def active(cast: Cast, at: datetime, **values: Any) -> Connection:
    connection = draft(cast, at, **values)
    proposal = connections.proposal_of(connection)
    assert proposal is not None
    changes.confirm(change=proposal, by=cast.eve, at=at)
    connection.refresh_from_db()
    return connection


def test_no_administrator_agrees_to_accounts_hidden_from_them(cast: Cast, now: datetime) -> None:
    proposal = connections.proposal_of(draft(cast, now))
    assert proposal is not None
    stranger = make.person("Stranger", "admin", make.company("OTHER", "Another company"))
    make.assign_perm("treasury.view_account", stranger, cast.cny)
    assert proposal not in changes.visible_to(stranger)
    with pytest.raises(access.AccessDeniedError, match="USD"):
        changes.confirm(change=proposal, by=stranger, at=now)
    with pytest.raises(access.AccessDeniedError):
        changes.reject(change=proposal, by=stranger, at=now, reason="Not mine")
    assert proposal in changes.visible_to(cast.eve)


def test_a_new_connection_waits_for_a_second_administrator(cast: Cast, now: datetime) -> None:
    connection = draft(cast, now)
    assert connection.state == ConnectionState.DRAFT
    with pytest.raises(talking.ConnectionNotUsableError):
        talking.connector_of(connection)
    proposal = connections.proposal_of(connection)
    assert proposal is not None
    with pytest.raises(changes.ChangeRefusedError, match="Ask another person"):
        changes.confirm(change=proposal, by=cast.erin, at=now)
    with pytest.raises(access.AccessDeniedError):
        changes.confirm(change=proposal, by=cast.bob, at=now)
    changes.confirm(change=proposal, by=cast.eve, at=now)
    connection.refresh_from_db()
    assert connection.state == ConnectionState.ACTIVE
    assert connection.connected_accounts.count() == 2
    assert secrets.unseal(connection.secrets) == {"key": KEY}


def test_only_an_administrator_sets_up_connections(cast: Cast, now: datetime) -> None:
    with pytest.raises(access.AccessDeniedError):
        connections.create_connection(
            name="x",
            bank=cast.cny.bank,
            connector="simulated",
            values=VALUES,
            accounts=[],
            by=cast.bob,
            at=now,
        )
    assert not Connection.objects.exists()


def test_secrets_are_nowhere_in_plain(cast: Cast, now: datetime) -> None:
    connection = active(cast, now)
    connections.change_connection(
        connection=connection, name="Direct line", values=VALUES | {"key": KEY + "2"},
        accounts=[cast.cny], by=cast.erin, at=now,
    )  # fmt: skip
    kept = [json.dumps([c.payload, c.summary]) for c in ProposedChange.objects.all()]
    kept += list(AuditEvent.objects.values_list("detail", flat=True))
    kept.append(json.dumps(connection.config))
    assert not [text for text in kept if KEY in text]
    proposal = connections.proposal_of(connection)
    assert proposal is not None
    assert ["Signing key", "kept secret", "changed"] in proposal.summary


def test_the_old_settings_keep_working_until_the_change_is_confirmed(cast: Cast, now: datetime) -> None:
    connection = active(cast, now)
    proposal = connections.change_connection(
        connection=connection, name="New name", values={"base_url": "http://127.0.0.1:10", "key": ""},
        accounts=[cast.cny], by=cast.erin, at=now,
    )  # fmt: skip
    connection.refresh_from_db()
    assert (connection.state, connection.config["base_url"]) == (ConnectionState.ACTIVE, VALUES["base_url"])
    changes.confirm(change=proposal, by=cast.eve, at=now)
    connection.refresh_from_db()
    assert (connection.name, connection.config) == ("New name", {"base_url": "http://127.0.0.1:10"})
    assert secrets.unseal(connection.secrets) == {"key": KEY}
    assert [c.account for c in connection.connected_accounts.all()] == [cast.cny]
    proposal.refresh_from_db()
    assert "secrets" not in proposal.payload


def test_a_rejected_change_leaves_nothing_but_its_trace(cast: Cast, now: datetime) -> None:
    connection = active(cast, now)
    proposal = connections.change_connection(
        connection=connection, name="Direct line", values=VALUES | {"key": "other"}, accounts=[],
        by=cast.erin, at=now,
    )  # fmt: skip
    changes.reject(change=proposal, by=cast.eve, at=now, reason="Not agreed")
    connection.refresh_from_db()
    proposal.refresh_from_db()
    assert secrets.unseal(connection.secrets) == {"key": KEY}
    assert "secrets" not in proposal.payload


@pytest.mark.parametrize(
    ("values", "field"),
    [({"base_url": "ftp://x"}, "base_url"), ({"key": ""}, ""), ({"batch_limit": 0}, "batch_limit")],
)
def test_settings_that_make_no_connector_are_refused(
    cast: Cast, now: datetime, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(ConnectionSettingsError) as caught:
        draft(cast, now, **values)
    assert caught.value.field == field
    assert not Connection.objects.exists()


def test_an_account_goes_over_one_connection(cast: Cast, now: datetime) -> None:
    active(cast, now)
    with pytest.raises(ConnectionSettingsError, match="goes over connection Direct line"):
        connections.create_connection(
            name="Second", bank=cast.cny.bank, connector="simulated", values=VALUES, accounts=[cast.cny],
            by=cast.eve, at=now,
        )  # fmt: skip
    assert Connection.objects.count() == 1


def test_one_administrator_stops_and_two_start_again(cast: Cast, now: datetime) -> None:
    connection = active(cast, now)
    with pytest.raises(ConnectionSettingsError, match="reason"):
        connections.pause_connection(connection=connection, by=cast.erin, at=now, reason=" ")
    connection = connections.pause_connection(
        connection=connection, by=cast.erin, at=now, reason="Key leaked"
    )
    with pytest.raises(talking.ConnectionNotUsableError):
        talking.connector_of(connection)
    proposal = connections.resume_connection(connection=connection, by=cast.erin, at=now)
    with pytest.raises(changes.ChangeRefusedError):
        changes.confirm(change=proposal, by=cast.erin, at=now)
    changes.confirm(change=proposal, by=cast.eve, at=now)
    connection.refresh_from_db()
    assert connection.state == ConnectionState.ACTIVE


def test_a_change_proposed_before_a_pause_does_not_end_the_pause(cast: Cast, now: datetime) -> None:
    connection = active(cast, now)
    proposal = connections.change_connection(
        connection=connection, name="Renamed", values=VALUES, accounts=[cast.cny], by=cast.erin, at=now
    )
    connections.pause_connection(connection=connection, by=cast.eve, at=now, reason="Stop")
    changes.confirm(change=proposal, by=cast.eve, at=now)
    connection.refresh_from_db()
    assert (connection.name, connection.state) == ("Renamed", ConnectionState.PAUSED)


def test_the_check_tells_a_wrong_key_from_a_dead_bank(cast: Cast, now: datetime, bank: SimulatedBank) -> None:
    connection = draft(cast, now, base_url=bank.url, key=bank.key)
    assert "answered" in connections.check_connection(connection=connection, by=cast.erin, at=now)
    wrong = Connection(
        name="Wrong", bank=cast.cny.bank, connector="simulated", config={"base_url": bank.url},
        secrets=secrets.seal({"key": "wrong"}),
    )  # fmt: skip
    wrong.save()
    with pytest.raises(ConnectorError):
        connections.check_connection(connection=wrong, by=cast.erin, at=now)
    bank.stop()
    with pytest.raises(ConnectorError):
        connections.check_connection(connection=connection, by=cast.erin, at=now)
    outcomes = list(Exchange.objects.order_by("id").values_list("outcome", flat=True))
    assert outcomes == ["ANSWERED", "REFUSED", "NOT_SENT"]
    connection.refresh_from_db()
    assert connection.failures == 1
    assert connection.last_error


def test_rotation_reaches_connections_and_waiting_proposals(cast: Cast, now: datetime, settings: Any) -> None:
    connection = active(cast, now)
    proposal = connections.change_connection(
        connection=connection,
        name="Direct line",
        values=VALUES | {"key": "next"},
        accounts=[],
        by=cast.erin,
        at=now,
    )
    fresh = Fernet.generate_key().decode()
    settings.MASTER_KEYS = [fresh, *settings.MASTER_KEYS]
    done = rotating.rotate_master_key(by=None, at=now)
    assert (done["banks.Connection.secrets"], done["proposals of connections"]) == (1, 1)
    settings.MASTER_KEYS = [fresh]
    connection.refresh_from_db()
    assert secrets.unseal(connection.secrets) == {"key": KEY}
    changes.confirm(change=proposal, by=cast.eve, at=now)
    connection.refresh_from_db()
    assert secrets.unseal(connection.secrets) == {"key": "next"}
