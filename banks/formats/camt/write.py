"""Writing camt.052/053/054 in version 08: what comes out is valid against the ISO schema.

Values that have no place in the message (an entry without a bank code, a text over the limits)
are laid out so that `read` brings them back; a value that cannot be said raises `UnwritableError`.
Bytes depend on the statements alone, so writing the same day twice gives the same file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal

from banks.formats.errors import UnwritableError
from banks.messages import AccountIdentity, DatedAmount, Entry, EntryStatus, Party, Statement

_ROOTS = {
    "052": ("BkToCstmrAcctRpt", "Rpt"),
    "053": ("BkToCstmrStmt", "Stmt"),
    "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
}
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{1,30}")
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_COUNTRY = re.compile(r"[A-Z]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_DOMAIN = re.compile(r"([A-Z]{4})-([A-Z0-9]{4})-([A-Z0-9]{4})")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REASON = re.compile(r"[A-Z0-9]{4}")


def write(
    statements: Iterable[Statement],
    *,
    message: str = "053",
    message_id: str = "",
    created_at: datetime | None = None,
) -> bytes:
    """Write statements as one camt message: "053" statement, "052" report, "054" notification.

    Without `created_at` the message is dated at the end of its newest balance or entry; without
    `message_id` the id is derived from the content. Raises `UnwritableError`.
    """
    if message not in _ROOTS:
        raise UnwritableError(f"camt.{message} cannot be written; choose one of {', '.join(_ROOTS)}.")
    kept = tuple(statements)
    if not kept:
        raise UnwritableError("A camt message needs at least one statement; none was given.")
    moment = (created_at or _newest(kept)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = "".join(piece for s in kept for piece in _statement(s, message, moment))
    root, _ = _ROOTS[message]
    ident = message_id or "ZL" + hashlib.sha256(body.encode()).hexdigest()[:30].upper()
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.{message}.001.08"><{root}>\n'
        f"<GrpHdr><MsgId>{_text(ident, 35, 'message id')}</MsgId><CreDtTm>{moment}</CreDtTm></GrpHdr>\n"
    )
    return f"{head}{body}</{root}></Document>\n".encode()


def _newest(statements: Iterable[Statement]) -> datetime:
    days = [
        day
        for s in statements
        for day in (
            s.closing.on if s.closing else None,
            s.opening.on if s.opening else None,
            *(e.booked_on for e in s.entries),
        )
        if day is not None
    ]
    if not days:
        raise UnwritableError("The statements carry no date at all; give created_at.")
    return datetime.combine(max(days), time(23, 59, 59), UTC)


def _statement(statement: Statement, message: str, moment: str) -> Iterator[str]:
    _, tag = _ROOTS[message]
    if message == "053" and statement.intraday:
        raise UnwritableError("An intraday report cannot be a camt.053 statement; write it as camt.052.")
    if message == "053" and statement.opening is None and statement.closing is None:
        raise UnwritableError("A camt.053 statement needs an opening or a closing balance; both are missing.")
    currency = _currency(statement.currency)
    number = _text(statement.number or "NOTPROVIDED", 35, "statement number")
    yield f"<{tag}><Id>{number}</Id>"
    if statement.number.isdigit() and len(statement.number) <= 18:
        yield f"<ElctrncSeqNb>{int(statement.number)}</ElctrncSeqNb>"
    yield f"<CreDtTm>{moment}</CreDtTm>{_account(statement.account, currency)}\n"
    if message != "054":
        for code, balance in (("OPBD", statement.opening), ("CLBD", statement.closing)):
            if balance is not None:
                yield _balance("ITBD" if statement.intraday and code == "CLBD" else code, balance, currency)
    for entry in statement.entries:
        yield _entry(entry)
    yield f"</{tag}>\n"


def _account(account: AccountIdentity, currency: str) -> str:
    parts = [f"<Acct><Id>{_account_id(account.number, 'account number')}</Id><Ccy>{currency}</Ccy>"]
    if account.name:
        parts.append(f"<Nm>{_text(account.name, 70, 'account name')}</Nm>")
    if account.bank_code:
        parts.append(f"<Svcr><FinInstnId>{_bank(account.bank_code, '')}</FinInstnId></Svcr>")
    parts.append("</Acct>")
    return "".join(parts)


def _account_id(number: str, what: str) -> str:
    if _IBAN.fullmatch(number):
        return f"<IBAN>{number}</IBAN>"
    return f"<Othr><Id>{_text(number, 34, what)}</Id></Othr>"


def _bank(code: str, name: str) -> str:
    parts = []
    if code and _BIC.fullmatch(code):
        parts.append(f"<BICFI>{code}</BICFI>")
    elif code:
        parts.append(f"<ClrSysMmbId><MmbId>{_text(code, 35, 'bank code')}</MmbId></ClrSysMmbId>")
    if name:
        parts.append(f"<Nm>{_text(name, 140, 'bank name')}</Nm>")
    return "".join(parts)


def _balance(code: str, balance: DatedAmount, currency: str) -> str:
    if balance.on is None:
        raise UnwritableError(f"The {code} balance has no date; camt needs the day of every balance.")
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(balance.amount, currency)}"
        f"<Dt>{_day(balance.on)}</Dt></Bal>\n"
    )


def _entry(entry: Entry) -> str:
    currency = _currency(entry.currency)
    parts = ["<Ntry>", _amount(entry.amount, currency)]
    if entry.reversal:
        parts.append("<RvslInd>true</RvslInd>")
    parts.append(f"<Sts><Cd>{EntryStatus(entry.status).value}</Cd></Sts>")
    if entry.booked_on is not None:
        parts.append(f"<BookgDt>{_day(entry.booked_on)}</BookgDt>")
    if entry.value_on is not None:
        parts.append(f"<ValDt>{_day(entry.value_on)}</ValDt>")
    if entry.bank_reference:
        ref = _text(entry.bank_reference, 35, "bank reference")
        parts.append(f"<AcctSvcrRef>{ref}</AcctSvcrRef>")
    parts.append(_code(entry.code))
    parts.append(_details(entry))
    parts.append("</Ntry>\n")
    return "".join(parts)


def _details(entry: Entry) -> str:
    parts = []
    if entry.reference:
        parts.append(f"<Refs><EndToEndId>{_text(entry.reference, 35, 'end-to-end id')}</EndToEndId></Refs>")
    parts.append(_party(entry.counterparty, "Dbtr" if _came_from_debtor(entry) else "Cdtr"))
    if entry.text:
        lines = "".join(f"<Ustrd>{_escape(line)}</Ustrd>" for line in _chunks(_clean(entry.text), 140))
        parts.append(f"<RmtInf>{lines}</RmtInf>" if lines else "")
    if entry.return_reason:
        parts.append(_return(entry.return_reason))
    inside = "".join(parts)
    return f"<NtryDtls><TxDtls>{inside}</TxDtls></NtryDtls>" if inside else ""


def _came_from_debtor(entry: Entry) -> bool:
    """Money in came from a debtor; of a reversal the parties stay those of the first booking."""
    return (entry.amount >= 0) is not entry.reversal


def _party(party: Party, role: str) -> str:
    if party == Party():
        return ""
    pty = f"<Nm>{_text(party.name, 140, 'counterparty name')}</Nm>" if party.name else ""
    if party.country:
        if not _COUNTRY.fullmatch(party.country):
            raise UnwritableError(f"Country “{party.country}” is not two capital letters of ISO 3166.")
        pty += f"<PstlAdr><Ctry>{party.country}</Ctry></PstlAdr>"
    out = f"<{role}><Pty>{pty}</Pty></{role}>" if pty else ""
    if party.account:
        ident = _account_id(party.account, "counterparty account")
        out += f"<{role}Acct><Id>{ident}</Id></{role}Acct>"
    out = f"<RltdPties>{out}</RltdPties>" if out else ""
    if party.bank_code or party.bank_name:
        bank = _bank(party.bank_code, party.bank_name)
        out += f"<RltdAgts><{role}Agt><FinInstnId>{bank}</FinInstnId></{role}Agt></RltdAgts>"
    return out


def _return(reason: str) -> str:
    code, _, more = _clean(reason).partition(" ")
    if _REASON.fullmatch(code):
        inside = f"<Rsn><Cd>{code}</Cd></Rsn>"
    else:
        inside, more = "", _clean(reason)
    inside += "".join(f"<AddtlInf>{_escape(line)}</AddtlInf>" for line in _chunks(more, 105))
    return f"<RtrInf>{inside}</RtrInf>"


def _code(code: str) -> str:
    if not code:
        return "<BkTxCd/>"
    if found := _DOMAIN.fullmatch(code):
        domain, family, sub = found.groups()
        return (
            f"<BkTxCd><Domn><Cd>{domain}</Cd><Fmly><Cd>{family}</Cd><SubFmlyCd>{sub}</SubFmlyCd></Fmly>"
            "</Domn></BkTxCd>"
        )
    return f"<BkTxCd><Prtry><Cd>{_text(code, 35, 'transaction code')}</Cd></Prtry></BkTxCd>"


def _amount(amount: Decimal, currency: str) -> str:
    if not amount.is_finite():
        raise UnwritableError(f"Amount {amount} is not a number of money.")
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int)  # noqa: S101  finite, said above
    if exponent < -5 or len(amount.as_tuple().digits) > 18:
        raise UnwritableError(f"Amount {amount} does not fit: at most 18 digits, 5 of them decimals.")
    side = "DBIT" if amount < 0 else "CRDT"
    return f'<Amt Ccy="{currency}">{amount.copy_abs():f}</Amt><CdtDbtInd>{side}</CdtDbtInd>'


def _currency(code: str) -> str:
    if not _CURRENCY.fullmatch(code or ""):
        raise UnwritableError(f"Currency “{code}” is not three capital letters of ISO 4217.")
    return code


def _day(day: date) -> str:
    return f"<Dt>{day.isoformat()}</Dt>"


def _clean(value: str) -> str:
    return " ".join(_NOT_XML.sub("", value).split())


def _escape(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _text(value: str, limit: int, what: str) -> str:
    clean = _clean(value)
    if not clean or len(clean) > limit:
        raise UnwritableError(f"The {what} “{value}” must have 1 to {limit} characters; it has {len(clean)}.")
    return _escape(clean)


def _chunks(value: str, size: int) -> Iterator[str]:
    """Cut at spaces where there are any, so that joining with spaces gives the text back."""
    while len(value) > size:
        cut = value.rfind(" ", 1, size + 1)
        if cut < 1:
            cut = size
        yield value[:cut]
        value = value[cut:].lstrip()
    if value:
        yield value
