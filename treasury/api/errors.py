"""Every failure of the API in one shape: {code, message, hint} and, where fields are at fault, errors.

Domain errors bring their own `code` and become 422; apps name those that mean "not for you" (403)
or "not in this state" (409) with `means`. Whatever nobody foresaw is a 500 with an id that the
log knows, and nothing of its insides.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions
from rest_framework.response import Response

from treasury.secrets import UndecipherableError
from treasury.services.access import AccessDeniedError
from treasury.services.answers import KeyMissingError
from treasury.services.moving import IllegalMoveError

log = logging.getLogger(__name__)
CODE = re.compile(r"(treasury|banks|payments|reconciliation)\.[a-z_]+")


class RequestInvalidError(Exception):
    """The request does not have the form that the documentation gives; `errors` name the fields."""

    code = "treasury.request_invalid"

    def __init__(self, message: str, errors: list[dict[str, str]], hint: str = "") -> None:
        self.errors, self.hint = errors, hint
        super().__init__(message)


class BodyTooLargeError(Exception):
    """The body is larger than the API takes; nothing was done."""

    code = "treasury.body_too_large"

    def __init__(self, limit: int) -> None:
        self.hint = _("Send several smaller requests.")
        super().__init__(_("The body is larger than %(limit)d MB.") % {"limit": limit >> 20})


STATUSES: dict[type[Exception], int] = {
    AccessDeniedError: 403,
    BodyTooLargeError: 413,
    IllegalMoveError: 409,
    KeyMissingError: 400,
    RequestInvalidError: 400,
    UndecipherableError: 500,
}


def means(status: int, *errors: type[Exception]) -> None:
    """Say which status an app's errors (and their subclasses) are answered with; else it is 422."""
    STATUSES.update(dict.fromkeys(errors, status))


@dataclass(frozen=True, slots=True)
class Kind:
    """How a failure of the framework is told."""

    message: Any
    status: int
    code: str
    hint: Any = ""


NOT_SIGNED_IN = Kind(
    gettext_lazy("You are not signed in."),
    status=401,
    code="treasury.not_signed_in",
    hint=gettext_lazy("Send “Authorization: Bearer <token>” with a token from your preferences."),
)
TOKEN = Kind(
    gettext_lazy("The API token is unknown, revoked or its person may not sign in."),
    status=401,
    code="treasury.token_unknown",
    hint=gettext_lazy("Create a new token in your preferences."),
)
NOT_ALLOWED = Kind(
    gettext_lazy("This request is not allowed."),
    status=403,
    code="treasury.request_refused",
    hint=gettext_lazy("With a session cookie, acts need the header X-CSRFToken; with a token they do not."),
)
NOT_FOUND = Kind(
    gettext_lazy("There is nothing at this address, or it was not granted to you."),
    status=404,
    code="treasury.not_found",
    hint=gettext_lazy("The addresses are listed at /api/v1/docs/."),
)
METHOD = Kind(
    gettext_lazy("The address does not take this method."),
    status=405,
    code="treasury.method_not_allowed",
    hint=gettext_lazy("The header Allow lists those it takes."),
)
NOT_ACCEPTABLE = Kind(
    gettext_lazy("The API answers in JSON only."),
    status=406,
    code="treasury.not_acceptable",
    hint=gettext_lazy("Send “Accept: application/json”."),
)
MEDIA_TYPE = Kind(
    gettext_lazy("The address does not take a body of this type."),
    status=415,
    code="treasury.media_type",
    hint=gettext_lazy("Send application/json; files as multipart/form-data."),
)
TOO_MANY = Kind(
    gettext_lazy("This token sent too many requests."),
    status=429,
    code="treasury.too_many_requests",
    hint=gettext_lazy("Wait for the seconds in the header Retry-After."),
)
KINDS: tuple[tuple[type[Exception], Kind], ...] = (
    (exceptions.NotAuthenticated, NOT_SIGNED_IN),
    (exceptions.AuthenticationFailed, TOKEN),
    (exceptions.PermissionDenied, NOT_ALLOWED),
    (PermissionDenied, NOT_ALLOWED),
    (exceptions.NotFound, NOT_FOUND),
    (Http404, NOT_FOUND),
    (exceptions.MethodNotAllowed, METHOD),
    (exceptions.NotAcceptable, NOT_ACCEPTABLE),
    (exceptions.UnsupportedMediaType, MEDIA_TYPE),
    (exceptions.Throttled, TOO_MANY),
)


