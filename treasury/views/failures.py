"""Pages for requests that cannot be served: not allowed, not found, not valid, our own fault."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _


def page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    """One failure page; the reader learns what happened and what to do."""
    return render(request, "failure.html", {"title": title, "text": text, "status": status}, status=status)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: the text of the exception says which permission is missing."""
    default = _("Your role does not open this page. Ask an administrator.")
    return page(request, 403, _("Not allowed"), str(exception or "") or default)


@login_not_required
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: also for what exists but may not be seen."""
    text = _("There is no such page, or it shows something that was not granted to you.")
    return page(request, 404, _("Page not found"), text)


@login_not_required
def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form is older than the session, or cookies are blocked."""
    text = _(
        "The form is no longer valid: you signed in or out since it was opened, or this browser blocks"
        " cookies. Nothing was saved. Go back, reload the page and send it again."
    )
    return page(request, 403, _("Please send the form again"), text)


@login_not_required
def failed(request: HttpRequest) -> HttpResponse:
    """500: drawn without the frame, which may be what failed."""
    return render(request, "500.html", status=500)
