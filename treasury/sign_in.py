"""How people come in: existing users only. Accounts are made by administrators, never by sign-up."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter


class ClosedDoorAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """No self-registration."""

    def is_open_for_signup(self, request: Any) -> bool:
        return False