def explain(exception: Exception, context: Mapping[str, Any]) -> Response:
    """The answer to a failed request (the exception handler of the framework)."""
    for kind_of, kind in KINDS:
        if isinstance(exception, kind_of):
            return _answer(
                kind.status, kind.code, str(kind.message), str(kind.hint), headers=_headers(exception)
            )
    if isinstance(exception, exceptions.ValidationError):
        exception = RequestInvalidError(
            _("The request has fields that cannot be taken; nothing was done."), list(flat(exception.detail))
        )
    if isinstance(exception, exceptions.ParseError | RequestDataTooBig | SuspiciousOperation):
        hint = _("Send one JSON object in UTF-8, as the documentation shows.")
        exception = RequestInvalidError(str(getattr(exception, "detail", exception)), [], hint)
    code = getattr(exception, "code", None)
    status = _status(exception)
    if not isinstance(code, str) or not CODE.fullmatch(code) or status >= 500:
        return _unforeseen(exception)
    return _answer(status, code, str(exception), str(getattr(exception, "hint", "")), _errors(exception))


def _status(exception: Exception) -> int:
    return next((STATUSES[kind] for kind in type(exception).__mro__ if kind in STATUSES), 422)


def _headers(exception: Exception) -> dict[str, str]:
    found = {}
    if value := getattr(exception, "auth_header", None):
        found["WWW-Authenticate"] = value
    if wait := getattr(exception, "wait", None):
        found["Retry-After"] = str(int(wait) + 1)
    return found


def _errors(exception: Exception) -> list[dict[str, str]]:
    """Which fields are at fault: an error's own `errors`, or the `faults` of a refused wish."""
    own: list[dict[str, str]] | None = getattr(exception, "errors", None)
    if own is not None:
        return own
    return [fault_as_error(fault) for fault in getattr(exception, "faults", ()) if hasattr(fault, "field")]


def fault_as_error(fault: Any, at: str = "") -> dict[str, str]:
    """A broken rule as an entry of `errors`; `at` is the place of the object that breaks it."""
    return {"field": f"{at}{fault.field}", "code": fault.code, "message": str(fault), "hint": fault.hint}


def flat(detail: Any, place: str = "") -> Iterator[dict[str, str]]:
    """A serializer's nested complaints as entries that name the field by its path: payments[3].amount."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            if isinstance(name, int):
                yield from flat(inner, f"{place}[{name}]")
            elif name == "non_field_errors":
                yield from flat(inner, place)
            else:
                yield from flat(inner, f"{place}.{name}" if place else str(name))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list)
            yield from flat(inner, f"{place}[{index}]" if nested else place)
    else:
        code = str(getattr(detail, "code", "invalid"))
        yield {"field": place, "code": code, "message": str(detail), "hint": ""}


def _unforeseen(exception: Exception) -> Response:
    name = secrets.token_hex(6)
    log.error("API failure %s", name, exc_info=exception)
    return _answer(
        500,
        code="treasury.unforeseen",
        message=_("Something went wrong in the portal; failure %(id)s.") % {"id": name},
        hint=_(
            "Repeat the request with the same Idempotency-Key. If it fails again, tell the operator this id."
        ),
    )


def _answer(
    status: int,
    code: str,
    message: str,
    hint: str = "",
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    body: dict[str, Any] = {"code": code, "message": message, "hint": hint}
    if errors:
        body["errors"] = errors
    return Response(body, status=status, headers=dict(headers or {}))
