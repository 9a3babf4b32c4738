"""Where cash to come is known: the registry of flow sources that the forecast asks.

Apps register their sources in `AppConfig.ready()`. A source answers for the accounts and
companies it is given and for nothing else: the asker has already applied visibility.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from django.urls import reverse

if TYPE_CHECKING:
    from treasury.models import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One expected movement. `amount` is signed, money in positive, in major units of `currency`.

    `account_id` is None when only the company is known. `source` and `category` are for
    people; `page` names the portal page that shows `object_id`, "" when there is none to open.
    """

    on: date
    account_id: int | None
    company_id: int
    amount: Decimal
    currency: str
    category: str
    source: str
    label: str
    page: str = ""
    object_id: int | None = None

    @property
    def link(self) -> str:
        """The address of the page, "" when there is none."""
        return reverse(self.page, args=[self.object_id]) if self.page else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whom a source answers for: single accounts, and companies seen as a whole."""

    accounts: Collection[Account]
    companies: Collection[int]
    start: date
    end: date
    at: datetime


class FlowSource(Protocol):
    """Something that knows of cash to come between `scope.start` and `scope.end`, both included.

    What is overdue but still to happen is given with its own day before `scope.start`.
    """

    name: Any

    def flows(self, scope: Scope) -> Iterable[Flow]: ...


SOURCES: dict[str, FlowSource] = {}


def register(key: str, source: FlowSource) -> None:
    """Add a source under a key such as "payments.scheduled"; the same key again replaces it."""
    SOURCES[key] = source
