"""How the simulated bank refuses a whole message."""

from __future__ import annotations


class BankError(Exception):
    """A message is refused as a whole and nothing of it was processed."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text
