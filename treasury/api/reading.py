"""What every list and detail of the API is made of: only what the person may see, never a write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models
from rest_framework import viewsets

from treasury.api.filters import DeclaredFilters, Filter


class Reading(viewsets.ReadOnlyModelViewSet):  # type: ignore[type-arg]
    """List and detail of one model. `visible_to(user)` always applies: the rest is 404.

    `related` is joined, `many` is fetched beside; `filters` are the query parameters.
    """

    model: type[models.Model]
    related: Sequence[str] = ()
    many: Sequence[Any] = ()
    filters: Mapping[str, Filter] = {}
    filter_backends = (DeclaredFilters,)
    lookup_value_converter = "int"

    def rows(self) -> models.QuerySet[Any]:
        """What the person may see."""
        return self.model._default_manager.visible_to(self.request.user)  # type: ignore[attr-defined,no-any-return]

    def get_queryset(self) -> models.QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return self.model._default_manager.none()
        return self.rows().select_related(*self.related).prefetch_related(*self.many)
