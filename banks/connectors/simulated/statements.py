"""Fetching statement files; the cursor is the bank's own and means "after this statement"."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import urlencode

from banks.connectors.simulated.http import Heard, Line
from banks.connectors.simulated.reading import items_of, text_of, unreadable
from banks.messages import AccountIdentity, Fetched, FetchedPage


class Statements:
    """The ability `statements`."""

    _line: Line

    def fetch_statements(self, account: AccountIdentity, cursor: str) -> FetchedPage:
        """Up to 20 statement files after `cursor`, oldest first."""
        params = urlencode({"account": account.number, "since": cursor, "limit": 20})
        heard = self._line.ask("GET", f"/statements?{params}")
        if text_of(heard, "account") != account.number or not isinstance(heard.data.get("more"), bool):
            raise unreadable(heard, f"statements of account {account.number}")
        files = tuple(_file(heard, item) for item in items_of(heard, "files"))
        return FetchedPage(files=files, cursor=text_of(heard, "cursor"), more=heard.data["more"])


def _file(heard: Heard, item: dict[str, Any]) -> Fetched:
    name, format, content = item.get("name"), item.get("format"), item.get("content")
    if not isinstance(name, str) or not isinstance(format, str) or not isinstance(content, str):
        raise unreadable(heard, "statement file")
    try:
        decoded = base64.b64decode(content, validate=True)
    except (ValueError, binascii.Error):
        raise unreadable(heard, f"content of file {name}") from None
    return Fetched(name=name, content=decoded, format=format, talk=heard.talk)
