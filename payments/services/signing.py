"""Signing of decisions: who said what about which bytes when, under the portal's Ed25519 key.

A signature is written as `ed25519:<key>:<base64>`; the key's name is the start of the SHA-256
of its public half, so that old signatures verify after a new key came first in
ZHILIAN_SIGNING_KEYS. A passkey signature of the person will stand beside it, not replace it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from payments.models import Decision

SCHEME = "ed25519"


@cache
def _key(seed: str) -> tuple[str, Ed25519PrivateKey]:
    try:
        key = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(seed))
    except ValueError as error:
        raise ImproperlyConfigured(
            "ZHILIAN_SIGNING_KEYS: a key is not 32 bytes in URL-safe base64."
            " Make one with: python -c 'import os,base64;"
            "print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"
        ) from error
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(public).hexdigest()[:12], key


def statement(
    *,
    request_id: int,
    reference: str,
    version: int,
    digest: str,
    person_id: int,
    verdict: str,
    step: int,
    at: datetime,
) -> bytes:
    """The exact bytes that are signed: JSON with sorted keys and no spaces."""
    return json.dumps(
        {
            "form": "zhilian-decision-1",
            "request": request_id,
            "reference": reference,
            "version": version,
            "digest": digest,
            "person": person_id,
            "verdict": verdict,
            "step": step,
            "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        },
        sort_keys=True,
        separators=(",", ":"),
    ).encode()


def sign(said: bytes) -> str:
    """The signature of the newest key over a statement."""
    name, key = _key(settings.SIGNING_KEYS[0])
    return f"{SCHEME}:{name}:{base64.b64encode(key.sign(said)).decode()}"


def verifies(said: bytes, signature: str) -> bool:
    """Whether one of the portal's keys signed exactly these bytes."""
    scheme, _colon, rest = signature.partition(":")
    name, _colon, text = rest.partition(":")
    for known, key in map(_key, settings.SIGNING_KEYS):
        if scheme == SCHEME and name == known:
            try:
                key.public_key().verify(base64.b64decode(text, validate=True), said)
            except (InvalidSignature, ValueError):
                return False
            return True
    return False


def decision_verifies(decision: Decision) -> bool:
    """Whether a stored decision is what was signed (its request and payment must be loaded)."""
    request = decision.request
    said = statement(
        request_id=request.pk,
        reference=request.payment.reference,
        version=request.version,
        digest=decision.digest,
        person_id=decision.person_id,
        verdict=decision.verdict,
        step=decision.step,
        at=decision.at,
    )
    return decision.digest == request.digest and verifies(said, decision.signature)
