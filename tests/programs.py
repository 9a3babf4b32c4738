"""Programs that use the API: a client signed in with a real token, and bodies to send."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from rest_framework.test import APIClient

from payments.models import Beneficiary
from tests.make import NOW, Cast
from treasury.models import User
from treasury.services import api_tokens


class Program(APIClient):
    """Acts as one person; every POST carries a fresh key unless one is given."""

    def __init__(self, user: User, **kwargs: Any) -> None:
        super().__init__(raise_request_exception=False, **kwargs)
        _token, self.token = api_tokens.create_token(user=user, name="test", by=user, at=NOW)
        self.credentials(HTTP_AUTHORIZATION=f"Bearer {self.token}")

    def act(self, path: str, body: Any = None, *, key: str | None = None, **extra: Any) -> Any:
        """POST JSON to an address below /api/v1/."""
        return self.post(
            f"/api/v1/{path}",
            {} if body is None else body,
            format="json",
            HTTP_IDEMPOTENCY_KEY=key or str(uuid.uuid4()),
            **extra,
        )

    def read(self, path: str, **query: Any) -> Any:
        return self.get(f"/api/v1/{path}", query)


def batch_body(cast: Cast, payee: Beneficiary, *amounts: str, on: date, **fields: Any) -> dict[str, Any]:
    """A batch from the CNY account to one payee."""
    payments = [
        {"beneficiary": payee.pk, "amount": amount, "currency": "CNY", "execute_on": on.isoformat()}
        for amount in amounts
    ]
    return {"account": cast.cny.pk, "name": "Suppliers", "payments": payments, **fields}
