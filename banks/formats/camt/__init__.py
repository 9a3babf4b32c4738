"""ISO 20022 cash management messages (camt.052, 053, 054), read in any version, written in v08."""

from __future__ import annotations

from banks.formats.camt.read import read
from banks.formats.camt.write import write

__all__ = ["read", "write"]
