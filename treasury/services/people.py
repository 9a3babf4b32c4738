"""Who may come in and what they may do: every widening or narrowing takes a second administrator.

A new person is stored at once, but cannot sign in until another administrator confirms. One kind
of change, `treasury.access`, carries roles, companies, single accounts, whether the person may
sign in, a new password and the forgetting of second factors, so that the checker sees all of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import models, transaction
from django.utils.translation import gettext as _
from guardian.shortcuts import assign_perm, remove_perm

from treasury.models import Account, Company, ProposedChange, User
from treasury.querysets import granted
from treasury.services import access, auditing, changes

KIND = "treasury.access"
MANAGE = "treasury.manage_access"


@dataclass(frozen=True, slots=True)
class Access:
    """What one person may do: names of roles, ids of companies and of single accounts."""

    active: bool
    roles: frozenset[str]
    companies: frozenset[int]
    accounts: frozenset[int]


def access_of(person: User) -> Access:
    """What `person` has now. Groups that are no roles are left alone and not shown."""
    return Access(
        active=person.is_active,
        roles=frozenset(person.groups.filter(name__in=access.ROLES).values_list("name", flat=True)),
        companies=frozenset(_granted_to(person, "treasury.view_company", Company)),
        accounts=frozenset(_granted_to(person, "treasury.view_account", Account)),
    )


def _granted_to(person: User, permission: str, model: type[models.Model]) -> Iterable[int]:
    rows = granted(person, permission, model)
    return [int(pk) for pk in rows.values_list("pk", flat=True)]


@transaction.atomic
def create_person(
    *, username: str, first_name: str, last_name: str, email: str, by: Any, at: datetime
) -> User:
    """A person who cannot sign in yet. Raises AccessDeniedError."""
    access.require(by, MANAGE)
    person = User(username=username, first_name=first_name, last_name=last_name, email=email, is_active=False)
    person.set_unusable_password()
    person.save(force_insert=True)
    auditing.record(action="treasury.person_entered", about=person, by=by, at=at, username=username)
    return person


def propose_access(
    *,
    person: User,
    wanted: Access,
    by: Any,
    at: datetime,
    password: str = "",
    forget_factors: bool = False,
    reason: str = "",
) -> ProposedChange:
    """Propose what `person` shall have. `password` is kept only as its hash.

    Raises AccessDeniedError, or ChangeRefusedError when nothing would change, when fewer than two
    administrators would be left, or when a change of this person already waits.
    """
    lines = _summary(access_of(person), wanted)
    if password:
        lines.append((_("password"), "", _("a new one, known to who proposed it")))
    if forget_factors:
        lines.append((_("second factors"), "", _("forgotten; the person enrols new ones")))
    if not lines:
        raise changes.ChangeRefusedError(_("Nothing would change. Choose what shall be different."))
    _keep_two_administrators(person, wanted)
    return changes.propose(
        kind=KIND,
        object_id=person.pk,
        label=str(person),
        payload={
            "active": wanted.active,
            "roles": sorted(wanted.roles),
            "companies": sorted(wanted.companies),
            "accounts": sorted(wanted.accounts),
            "password": make_password(password) if password else "",
            "forget_factors": forget_factors,
        },
        summary=lines,
        reason=reason,
        by=by,
        at=at,
    )


def apply(change: ProposedChange, at: datetime) -> models.Model:
    """Give `change.object_id` exactly the access of the payload.

    Raises ChangeRefusedError when a person confirms a change of their own access.
    """
    person = User.objects.select_for_update().get(pk=change.object_id or 0)
    if change.decided_by_id == person.pk:
        raise changes.ChangeRefusedError(
            _("%(person)s cannot confirm a change of their own access. Ask another administrator.")
            % {"person": person}
        )
    data = change.payload
    wanted = Access(
        active=data["active"],
        roles=frozenset(data["roles"]),
        companies=frozenset(data["companies"]),
        accounts=frozenset(data["accounts"]),
    )
    _keep_two_administrators(person, wanted)
    now = access_of(person)
    person.groups.remove(*Group.objects.filter(name__in=access.ROLES).exclude(name__in=wanted.roles))
    person.groups.add(*Group.objects.filter(name__in=wanted.roles))
    _grant(person, "treasury.view_company", Company, now.companies, wanted.companies)
    _grant(person, "treasury.view_account", Account, now.accounts, wanted.accounts)
    person.is_active, person.is_staff = wanted.active, "admin" in wanted.roles
    if data["password"]:
        person.password = data["password"]
    person.save(update_fields=["is_active", "is_staff", "password"])
    if data["forget_factors"]:
        Authenticator.objects.filter(user=person).delete()
    return person


def _grant(
    person: User, permission: str, model: type[models.Model], now: frozenset[int], wanted: frozenset[int]
) -> None:
    for row in model._default_manager.filter(pk__in=wanted - now):
        assign_perm(permission, person, row)
    for row in model._default_manager.filter(pk__in=now - wanted):
        remove_perm(permission, person, row)


def _keep_two_administrators(person: User, wanted: Access) -> None:
    """With fewer than two nobody could confirm anything again."""
    now = access_of(person)
    if not (now.active and "admin" in now.roles) or (wanted.active and "admin" in wanted.roles):
        return
    others = User.objects.filter(is_active=True, groups__name="admin").exclude(pk=person.pk).distinct()
    if others.count() < 2:
        raise changes.ChangeRefusedError(
            _("Two administrators must remain, or nobody could confirm changes. Appoint another one first.")
        )


def _summary(now: Access, wanted: Access) -> list[tuple[str, str, str]]:
    lines = []
    if now.active != wanted.active:
        words = {True: _("yes"), False: _("no")}
        lines.append((_("may sign in"), words[now.active], words[wanted.active]))
    if now.roles != wanted.roles:
        lines.append((_("roles"), ", ".join(sorted(now.roles)), ", ".join(sorted(wanted.roles))))
    for label, model, before, after in (
        (_("companies"), Company, now.companies, wanted.companies),
        (_("single accounts"), Account, now.accounts, wanted.accounts),
    ):
        if before != after:
            lines.append((label, _names(model, before), _names(model, after)))
    return lines


def _names(model: type[models.Model], ids: Iterable[int]) -> str:
    rows = model._default_manager.filter(pk__in=ids)
    return "; ".join(str(row) for row in rows)
