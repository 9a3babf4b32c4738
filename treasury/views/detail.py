"""The generic detail page: one object that the reader may see, its facts and its history.

    class StatementPage(DetailPage):
        model, template_name, related = Statement, "banks/statement.html", ("account", "file")
        facts = (Column("account", _("Account")), Column("closing", _("Closing balance"), kind="amount"))

        def more(self, statement):
            return {"entries": statement.entries.all()}

    urlpatterns = [path("statements/<int:pk>/", StatementPage.as_view(), name="statement")]

What `visible_to(user)` leaves out is 404, a missing role is 403 and named. The template extends
`generic/detail.html` (blocks `heading`, `actions`, `above`, `below`) or `base.html`; `object`, its
class name in lower case (`statement`), `facts` and, with `timeline = True`, `timeline` are in the
context. Acts are posts to views of their own, each calling one service.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.generic import View

from treasury.services import access, auditing
from treasury.views.columns import Column


class DetailPage(View):
    """See the module's docstring."""

    model: type[models.Model]
    template_name = "generic/detail.html"
    permission: str | None = None
    related: Sequence[str] = ()
    facts: Sequence[Column] = ()
    timeline = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.permission is not None:
            access.require(request.user, self.permission)
        return super().dispatch(request, *args, **kwargs)

    def rows(self) -> models.QuerySet[Any]:
        """What the reader may see."""
        found: models.QuerySet[Any] = self.model._default_manager.visible_to(self.request.user)  # type: ignore[attr-defined]
        return found.select_related(*self.related) if self.related else found

    def more(self, found: Any) -> dict[str, Any]:
        """More context for an own template."""
        return {}

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        found = get_object_or_404(self.rows(), **kwargs)
        context = {
            "object": found,
            str(self.model._meta.model_name): found,
            "facts": [(c, c.cell(found)) for c in self.facts if not c.hide_empty or c.has_value(found)],
            "timeline": auditing.of(found) if self.timeline else None,
        }
        return render(request, self.template_name, context | self.more(found))
