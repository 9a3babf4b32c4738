"""The home page: the cash position and what waits for the reader."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from treasury import shell


def home(request: HttpRequest) -> HttpResponse:
    """Boxes that the apps offered through `shell.add_panel`."""
    boxes = shell.panels_for(request.user, timezone.now())
    return render(request, "treasury/home.html", {"boxes": boxes})
