"""The connector that `banks/README.md` teaches works exactly as it stands there."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from banks import connectors
from banks.connectors.abilities import NotSentError, RefusedError, UncertainError, abilities_of
from banks.messages import AccountIdentity
from banks.simulator.__main__ import add_arguments

README = Path(connectors.__file__).parent.parent / "README.md"


@pytest.fixture
def taught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The package made of the README's blocks, registered as connector `tide`."""
    blocks = re.findall(r"```python file=(\S+)\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    folder = tmp_path / "tide_of_the_readme"
    folder.mkdir()
    for name, code in blocks:
        (folder / name).write_text(code, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(connectors.BUILT_IN, "tide", "tide_of_the_readme")
    yield connectors.package("tide")
    for name in [m for m in sys.modules if m.startswith("tide_of_the_readme")]:
        del sys.modules[name]


class TideBank(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        known = self.headers["Authorization"] == "Bearer let me in"
        body = json.dumps({"time": "2026-11-24T10:00:00+08:00", "balance": "12.50"}).encode()
        if self.path == "/balance/BROKEN":
            body = b"<html>"
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), TideBank) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def connect(taught: Any, address: str, words: str = "let me in") -> Any:
    return taught.connect(taught.Config(base_url=address, token=words), clock=lambda: datetime.now(UTC))


def test_the_taught_connector_fetches_a_balance(taught: Any, address: str) -> None:
    connector = connect(taught, address)
    assert abilities_of(connector) == ("balances",)
    account = AccountIdentity(number="1")
    (report,) = connector.fetch_balances([account]).balances
    assert (report.account, report.ledger) == (account, Decimal("12.50"))


def test_the_taught_connector_tells_the_endings_apart(taught: Any, address: str) -> None:
    with pytest.raises(RefusedError):
        connect(taught, address, "wrong").fetch_balances([AccountIdentity(number="1")])
    with pytest.raises(UncertainError):
        connect(taught, address).fetch_balances([AccountIdentity(number="BROKEN")])
    with pytest.raises(NotSentError):
        connect(taught, "http://127.0.0.1:1").fetch_balances([AccountIdentity(number="1")])


def test_every_option_of_the_simulated_bank_is_explained() -> None:

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    text = README.read_text("utf-8")
    options = [o for a in parser._actions for o in a.option_strings if o.startswith("--")]
    assert [o for o in options if o not in text and o not in ("--help", "--host")] == []
