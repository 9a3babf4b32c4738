"""The generic maker-checker: a change is proposed by one person and applied by another's yes.

Apps register what kinds of change they own (`register` in `AppConfig.ready()`): how to apply
one, who may propose and who may confirm. Payments have their own, richer approval; this is
for everything else that decides where money goes or who may do what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from treasury.models import Company, ProposedChange
from treasury.querysets import granted
from treasury.services import access, auditing


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of change. `apply` gets the change and returns the object it made or altered.

    `decided_by` and `decided_at` of the change are already set then.

    `undo` is told when the change is rejected or withdrawn, for kinds that hold an object back
    while it waits. `sees` raises AccessDeniedError for a person who may not see everything the
    change is about, when that is more than its company.
    """

    name: str
    label: Any
    propose_permission: str
    confirm_permission: str
    apply: Callable[[ProposedChange, datetime], models.Model]
    undo: Callable[[ProposedChange, datetime], None] | None = None
    sees: Callable[[ProposedChange, Any], None] | None = None


class ChangeRefusedError(Exception):
    """The change cannot be proposed or decided; the text says why and what to do."""

    code = "treasury.change_refused"


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    KINDS[kind.name] = kind


def visible_to(user: Any) -> models.QuerySet[ProposedChange]:
    """Changes that `user` made, or may propose or confirm, of companies granted to them as a whole."""
    kinds = [
        kind
        for kind in KINDS.values()
        if access.may(user, kind.propose_permission) or access.may(user, kind.confirm_permission)
    ]
    companies = granted(user, "treasury.view_company", Company).values("pk")
    rows = ProposedChange.objects.filter(
        Q(made_by=user) | Q(kind__in=[k.name for k in kinds]) & (Q(company=None) | Q(company__in=companies))
    )
    picky = {kind.name: kind.sees for kind in kinds if kind.sees is not None}
    hidden = []
    for change in rows.filter(kind__in=picky).exclude(made_by=user):
        try:
            picky[change.kind](change, user)  # type: ignore[misc]
        except access.AccessDeniedError:
            hidden.append(change.pk)
    return rows.exclude(pk__in=hidden)


def waiting_for(user: Any) -> models.QuerySet[ProposedChange]:
    """Changes that wait for a second person and that `user` may confirm."""
    kinds = [kind.name for kind in KINDS.values() if access.may(user, kind.confirm_permission)]
    pending = ProposedChange.State.PENDING
    return visible_to(user).filter(state=pending, kind__in=kinds).exclude(made_by=user)


@transaction.atomic
def propose(
    *,
    kind: str,
    payload: Mapping[str, Any],
    label: str,
    by: Any,
    at: datetime,
    object_id: int | None = None,
    company: Company | None = None,
    summary: Sequence[tuple[str, str, str]] = (),
    reason: str = "",
) -> ProposedChange:
    """Propose a change. `summary` lists (field, before, after) as the checker shall read them.

    Raises AccessDeniedError, or ChangeRefusedError when a change of this object already waits.
    """
    access.require(by, KINDS[kind].propose_permission)
    try:
        with transaction.atomic():
            change = ProposedChange.objects.create(
                kind=kind,
                object_id=object_id,
                object_label=label,
                company=company,
                payload=auditing.plain(payload),
                summary=[list(line) for line in summary],
                reason=reason,
                made_by=by,
                made_at=at,
            )
    except IntegrityError as error:
        raise ChangeRefusedError(
            _("A change of %(object)s already waits for a second person. Decide or withdraw that one first.")
            % {"object": label}
        ) from error
    auditing.record(
        action=f"{kind}.proposed", about=change, by=by, at=at, company=company, summary=change.summary
    )
    return change


@transaction.atomic
def confirm(*, change: ProposedChange, by: Any, at: datetime, reason: str = "") -> models.Model:
    """A second person's yes: apply the change. Raises ChangeRefusedError or AccessDeniedError."""
    locked = _locked(change, by)
    kind = KINDS[locked.kind]
    if locked.made_by_id == by.pk:
        raise ChangeRefusedError(
            _("%(person)s proposed this change and cannot confirm it. Ask another person.") % {"person": by}
        )
    if not access.may(locked.made_by, kind.propose_permission):
        raise ChangeRefusedError(
            _("%(person)s may not propose this any more. Reject it; whoever may proposes it anew.")
            % {"person": locked.made_by}
        )
    locked.decided_by, locked.decided_at = by, at  # for `apply`; saved when the change is closed
    made = kind.apply(locked, at)
    _close(locked, ProposedChange.State.APPLIED, by, at, reason)
    auditing.record(
        action=f"{locked.kind}.applied", about=made, by=by, at=at, company=locked.company, change=locked.pk
    )
    return made


@transaction.atomic
def reject(*, change: ProposedChange, by: Any, at: datetime, reason: str) -> None:
    """No, with a reason. The proposer may withdraw their own change this way."""
    if not reason.strip():
        raise ChangeRefusedError(_("A rejection needs a reason. Write what is wrong with the change."))
    own = change.made_by_id == by.pk
    locked = _locked(change, by, own=own)
    state = ProposedChange.State.WITHDRAWN if own else ProposedChange.State.REJECTED
    undo = KINDS[locked.kind].undo
    if undo is not None:
        undo(locked, at)
    _close(locked, state, by, at, reason)


def _locked(change: ProposedChange, by: Any, *, own: bool = False) -> ProposedChange:
    locked = ProposedChange.objects.select_for_update(of=("self",)).get(pk=change.pk)
    if locked.state != ProposedChange.State.PENDING:
        raise ChangeRefusedError(
            _("The change of %(object)s is already decided: %(state)s.")
            % {"object": locked.object_label, "state": locked.get_state_display()}
        )
    if not own:
        access.require(by, KINDS[locked.kind].confirm_permission)
    if locked.company is not None:
        access.require_company(by, locked.company)
    sees = KINDS[locked.kind].sees
    if sees is not None:
        sees(locked, by)
    return locked


def _close(change: ProposedChange, state: str, by: Any, at: datetime, reason: str) -> None:
    change.state, change.decided_by, change.decided_at, change.decision_reason = state, by, at, reason
    change.save(update_fields=["state", "decided_by", "decided_at", "decision_reason"])
    auditing.record(
        action=f"{change.kind}.{state.lower()}",
        about=change,
        by=by,
        at=at,
        company=change.company,
        reason=reason,
    )
