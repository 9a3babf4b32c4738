"""Bringing every stored secret under the newest master key."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import transaction

from treasury import secrets
from treasury.models import User
from treasury.services import auditing


@transaction.atomic
def rotate_master_key(*, by: User | None, at: datetime) -> dict[str, int]:
    """Seal again every value of the registered columns; all of them or, on a failure, none.

    Returns the number of values for each column. Raises UndecipherableError when a value opens
    with none of the keys: then the key it was written with must come back first.
    """
    done: dict[str, int] = {}
    for label, field in secrets.SEALED_COLUMNS:
        rows = apps.get_model(label)._default_manager.select_for_update().order_by("pk")
        count = 0
        for row in rows.iterator(500):
            value = getattr(row, field)
            if not value:
                continue
            rows.model._default_manager.filter(pk=row.pk).update(**{field: _resealed(value)})
            auditing.record(action="treasury.secret_resealed", about=row, by=by, at=at, column=field)
            count += 1
        done[f"{label}.{field}"] = count
    for name, reseal_all in secrets.SEALED_INSIDE.items():
        done[name] = reseal_all()
    return done


def _resealed(value: Any) -> bytes | str:
    """Under the newest key, in the type it is stored in."""
    if isinstance(value, str):
        return secrets.reseal(value.encode()).decode()
    return secrets.reseal(bytes(value))
