"""Keyset paging for every list."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import exceptions, pagination
from rest_framework.pagination import Cursor


class Pages(pagination.CursorPagination):
    """Keyset paging, newest first. `next` and `previous` are whole addresses, null at the ends."""

    ordering = "-pk"
    page_size = 100
    max_page_size = 1000
    page_size_query_param = "page_size"

    def decode_cursor(self, request: Any) -> Cursor | None:
        """The place to go on from. Raises ParseError for a cursor that is not one of ours."""
        try:
            cursor: Cursor | None = super().decode_cursor(request)
            if cursor is not None and cursor.position is not None:
                int(cursor.position)
        except (exceptions.NotFound, ValueError, OverflowError) as error:
            raise exceptions.ParseError(
                _("The cursor cannot be read. Follow “next” and “previous” as given.")
            ) from error
        return cursor
