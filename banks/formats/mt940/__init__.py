"""SWIFT MT940 statements and MT942 intraday reports."""

from __future__ import annotations

from banks.formats.mt940.write import write

__all__ = ["write"]
