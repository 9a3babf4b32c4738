"""SWIFT MT940 statements and MT942 intraday reports, read and written."""

from __future__ import annotations

from banks.formats.mt940.read import read
from banks.formats.mt940.write import write

__all__ = ["read", "write"]
