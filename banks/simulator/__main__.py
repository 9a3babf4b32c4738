"""Runs the simulated bank: `python -m banks.simulator --store PATH [--port N] [--key K] …`.

Prints one line of JSON with what a client needs (url, key, store, business_day) and then serves
until SIGTERM or SIGINT, on which it finishes what is being booked and exits with 0.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import FrameType

from banks.simulator.bank import Bank, Settings
from banks.simulator.ledger import business_day
from banks.simulator.server import Server
from banks.simulator.store import get_meta, set_meta

TICK_SECONDS = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the simulated bank, for this command line and for `manage.py`."""
    parser.add_argument("--store", type=Path, required=True, help="SQLite file; made when missing")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (loopback)")
    parser.add_argument("--port", type=int, default=0, help="port; 0 takes a free one")
    parser.add_argument(
        "--key",
        default=os.environ.get("SIMULATED_BANK_KEY", ""),
        help="shared signing key; else SIMULATED_BANK_KEY, else one made once and kept in the store",
    )
    parser.add_argument(
        "--clock",
        default="auto",
        help="'auto': days close at midnight in Shanghai; 'manual': only by control; "
        "YYYY-MM-DD: manual, a new store begins on that business day",
    )
    parser.add_argument("--bank-code", default="SIMUCNSH", help="code of this bank and its accounts")
    parser.add_argument(
        "--window", type=float, default=60.0, help="seconds a payment message is taken after its timestamp"
    )
    parser.add_argument(
        "--with-parent", action="store_true", help="end when the process that started the bank has ended"
    )
    parser.add_argument("--message-limit", type=int, default=500, help="payments a message may carry")


def read_settings(options: argparse.Namespace) -> Settings:
    """Settings from parsed options. Raises SystemExit with a hint when `--clock` is malformed."""
    day = None
    if options.clock not in ("auto", "manual"):
        try:
            day = date.fromisoformat(options.clock)
        except ValueError:
            sys.exit(f"--clock is 'auto', 'manual' or a date YYYY-MM-DD, not {options.clock!r}.")
    return Settings(
        bank_code=options.bank_code,
        received_window_seconds=options.window,
        message_limit=options.message_limit,
        business_day=day,
        follow_clock=options.clock == "auto",
    )


def _key(bank: Bank, given: str) -> str:
    with bank.store.write() as db:
        key = given or get_meta(db, "key") or secrets.token_hex(24)
        set_meta(db, "key", key)
    return key


def run(options: argparse.Namespace) -> int:
    """Serve until told to stop; 0 on a clean end."""
    parent = os.getppid()
    bank = Bank(options.store, read_settings(options))
    key = _key(bank, options.key)
    try:
        server = Server(bank, key=key, host=options.host, port=options.port)
    except OSError as error:
        bank.close()
        sys.exit(f"Cannot listen on {options.host}:{options.port} ({error}); give another --port.")
    over = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        over.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    with bank.store.read() as db:
        day = business_day(db).isoformat()
    line = {"name": "simulated bank", "url": server.url, "key": key, "store": str(options.store)}
    sys.stdout.write(json.dumps({**line, "business_day": day}, ensure_ascii=False) + "\n")
    sys.stdout.flush()
    while not over.wait(TICK_SECONDS) and not (options.with_parent and os.getppid() != parent):
        bank.tick()
    server.stalls.close()
    server.shutdown()
    server.server_close()
    bank.close()
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m banks.simulator", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args(argv))


if __name__ == "__main__":
    sys.exit(main())
