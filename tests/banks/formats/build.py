"""Small statement files written out in tests, and files read back as whole statements."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pytest

from banks import formats
from banks.formats.tally import Reversals
from banks.messages import Entry, Quarantined, Statement, StatementEnd, StatementStart

SHARED = Path(__file__).parents[3] / "../shared"
OWN = Path(__file__).parents[2] / "samples/formats"


def shared(*parts: str) -> Path:
    """A path beside the repository; the test skips with a reason where that folder is absent."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{'/'.join(parts)} is not beside this repository")
    return path


@dataclass
class Whole:
    """Everything a file gave."""

    statements: list[Statement] = field(default_factory=list)
    ends: list[StatementEnd] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)

    @property
    def entries(self) -> list[Entry]:
        return [entry for statement in self.statements for entry in statement.entries]

    @property
    def amounts(self) -> list[Decimal]:
        return [entry.amount for entry in self.entries]

    @property
    def entry(self) -> Entry:
        (only,) = self.entries
        return only

    @property
    def flags(self) -> str:
        return "; ".join(flag for end in self.ends for flag in end.flags)


def whole(content: bytes | str, format: str | None = None, reversals: Reversals = "balance") -> Whole:
    """Read a file to its end."""
    data = content.encode() if isinstance(content, str) else content
    out = Whole()
    start: StatementStart | None = None
    entries: list[Entry] = []
    for event in formats.read(io.BytesIO(data), format, reversals=reversals):
        if isinstance(event, StatementStart):
            start, entries = event, []
        elif isinstance(event, Entry):
            entries.append(event)
        elif isinstance(event, Quarantined):
            out.quarantined.append(event)
        else:
            assert start is not None
            out.ends.append(event)
            out.statements.append(
                Statement(
                    account=event.account or start.account,
                    currency=event.currency or start.currency or "",
                    number=event.number or start.number,
                    opening=event.opening or start.opening,
                    closing=event.closing,
                    entries=tuple(entries),
                    flags=event.flags,
                    intraday=start.intraday,
                )
            )
    return out


def bal(code: str, amount: str, side: str = "CRDT", on: str = "2026-01-31", ccy: str = "EUR") -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='{ccy}'>{amount}</Amt>"
        f"<CdtDbtInd>{side}</CdtDbtInd><Dt><Dt>{on}</Dt></Dt></Bal>"
    )


def ntry(
    amount: str = "10.00",
    side: str = "CRDT",
    inside: str = "",
    *,
    sts: str = "BOOK",
    head: str = "",
    ccy: str = "EUR",
    dates: str = "<BookgDt><Dt>2026-01-31</Dt></BookgDt>",
) -> str:
    return (
        f"<Ntry><Amt Ccy='{ccy}'>{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{head}<Sts>{sts}</Sts>{dates}"
        f"<AcctSvcrRef>BANK1</AcctSvcrRef>{inside}</Ntry>"
    )


def stmt(
    *entries: str,
    opening: str | None = "0.00",
    closing: str | None = None,
    head: str = "",
    account: str = "<IBAN>DE02120300000000202051</IBAN>",
    ccy: str = "EUR",
    ident: str = "S1",
    tag: str = "Stmt",
) -> str:
    balances = (bal("OPBD", opening, ccy=ccy) if opening is not None else "") + (
        bal("CLBD", closing, ccy=ccy) if closing is not None else ""
    )
    return (
        f"<{tag}><Id>{ident}</Id>{head}<Acct><Id>{account}</Id><Ccy>{ccy}</Ccy></Acct>"
        f"{balances}{''.join(entries)}</{tag}>"
    )


def camt(*statements: str, message: str = "053.001.08", root: str = "BkToCstmrStmt", group: str = "") -> str:
    return (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        f"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.{message}'>"
        f"<{root}><GrpHdr><MsgId>M</MsgId>{group}</GrpHdr>{''.join(statements)}</{root}></Document>"
    )


def tx(amount: str | None = None, side: str | None = None, more: str = "", e2e: str = "") -> str:
    refs = f"<Refs><EndToEndId>{e2e}</EndToEndId></Refs>" if e2e else ""
    amt = f"<Amt Ccy='EUR'>{amount}</Amt>" if amount else ""
    ind = f"<CdtDbtInd>{side}</CdtDbtInd>" if side else ""
    return f"<TxDtls>{refs}{amt}{ind}{more}</TxDtls>"


def swift(
    *lines: str,
    opening: str | None = "C260101EUR0,00",
    closing: str | None = "C260131EUR0,00",
    account: str = "12030000/0000202051",
    number: str = "1/1",
) -> str:
    body = [":20:STARTUMS", f":25:{account}", f":28C:{number}"]
    body += [f":60F:{opening}"] if opening else []
    body += lines
    body += [f":62F:{closing}"] if closing else []
    return "\r\n".join([*body, "-", ""])


def closed(statement: Statement) -> Statement:
    """The statement with the closing balance its entries ask for."""
    assert statement.opening is not None
    assert statement.closing is not None
    booked = sum((entry.amount for entry in statement.entries), Decimal(0))
    return replace(statement, closing=replace(statement.closing, amount=statement.opening.amount + booked))
