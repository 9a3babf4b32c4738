"""How fast and how flat statement files are read: `python -m tests.bench.bench_formats [LINES]`.

Prints MT940 beside the `mt-940` package, camt.053 beside a bare `lxml.iterparse` walk of the same
file, and the memory a process needs at one and at four times the entries. Times are CPU seconds,
the best of three, all taken in this run.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import mt940 as package
from lxml import etree

from banks import formats
from banks.formats import camt053, mt940
from banks.messages import AccountIdentity, DatedAmount, Entry, Party, Statement

LINES = 100_000


def statement(lines: int) -> Statement:
    """A statement with everything an ordinary credit transfer carries."""
    entries = tuple(
        Entry(
            amount=Decimal(n % 9_999).scaleb(-2) + 1,
            currency="EUR",
            booked_on=date(2026, 1, 1 + n % 28),
            value_on=date(2026, 1, 1 + n % 28),
            reference=f"ZL-2026-{n:012}",
            bank_reference=f"B{n:012}",
            counterparty=Party(
                name=f"Company {n} GmbH", account="DE02120300000000202051", bank_code="BYLADEM1001"
            ),
            text=f"Invoice {n} of January and the freight that goes with it",
            code="NTRF",
        )
        for n in range(lines)
    )
    zero = DatedAmount(amount=Decimal(0), on=date(2026, 1, 31))
    total = sum((e.amount for e in entries), Decimal(0))
    return Statement(
        account=AccountIdentity(number="0000202051", currency="EUR"),
        currency="EUR",
        number="1",
        opening=zero,
        closing=DatedAmount(amount=total, on=date(2026, 1, 31)),
        entries=entries,
    )


def plain_mt940(lines: int) -> bytes:
    """The same amount of lines with a short free text each."""
    body = "\r\n".join(
        f":61:260101{101 + n % 28:04}C{n},25NTRFREF{n}//B{n}\r\n:86:INVOICE {n} SOMETHING"
        for n in range(lines)
    )
    head = ":20:X\r\n:25:1\r\n:28C:1/1\r\n:60F:C260101EUR0,00"
    return f"{head}\r\n{body}\r\n:62F:C260101EUR0,00\r\n-\r\n".encode()


def best(work: Callable[[], int]) -> tuple[float, int]:
    """CPU seconds of the fastest of three runs, and what the work counted."""
    times, count = [], 0
    for _ in range(3):
        begun = time.process_time()
        count = work()
        times.append(time.process_time() - begun)
    return min(times), count


def count_events(content: bytes) -> int:
    return sum(isinstance(event, Entry) for event in formats.read(io.BytesIO(content)))


def bare_walk(content: bytes) -> int:
    """Every element of the file, looked at and let go."""
    seen = 0
    for _, element in etree.iterparse(io.BytesIO(content)):
        seen += 1
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]
    return seen


def tagged_walk(content: bytes) -> int:
    """Only the entries, and nothing inside them."""
    seen = 0
    for _, element in etree.iterparse(io.BytesIO(content), tag="{*}Ntry"):
        seen += 1
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]
    return seen


def peak(path: Path) -> float:
    """Megabytes a fresh process needs at most while it reads a file."""
    code = f"import banks.formats as f\nfor e in f.read(open({str(path)!r}, 'rb')): pass\n"
    code += "print(next(x for x in open('/proc/self/status') if x.startswith('VmHWM')).split()[1])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024


def say(what: str, seconds: float, lines: int) -> None:
    print(f"{what:<52}{seconds:8.2f} s {seconds / lines * 1e6:8.1f} µs/line {lines / seconds:10,.0f} lines/s")


def main(lines: int) -> None:
    whole = statement(lines)
    for kind, content in (("numbered :86:", mt940.write([whole])), ("short :86:", plain_mt940(lines))):
        text = content.decode()
        ours, _ = best(lambda content=content: count_events(content))  # type: ignore[misc]
        theirs, _ = best(lambda text=text: len(package.parse(text)))  # type: ignore[misc]
        say(f"MT940, {kind}", ours, lines)
        say(f"MT940, {kind}, mt-940 package", theirs, lines)
        print(f"  ratio: {theirs / ours:.1f} times as fast as the package (target 10)\n")
    content = camt053.write([whole])
    ours, _ = best(lambda: count_events(content))
    bare, _ = best(lambda: bare_walk(content))
    tagged, _ = best(lambda: tagged_walk(content))
    say("camt.053", ours, lines)
    say("camt.053, bare iterparse over every element", bare, lines)
    say("camt.053, bare iterparse over Ntry alone", tagged, lines)
    print(
        f"  ratio: {ours / bare:.2f} of the bare walk (target 2); {ours / tagged:.2f} of the Ntry-only walk\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        for name, writer in (("camt.053", camt053.write), ("MT940", mt940.write)):
            peaks = []
            for size in (lines // 2, lines * 2):
                path.write_bytes(writer([statement(size)]))
                peaks.append(peak(path))
            slope = (peaks[1] - peaks[0]) / (lines * 1.5) * 1e6
            print(
                f"{name} memory: {peaks[0]:.0f} MB at {lines // 2:,} entries, {peaks[1]:.0f} MB at "
                f"{lines * 2:,}: {slope:.1f} MB more for each million"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else LINES)
