"""The ISO 20022 cash messages camt.052, 053 and 054 under the name files are asked for."""

from __future__ import annotations

from banks.formats.camt import read, write

__all__ = ["read", "write"]
