"""The generic list page: filters in the address, keyset paging, totals, CSV and XLSX export.

    class StatementFilters(Filters):
        search = forms.CharField(label=_("Search"), required=False)      # gets the "/" shortcut
        since = forms.DateField(label=_("From"), required=False)
        lookups = {"search": ("number__icontains", "account__name__icontains"), "since": "closing_on__gte"}

    class StatementsPage(ListPage):
        model, title, filters = Statement, _("Statements"), StatementFilters
        columns = (Column("number", _("Number"), url=lambda s: reverse("banks:statement", args=[s.pk])),
                   Column("closing", _("Closing balance"), kind="amount", sort=True))
        order, related = ("-closing_on", "-id"), ("account",)

    urlpatterns = [path("statements/", StatementsPage.as_view(), name="statements")]

Only rows that `visible_to(user)` returns are ever shown, summed or exported. To add buttons, a
banner or a selection bar extend `generic/list.html` (blocks `actions`, `above`, `selection`,
`below`) and name it in `template_name`; with `selectable = True` every row has a checkbox `ids` in
a form that posts to `selection_url`. `permission` closes the page to other roles (403). `rows()`
may be overridden to narrow or annotate; `sections` of a page stay in its own template.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.db import models
from django.db.models import Q, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from treasury.services import access
from treasury.views import exporting, paging
from treasury.views.columns import Column

EMPTY = _("Nothing here yet.")
NONE_FOUND = _("Nothing matches these filters.")


class Filters(forms.Form):
    """A GET form. `lookups` says for each field which lookup (or which of several) it narrows by.

    Dates become date inputs. A field without a lookup is left to an overridden `narrow`.
    """

    lookups: dict[str, str | tuple[str, ...]] = {}

    def __init__(self, *args: Any, user: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        for field in self.fields.values():
            if isinstance(field, forms.DateField):
                field.widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
            if field.required:
                field.required = False
        if "search" in self.fields:
            self.fields["search"].widget.attrs |= {"type": "search", "data-search": ""}

    def narrow(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """`rows` after every filled-in filter."""
        for name, lookup in self.lookups.items():
            value = self.cleaned_data.get(name)
            if value is None or value == "" or value == []:
                continue
            condition = Q()
            for one in (lookup,) if isinstance(lookup, str) else lookup:
                condition |= Q(**{one: value})
            rows = rows.filter(condition)
        return rows


class ListPage(View):
    """See the module's docstring."""

    model: type[models.Model]
    title: Any = ""
    lead: Any = ""
    template_name = "generic/list.html"
    permission: str | None = None
    filters: type[Filters] | None = None
    columns: Sequence[Column] = ()
    order: Sequence[str] = ("-id",)
    related: Sequence[str] = ()
    page_size = 50
    totals: tuple[str, str] | None = None
    tab_field = ""
    tab_choices: Sequence[tuple[str, Any]] = ()
    rare_tabs: frozenset[str] = frozenset()
    selectable = False
    selection_url: Any = ""
    empty: Any = EMPTY
    export_name = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.permission is not None:
            access.require(request.user, self.permission)
        return super().dispatch(request, *args, **kwargs)

    def rows(self) -> models.QuerySet[Any]:
        """What the reader may see, before filters."""
        found: models.QuerySet[Any] = self.model._default_manager.visible_to(self.request.user)  # type: ignore[attr-defined]
        return found.select_related(*self.related) if self.related else found

    @property
    def shown(self) -> list[Column]:
        """The columns on screen."""
        return [column for column in self.columns if not column.only_in_files]

    def get_order(self) -> Sequence[str]:
        """The declared order, or the one asked for by `?sort=` among sortable columns."""
        asked = self.request.GET.get("sort", "")
        for column in self.columns:
            if column.sort and column.key == asked.removeprefix("-"):
                sign = "-" if asked.startswith("-") else ""
                return (f"{sign}{column.order_field}", f"{sign}id")
        return self.order

    def more(self) -> dict[str, Any]:
        """More context for an own template."""
        return {}

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        form = self.filters(request.GET, user=request.user) if self.filters else None
        rows = self.rows()
        if form is not None:
            rows = form.narrow(rows) if form.is_valid() else rows.none()
        tabs = self._tabs(rows)
        if self.tab_field and (tab := request.GET.get(self.tab_field)):
            rows = rows.filter(**{self.tab_field: tab})
        if request.GET.get("export") in {"csv", "xlsx"}:
            return self.export(rows, request.GET["export"])
        return self.page(request, rows, form, tabs)

    def page(
        self, request: HttpRequest, rows: models.QuerySet[Any], form: Filters | None, tabs: list[Any]
    ) -> HttpResponse:
        """The list on screen."""
        order = self.get_order()
        slice_ = paging.page_of(
            rows,
            order,
            self.page_size,
            after=request.GET.get("after", ""),
            before=request.GET.get("before", ""),
        )
        narrowed = form is not None and any(request.GET.get(name) for name in form.fields)
        context = {
            "view": self,
            "title": self.title,
            "filters": form,
            "slice": slice_,
            "lines": [(row, [(c, c.cell(row)) for c in self.shown]) for row in slice_.rows],
            "tabs": tabs,
            "sums": self.sums(rows) if slice_.rows else [],
            "empty": NONE_FOUND if narrowed or request.GET.get(self.tab_field or "-") else self.empty,
        }
        return render(request, self.template_name, context | self.more())

    def sums(self, rows: models.QuerySet[Any]) -> list[tuple[str, Any]]:
        """Totals per currency of all filtered rows, when `totals` names (amount, currency)."""
        if self.totals is None:
            return []
        amount, currency = self.totals
        summed = rows.order_by().values_list(currency).annotate(total=Sum(amount))
        pairs = summed.values_list(currency, "total")
        return sorted((code, total) for code, total in pairs if total is not None)

    def export(self, rows: models.QuerySet[Any], kind: str) -> HttpResponseBase:
        """All filtered rows as a file, in the order of the screen."""
        name = self.export_name or str(self.model._meta.verbose_name_plural).replace(" ", "-")
        lines = rows.order_by(*self.get_order()).iterator(chunk_size=2000)
        if kind == "csv":
            return exporting.as_csv(
                self.export_name or self.model._meta.model_name or name, self.columns, lines
            )
        try:
            return exporting.as_xlsx(
                self.export_name or self.model._meta.model_name or name, self.columns, lines
            )
        except exporting.TooManyRowsError as error:
            messages.error(self.request, str(error))
            query = self.request.GET.copy()
            query.pop("export")
            return HttpResponseRedirect(f"{self.request.path}?{query.urlencode()}")

    def _tabs(self, rows: models.QuerySet[Any]) -> list[tuple[str, Any, int, bool]]:
        """(value, label, count, current) for each tab, counted by one query; empty rare ones are left out."""
        if not self.tab_field:
            return []
        counted = rows.order_by().values_list(self.tab_field).annotate(n=models.Count("pk"))
        counts = dict(counted.values_list(self.tab_field, "n"))
        now = self.request.GET.get(self.tab_field, "")
        whole = [("", _("All"), sum(counts.values()), not now)]
        tabs = [(v, label, counts.get(v, 0), now == v) for v, label in self.tab_choices]
        return whole + [tab for tab in tabs if tab[2] or tab[3] or tab[0] not in self.rare_tabs]
