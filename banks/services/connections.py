"""Setting up connections: whatever decides how a bank is reached needs a second administrator.

A new connection waits as DRAFT; a change of an active one waits in the proposal while the old
settings keep working. Secrets are write-only: they come in, are sealed at once, and are never
shown, also not to the person who confirms. Talking itself is `services.talking`.
"""

from __future__ import annotations

import base64
import dataclasses
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from banks import connectors
from banks.connectors.abilities import ChecksConnection, ConnectorError
from banks.messages import Talk
from banks.models import ConnectedAccount, Connection, Exchange
from banks.services import proposals, talking
from banks.services.proposals import KIND
from banks.states import CONNECTION_TRANSITIONS, ConnectionState
from treasury import secrets
from treasury.models import Account, Bank, ProposedChange
from treasury.services import access, auditing, changes, moving

PERMISSION = "banks.configure_connection"


class ConnectionSettingsError(ValueError):
    """The settings do not make a connection; `field` names the one at fault, if it is one."""

    code = "banks.connection_settings"

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a connector, as its `Config` declares it."""

    name: str
    label: str
    help: str
    secret: bool
    type: type
    required: bool
    default: Any


def settings_of(connector: str) -> list[Setting]:
    """The settings of a connector, in order. Raises NoConnectorError."""
    config = connectors.package(connector).Config
    types = typing.get_type_hints(config)
    found = []
    for f in dataclasses.fields(config):
        required = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        found.append(
            Setting(
                name=f.name,
                label=str(f.metadata.get("label", f.name)),
                help=str(f.metadata.get("help", "")),
                secret=bool(f.metadata.get("secret", True)),
                type=types.get(f.name, str),
                required=required,
                default=None if required else f.default,
            )
        )
    return found


@transaction.atomic
def create_connection(
    *,
    name: str,
    bank: Bank,
    connector: str,
    values: Mapping[str, Any],
    accounts: Iterable[Account],
    by: Any,
    at: datetime,
) -> Connection:
    """Make a connection that waits for a second administrator.

    Raises ConnectionSettingsError, AccessDeniedError.
    """
    access.require(by, PERMISSION)
    config, secret = _split(connector, values, {})
    _check(connector, config | secret)
    try:
        with transaction.atomic():
            connection = Connection.objects.create(
                name=name, bank=bank, connector=connector, config=config, secrets=_seal(secret)
            )
    except IntegrityError as error:
        raise ConnectionSettingsError(
            _("A connection named %(name)s exists. Choose another name.") % {"name": name}, "name"
        ) from error
    auditing.record(action="banks.connection_created", about=connection, by=by, at=at, bank=bank)
    _propose(connection, None, name, config, secret, list(accounts), by, at)
    return connection


@transaction.atomic
def change_connection(
    *,
    connection: Connection,
    name: str,
    values: Mapping[str, Any],
    accounts: Iterable[Account],
    by: Any,
    at: datetime,
) -> ProposedChange:
    """Propose new settings; the old ones keep working until a second administrator's yes.

    A secret left empty stays as it is. Raises ConnectionSettingsError, ChangeRefusedError,
    AccessDeniedError.
    """
    access.require(by, PERMISSION)
    old = Connection.objects.select_for_update().get(pk=connection.pk)
    config, secret = _split(old.connector, values, secrets.unseal(old.secrets))
    _check(old.connector, config | secret)
    if Connection.objects.filter(name=name).exclude(pk=old.pk).exists():
        raise ConnectionSettingsError(
            _("A connection named %(name)s exists. Choose another name.") % {"name": name}, "name"
        )
    return _propose(old, old, name, config, secret, list(accounts), by, at)


def pause_connection(*, connection: Connection, by: Any, at: datetime, reason: str) -> Connection:
    """Stop all talk with the bank at once; one administrator is enough to stop.

    Raises AccessDeniedError, IllegalMoveError, ConnectionSettingsError without a reason.
    """
    access.require(by, PERMISSION)
    if not reason.strip():
        raise ConnectionSettingsError(_("Pausing needs a reason. Write why the connection has to rest."))
    return _move(connection, ConnectionState.PAUSED, by, at, reason=reason.strip())


@transaction.atomic
def resume_connection(*, connection: Connection, by: Any, at: datetime) -> ProposedChange:
    """Propose that a paused (or still waiting) connection works, with the settings it has.

    Raises ChangeRefusedError, AccessDeniedError, IllegalMoveError.
    """
    access.require(by, PERMISSION)
    old = Connection.objects.select_for_update().get(pk=connection.pk)
    if old.state == ConnectionState.ACTIVE:
        raise moving.IllegalMoveError(old, old.state, ConnectionState.ACTIVE)
    secret = secrets.unseal(old.secrets)
    accounts = [c.account for c in old.connected_accounts.select_related("account")]
    return _propose(old, old, old.name, old.config, secret, accounts, by, at)


def check_connection(*, connection: Connection, by: Any, at: datetime) -> str:
    """Prove that the stored settings reach the bank, whatever the state; gives a plain sentence.

    Only stored settings are tried, never proposed ones: a kept secret must not be sent to a new
    address before a second person agreed to it. Raises AccessDeniedError, ConnectorError,
    ConnectionNotUsableError.
    """
    access.require(by, PERMISSION)
    connector = talking.build(connection)
    if not isinstance(connector, ChecksConnection):
        return _("The settings are well-formed. This connector cannot test them without talking business.")
    talks: Sequence[Talk] = ()
    try:
        talks = connector.check().talks
    except ConnectorError as error:
        talking.keep_talks(
            connection=connection,
            purpose="check",
            talks=[error.talk] if error.talk else [],
            outcome=talking.outcome_of(error),
            error=str(error),
            at=at,
        )
        talking.failed(connection=connection, error=error, at=at)
        raise
    talking.keep_talks(
        connection=connection,
        purpose="check",
        talks=talks,
        outcome=Exchange.Outcome.ANSWERED,
        error="",
        at=at,
    )
    talking.worked(connection=connection, at=at)
    auditing.record(action="banks.connection_checked", about=connection, by=by, at=at)
    return _("The bank answered: address, key and permissions work.")


def proposal_of(connection: Connection) -> ProposedChange | None:
    """The change of this connection that waits for a second person."""
    return ProposedChange.objects.filter(
        kind=KIND, object_id=connection.pk, state=ProposedChange.State.PENDING
    ).first()


def register() -> None:
    """Offer the kind of change to the generic maker-checker (called from `ready`)."""
    changes.register(
        changes.Kind(
            name=KIND,
            label=_("Connection to a bank"),
            propose_permission=PERMISSION,
            confirm_permission=PERMISSION,
            apply=_apply,
            undo=_forget_secrets,
            sees=proposals.sees,
        )
    )


def reseal_proposals() -> int:
    """Secrets inside waiting proposals under the newest master key; gives how many there were."""
    waiting = ProposedChange.objects.select_for_update().filter(kind=KIND, payload__has_key="secrets")
    count = 0
    for change in waiting:
        sealed = base64.b64decode(change.payload["secrets"])
        if sealed:
            change.payload["secrets"] = base64.b64encode(secrets.reseal(sealed)).decode()
            change.save(update_fields=["payload"])
            count += 1
    return count


def _propose(
    connection: Connection,
    old: Connection | None,
    name: str,
    config: dict[str, Any],
    secret: dict[str, str],
    accounts: list[Account],
    by: Any,
    at: datetime,
) -> ProposedChange:
    _check_accounts(connection, accounts, by)
    return changes.propose(
        kind=KIND,
        payload={
            "name": name,
            "config": config,
            "secrets": base64.b64encode(_seal(secret)).decode(),
            "accounts": [account.pk for account in accounts],
            "was": ConnectionState.DRAFT if old is None else old.state,
        },
        label=name,
        object_id=connection.pk,
        summary=_summary(connection, old, name, config, secret, accounts),
        by=by,
        at=at,
    )


def _summary(
    connection: Connection,
    old: Connection | None,
    name: str,
    config: dict[str, Any],
    secret: dict[str, str],
    accounts: list[Account],
) -> list[tuple[str, str, str]]:
    """(what, before, after) as the second person reads it; of a secret only that it changed."""
    lines = [(_("Name"), "" if old is None else old.name, name)]
    was_config = {} if old is None else old.config
    was_secret = {} if old is None else secrets.unseal(old.secrets)
    for setting in settings_of(connection.connector):
        if setting.secret:
            before, after = was_secret.get(setting.name), secret.get(setting.name)
            mark = _("changed") if before != after else _("kept secret")
            lines.append((setting.label, _("kept secret") if before else "", mark if after else ""))
        else:
            lines.append(
                (setting.label, str(was_config.get(setting.name, "")), str(config.get(setting.name, "")))
            )
    was = [] if old is None else [str(c.account) for c in old.connected_accounts.select_related("account")]
    lines.append((_("Accounts"), ", ".join(sorted(was)), ", ".join(sorted(map(str, accounts)))))
    if old is not None:
        lines.append((_("State"), str(old.get_state_display()), str(ConnectionState.ACTIVE.label)))
    return lines


def _apply(change: ProposedChange, at: datetime) -> Connection:
    """Put the confirmed settings in force and let the connection work."""
    connection = Connection.objects.select_for_update().get(pk=change.object_id or 0)
    payload = change.payload
    accounts = list(Account.objects.filter(pk__in=payload["accounts"]))
    try:
        _check_accounts(connection, accounts, change.made_by)
    except ConnectionSettingsError as error:
        raise changes.ChangeRefusedError(str(error)) from error
    sealed = base64.b64decode(payload["secrets"])
    was, now = secrets.unseal(connection.secrets), secrets.unseal(sealed)
    payload["settings_changed"] = (connection.config, was) != (payload["config"], now)
    connection.name, connection.config, connection.secrets = payload["name"], payload["config"], sealed
    connection.failures, connection.retry_at, connection.refresh_at = 0, None, None
    connection.save(update_fields=["name", "config", "secrets", "failures", "retry_at", "refresh_at"])
    ConnectedAccount.objects.filter(connection=connection).exclude(account__in=accounts).delete()
    held = set(connection.connected_accounts.values_list("account_id", flat=True))
    ConnectedAccount.objects.bulk_create(
        ConnectedAccount(connection=connection, account=account)
        for account in accounts
        if account.pk not in held
    )
    _forget_secrets(change, at)
    stopped_since = connection.state == ConnectionState.PAUSED and payload["was"] == ConnectionState.ACTIVE
    if connection.state != ConnectionState.ACTIVE and not stopped_since:
        connection = _move(connection, ConnectionState.ACTIVE, None, at, change=change.pk)
    return connection


def _forget_secrets(change: ProposedChange, at: datetime) -> None:
    """A decided proposal has no more use for its secrets."""
    change.payload = {key: value for key, value in change.payload.items() if key != "secrets"}
    change.save(update_fields=["payload"])


def _check_accounts(connection: Connection, accounts: list[Account], by: Any) -> None:
    for account in accounts:
        access.require_account(by, account)
    taken = ConnectedAccount.objects.filter(account__in=accounts).exclude(connection=connection)
    for other in taken.select_related("account", "connection"):
        raise ConnectionSettingsError(
            _("Account %(account)s goes over connection %(connection)s. Take it off there first.")
            % {"account": other.account, "connection": other.connection},
            "accounts",
        )


def _split(
    connector: str, values: Mapping[str, Any], kept: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """(plain settings, secrets) of the given values; an empty secret stays what it was."""
    try:
        declared = settings_of(connector)
    except connectors.NoConnectorError as error:
        raise ConnectionSettingsError(str(error), "connector") from error
    config: dict[str, Any] = {}
    secret: dict[str, str] = {}
    for setting in declared:
        value = values.get(setting.name)
        if setting.secret:
            chosen = str(value) if value not in (None, "") else kept.get(setting.name, "")
            if chosen:
                secret[setting.name] = chosen
        elif value not in (None, ""):
            config[setting.name] = value
    return config, secret


def _check(connector: str, values: Mapping[str, Any]) -> None:
    try:
        connectors.package(connector).Config(**values)
    except (TypeError, ValueError) as error:
        field = next((s.name for s in settings_of(connector) if str(error).startswith(s.name)), "")
        raise ConnectionSettingsError(str(error), field) from error


def _seal(secret: Mapping[str, str]) -> bytes:
    return secrets.seal(secret) if secret else b""


def _move(connection: Connection, to: str, by: Any, at: datetime, **detail: Any) -> Connection:
    return moving.move(
        row=connection,
        to=to,
        transitions=CONNECTION_TRANSITIONS,
        by=by,
        at=at,
        action=f"banks.connection_{to.lower()}",
        **detail,
    )
