"""What a connection to the simulated bank needs to know."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from banks.marking import gettext_noop as _


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Settings of one connection. Raises ValueError naming the field that is wrong."""

    base_url: str = field(
        metadata={
            "label": _("Address"),
            "help": _("Where the simulated bank listens, such as http://127.0.0.1:8900."),
            "secret": False,
        }
    )
    key: str = field(
        repr=False,
        metadata={
            "label": _("Signing key"),
            "help": _("The key the simulated bank printed when it started."),
            "secret": True,
        },
    )
    timeout_seconds: float = field(
        default=15.0,
        metadata={
            "label": _("Timeout in seconds"),
            "help": _("How long to wait for the bank before the outcome of a request counts as unknown."),
            "secret": False,
        },
    )
    no_record_window_seconds: float = field(
        default=60.0,
        metadata={
            "label": _("Received window in seconds"),
            "help": _(
                "How long after its timestamp the bank takes a payment message; the bank's own setting."
            ),
            "secret": False,
        },
    )
    clock_margin_seconds: float = field(
        default=5.0,
        metadata={
            "label": _("Clock margin in seconds"),
            "help": _("How far the bank's clock may be behind ours before “no record” proves nothing."),
            "secret": False,
        },
    )
    batch_limit: int = field(
        default=200,
        metadata={
            "label": _("Payments a message"),
            "help": _("The most payments to send in one message; the bank takes 500."),
            "secret": False,
        },
    )

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"base_url must look like http://127.0.0.1:8900, not {self.base_url!r}.")
        if parts.username or parts.password:
            raise ValueError("base_url must not carry a user name or password.")
        if not self.key or not self.key.isprintable():
            raise ValueError("key must be the printable text that the bank printed when it started.")
        for name in ("timeout_seconds", "no_record_window_seconds", "batch_limit"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above zero, not {getattr(self, name)!r}.")
        if self.clock_margin_seconds < 0:
            raise ValueError(f"clock_margin_seconds must not be negative, not {self.clock_margin_seconds!r}.")
        if self.batch_limit > 500:
            raise ValueError(f"batch_limit must be at most 500, not {self.batch_limit!r}.")
