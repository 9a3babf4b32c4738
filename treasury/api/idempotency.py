"""Every act by the API happens once per `Idempotency-Key`, however often it is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from treasury.services import answers

HEADER = "Idempotency-Key"
KEY = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="1 to 100 printable characters, fresh for every act and the same for its repetition.",
)


def once(request: Request, act: Callable[[], tuple[int, Any]]) -> Response:
    """Run `act` (status, body) in one transaction with keeping its answer, or give the kept answer.

    Raises KeyMissingError, KeyReusedError, and what `act` raises; then nothing was done.
    """
    answer = answers.answer_once(
        user=request.user,
        key=key_of(request),
        request_digest=digest_of(request),
        act=act,
        at=timezone.now(),
    )
    headers = {"Idempotency-Replayed": "true"} if answer.replayed else {}
    return Response(answer.body, status=answer.status, headers=headers)


def key_of(request: Request) -> str:
    return str(request.headers.get(HEADER, ""))


def digest_of(request: Request) -> str:
    """What makes a request the same: method, address, and body with its names in any order."""
    if not request.FILES:
        return answers.digest_of(request.method, request.path, request.data)
    files = [(name, file.name, _sha256(file)) for name, file in sorted(request.FILES.items())]
    data: Any = request.data
    texts = {name: value for name, value in data.items() if name not in request.FILES}
    return answers.digest_of(request.method, request.path, texts, files)


def _sha256(file: Any) -> str:
    whole = hashlib.sha256()
    for piece in file.chunks():
        whole.update(piece)
    file.seek(0)
    return whole.hexdigest()
