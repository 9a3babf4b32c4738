"""Keyset paging for every list."""

from __future__ import annotations

from rest_framework import pagination


class Pages(pagination.CursorPagination):
    """Keyset paging, newest first."""

    ordering = "-pk"
    page_size = 100
    max_page_size = 1000
    page_size_query_param = "page_size"
