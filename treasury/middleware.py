"""Per-request facts: the reader's language, and the address an audited act comes from."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language_from_request

from treasury.services.access import AccessDeniedError
from treasury.services.auditing import current_ip
from treasury.views import failures

Handler = Callable[[HttpRequest], HttpResponse]


class PreferredLanguageMiddleware:
    """Language by cookie (set by the switch or the preferences), else as the browser says."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = get_language_from_request(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        return response


class PersonMiddleware:
    """Remembers the client address for the audit trail of this request."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.HTTPS else ""
        token = current_ip.set(forwarded.rsplit(",", 1)[-1].strip() or request.META.get("REMOTE_ADDR"))
        try:
            return self.get_response(request)
        finally:
            current_ip.reset(token)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """What a role does not hold is answered with the page that says which permission is missing."""
        return failures.forbidden(request, exception) if isinstance(exception, AccessDeniedError) else None
