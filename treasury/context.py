"""What every page's frame needs; nothing here asks the database more than the frame shows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """Navigation and preferences for `base.html`."""
    return {}
