"""What every page's frame needs; nothing here asks the database before the frame shows it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from treasury import shell as frame


def shell(request: HttpRequest) -> dict[str, Any]:
    """Navigation and preferences for `base.html`."""
    user = getattr(request, "user", None)
    return {
        "portal_sections": SimpleLazyObject(lambda: frame.pages_for(user)),
        "portal_languages": settings.LANGUAGES,
    }
