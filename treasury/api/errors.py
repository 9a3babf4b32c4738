"""Every failure of the API in one shape."""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response
from rest_framework.views import exception_handler


def explain(exception: Exception, context: dict[str, Any]) -> Response | None:
    """Every failure in one shape."""
    response = exception_handler(exception, context)
    if response is not None:
        response.data = {"code": "request", "message": str(exception), "hint": "", "detail": response.data}
    return response
