"""The one way rows change their state: locked, checked against their table, saved and audited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.db import models, transaction
from django.utils.translation import gettext as _

from treasury.services import auditing

Row = TypeVar("Row", bound=models.Model)


class IllegalMoveError(Exception):
    """The row's state does not allow the move; `state` is what it was found in."""

    code = "treasury.illegal_move"

    def __init__(self, row: models.Model, state: str, to: str) -> None:
        self.state = state
        super().__init__(
            _("%(row)s is %(state)s and cannot become %(to)s. Reload the page to see what happened.")
            % {"row": row, "state": state, "to": to}
        )


@transaction.atomic
def move(
    *,
    row: Row,
    to: str,
    transitions: Mapping[str, frozenset[str]],
    by: Any,
    at: datetime,
    action: str,
    changes: Mapping[str, Any] | None = None,
    **detail: Any,
) -> Row:
    """Move `row` to state `to` and return it fresh from under its lock.

    `changes` are further columns set in the same save. Raises IllegalMoveError when the
    transition table of the row's kind does not list the move; nothing is written then.
    """
    locked = type(row)._default_manager.select_for_update(of=("self",)).get(pk=row.pk)
    was = locked.state  # type: ignore[attr-defined]
    if to not in transitions.get(was, frozenset()):
        raise IllegalMoveError(locked, was, to)
    for name, value in (changes or {}).items():
        setattr(locked, name, value)
    locked.state = to  # type: ignore[attr-defined]
    locked.save(update_fields=["state", *(changes or {})])
    auditing.record(action=action, about=locked, by=by, at=at, was=was, now=to, **detail)
    return locked


@dataclass(frozen=True, slots=True)
class Step:
    """One row's move within `move_many`: where to, further columns, and what the audit keeps."""

    row: Any
    to: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)


def move_many(
    *, steps: Sequence[Step], transitions: Mapping[str, frozenset[str]], by: Any, at: datetime, action: str
) -> None:
    """Move many rows of one kind that the caller holds locked, in a few statements.

    Raises IllegalMoveError on the first row whose state does not allow it, before anything is
    written. The rows given are brought up to date in memory too.
    """
    if not steps:
        return
    for step in steps:
        if step.to not in transitions.get(step.row.state, frozenset()):
            raise IllegalMoveError(step.row, step.row.state, step.to)
    events = []
    columns = {"state"}
    for step in steps:
        was, step.row.state = step.row.state, step.to
        for name, value in step.changes.items():
            setattr(step.row, name, value)
        columns.update(step.changes)
        events.append(
            auditing.event(action=action, about=step.row, by=by, at=at, was=was, now=step.to, **step.detail)
        )
    manager, first = type(steps[0].row)._default_manager, steps[0]
    if all(s.to == first.to and s.changes == first.changes for s in steps):
        keys = [s.row.pk for s in steps]
        manager.filter(pk__in=keys).update(state=first.to, **first.changes)
    else:
        manager.bulk_update([s.row for s in steps], sorted(columns), batch_size=1000)
    auditing.record_many(events)
