"""Key files for a machine without configured secrets: made once, readable by the owner only.

Production passes keys by the environment; the demo and the tests find theirs here. What the
keys are used for is `treasury.secrets` (encryption at rest), Django (sessions) and
`payments.services.signing` (approvals).
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet

THIRTY_TWO_BYTES = frozenset({"master", "signing"})
"""Keys that are 32 random bytes in URL-safe base64: the encryption key and the signing seed."""


def kept(folder: Path, name: str) -> str:
    """The text of key file `name`, created on first use without a race between processes."""
    path = folder / "keys" / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        fresh = Fernet.generate_key().decode() if name in THIRTY_TWO_BYTES else secrets.token_urlsafe(64)
        draft = path.with_name(f".{name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(fresh)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first; its key counts
        finally:
            draft.unlink()
    return path.read_text().strip()
