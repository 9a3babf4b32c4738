"""What one element of a camt message means: accounts, balances, parties, details, entries.

Elements come as plain dictionaries of local names (`read.py` builds them): a leaf is its text,
an element with attributes is `{"@": attributes, "#": text}`, a repeated child is a list. Version
differences (v01 to v13) live here as alternatives side by side.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from banks.formats.quick import quick_entry, quick_party
from banks.messages import AccountIdentity, DatedAmount, Entry, EntryStatus, Party

Element = dict[str, Any]

_AMOUNT = re.compile(r"\+?(?:[0-9]{1,18}(?:\.[0-9]{0,5}0*)?|\.[0-9]{1,5}0*)", re.ASCII)
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?![0-9])", re.ASCII)
_NOBODY = Party()
_STATES = {
    "BOOK": EntryStatus.BOOKED,
    "PDNG": EntryStatus.PENDING,
    "INFO": EntryStatus.INFORMATION,
    "FUTR": EntryStatus.PENDING,
}
_UNKNOWN_REFERENCES = {"NOTPROVIDED", "NOT PROVIDED", "NOTAVAILABLE", "NONREF", "NONE", "N/A"}
_DAYS: dict[str, date] = {}


class BadEntryError(ValueError):
    """An entry that cannot be read; the reason is the message."""


def many(element: Any, name: str) -> list[Any]:
    """All children of a name, however many there are."""
    if type(element) is not dict:
        return []
    value = element.get(name)
    if value is None:
        return []
    return value if type(value) is list else [value]


def one(element: Any, *path: str) -> Any:
    """The first child along a path, or None."""
    for name in path:
        if type(element) is not dict:
            return None
        element = element.get(name)
        if type(element) is list:
            element = element[0]
    return element


def text(element: Any, *path: str) -> str:
    """The text at the end of a path, or ""."""
    found = one(element, *path) if path else element
    if type(found) is dict:
        found = found.get("#", "")
    return found or ""


def money(element: Any) -> tuple[Decimal, str]:
    """An amount and its currency, exactly as written. Raises `BadEntryError`."""
    value = text(element)
    if not _AMOUNT.fullmatch(value):
        raise BadEntryError(f"amount “{value}” is not a plain decimal number of at most 18.5 digits")
    currency = element["@"].get("Ccy", "") if type(element) is dict and "@" in element else ""
    return Decimal(value), currency.strip()


def day(element: Any, what: str) -> date | None:
    """A `Dt`/`DtTm` choice as the bank's own day; None when absent. Raises `BadEntryError`."""
    value = element if type(element) is str else text(element, "Dt") or text(element, "DtTm") or text(element)
    if not value:
        return None
    found = _DAYS.get(value)
    if found is None:
        found = _parse_day(value, what)
        if len(_DAYS) > 5000:
            _DAYS.clear()
        _DAYS[value] = found
    return found


def _parse_day(value: str, what: str) -> date:
    match = _DAY.match(value)
    if not match:
        raise BadEntryError(f"{what} “{value}” is not a date like 2026-01-31")
    try:
        return date(*map(int, match.groups()))
    except ValueError:
        raise BadEntryError(f"{what} “{value}” does not exist") from None


def direction(element: Any) -> int:
    """1 for a credit, -1 for a debit. Raises `BadEntryError` when the file does not say."""
    word = text(element, "CdtDbtInd")
    if word == "CRDT":
        return 1
    if word == "DBIT":
        return -1
    raise BadEntryError(f"credit or debit is not stated (CdtDbtInd is “{word}”)")


def account_number(element: Any) -> str:
    """The number in an account element, whatever the scheme."""
    ident = one(element, "Id")
    return (
        text(ident, "IBAN").replace(" ", "")
        or text(ident, "Othr", "Id")
        or text(ident, "PrtryAcct", "Id")
        or text(ident, "BBAN")
        or text(ident, "UPIC")
        or text(element, "Prxy", "Id")
    ).replace("\n", "")


def _agent(element: Any) -> tuple[str, str]:
    """Bank code (BIC before clearing number) and bank name."""
    bank = one(element, "FinInstnId")
    code = (
        text(bank, "BICFI")
        or text(bank, "BIC")
        or text(bank, "ClrSysMmbId", "MmbId")
        or text(bank, "ClrSysMmbId", "Id")
        or text(bank, "CmbndId", "BIC")
        or text(bank, "Othr", "Id")
        or text(bank, "PrtryId", "Id")
    )
    return code, text(bank, "Nm") or text(bank, "NmAndAdr", "Nm")


def account(element: Any) -> AccountIdentity:
    """The statement's own account."""
    code, _ = _agent(one(element, "Svcr"))
    return AccountIdentity(
        number=account_number(element),
        currency=text(element, "Ccy") or None,
        bank_code=code,
        name=text(element, "Nm") or text(element, "Ownr", "Nm"),
    )


def _person(element: Any) -> tuple[str, str]:
    who = one(element, "Pty") or element
    name = text(who, "Nm") or text(who, "NmAndAdr", "Nm")
    if not name and (agent := one(element, "Agt")):
        name = _agent(agent)[1] or _agent(agent)[0]
        who = one(agent, "FinInstnId")
    return name, text(who, "PstlAdr", "Ctry") or text(who, "CtryOfRes")


def _party(details: Element, role: str) -> Party:
    parties = one(details, "RltdPties")
    name = country = number = ""
    if parties:
        name, country = _person(parties.get(role))
        number = account_number(parties.get(role + "Acct"))
        if not name:
            name, more = _person(parties.get("Ultmt" + role))
            country = country or more
    code, bank = _agent(one(details, "RltdAgts", role + "Agt")) if "RltdAgts" in details else ("", "")
    if not (name or number or code or bank or country):
        return _NOBODY
    return quick_party(name, number, code, bank, country)


def counterparty(details: Element, credit: bool, own: str) -> Party:
    """The other side: who paid a credit, who received a debit; never the account itself."""
    first, second = ("Dbtr", "Cdtr") if credit else ("Cdtr", "Dbtr")
    party = _party(details, first)
    if (party.name or party.account) and not (own and party.account == own):
        return party
    other = _party(details, second)
    if (other.name or other.account) and not (own and other.account == own):
        return other
    return party if not (own and party.account == own) else _NOBODY


def code(element: Any) -> str:
    """A bank transaction code: `PMNT-RCDT-ESCT`, or the bank's own."""
    found = one(element, "BkTxCd")
    if not found:
        return ""
    if domain := one(found, "Domn"):
        parts = (text(domain, "Cd"), text(domain, "Fmly", "Cd"), text(domain, "Fmly", "SubFmlyCd"))
        return "-".join(part for part in parts if part)
    return text(found, "Prtry", "Cd")


def status(element: Any, flags: list[str]) -> EntryStatus:
    """Booked, pending or information; an unknown word counts as information, and is flagged."""
    word = text(element, "Sts", "Cd") or text(element, "Sts", "Prtry") or text(element, "Sts")
    known = _STATES.get(word)
    if known is None:
        known = _STATES.get(word.upper()[:4], EntryStatus.INFORMATION)
        if known is EntryStatus.INFORMATION:
            flags.append(f"entry status “{word}” is not known: the entry is not counted as booked")
    return known


def balances(element: Any, currency: str | None) -> dict[str, list[DatedAmount]]:
    """Balances by type code, in file order; those of another currency or unreadable are left out."""
    found: dict[str, list[DatedAmount]] = {}
    for item in many(element, "Bal"):
        kind = text(item, "Tp", "CdOrPrtry", "Cd") or text(item, "Tp", "Cd")
        try:
            amount, unit = money(one(item, "Amt"))
            if unit and currency and unit != currency:
                found.setdefault("OTHER", []).append(DatedAmount(amount=amount))
                continue
            signed = amount * direction(item)
            on = day(one(item, "Dt"), "balance date")
        except BadEntryError:
            found.setdefault("BAD", []).append(DatedAmount(amount=Decimal(0)))
            continue
        found.setdefault(kind, []).append(DatedAmount(amount=signed, on=on))
    return found


@dataclass(slots=True)
class Detail:
    """One transaction inside an entry, boiled down so that a batch of thousands stays small."""

    reference: str
    bank_reference: str
    party: Party
    text: str
    code: str
    reason: str
    sign: int
    amounts: tuple[tuple[Decimal, str] | None, ...]


def _reference(value: str) -> str:
    return "" if value.upper() in _UNKNOWN_REFERENCES else value


def detail(element: Element, entry: Element, own: str) -> Detail:
    """Read one TxDtls; `entry` is the Ntry around it, for the direction."""
    word = text(element, "CdtDbtInd") or text(entry, "CdtDbtInd")
    credit = (word == "CRDT") is not (text(entry, "RvslInd") in ("true", "1"))
    refs = one(element, "Refs")
    return Detail(
        reference=_reference(text(refs, "EndToEndId")) or _reference(text(refs, "InstrId")),
        bank_reference=text(refs, "AcctSvcrRef"),
        party=counterparty(element, credit, own),
        text=_remittance(element),
        code=code(element) if "BkTxCd" in element else "",
        reason=_reason(element) if "RtrInf" in element else "",
        sign=1 if word == "CRDT" else -1,
        amounts=_amounts(element) if "Amt" in element or "AmtDtls" in element else (),
    )


def _remittance(element: Element) -> str:
    parts = []
    for info in many(element, "RmtInf"):
        parts += [text(line) for line in many(info, "Ustrd")]
        for strd in many(info, "Strd"):
            parts.append(text(strd, "CdtrRefInf", "Ref") or text(strd, "CdtrRefInf", "CdtrRef"))
            parts += [text(doc, "Nb") or text(doc, "RfrdDocNb") for doc in many(strd, "RfrdDocInf")]
            parts += [text(line) for line in many(strd, "AddtlRmtInf")]
    parts += [text(line) for line in many(element, "AddtlTxInf")]
    return " ".join([part for part in parts if part])


def _reason(element: Element) -> str:
    parts: list[str] = []
    for info in many(element, "RtrInf"):
        why = one(info, "Rsn") or one(info, "RtrRsn")
        parts.append(text(why, "Cd") or text(why, "Prtry") or text(why))
        parts += [text(line) for line in many(info, "AddtlInf")]
    return " ".join([part for part in parts if part])


def _amounts(element: Element) -> tuple[tuple[Decimal, str] | None, ...]:
    """The amounts a detail may count with, best first; None where one is absent or unreadable."""
    kinds = element.get("AmtDtls")
    found = []
    for item in (
        one(kinds, "TxAmt", "Amt"),
        one(element, "Amt"),
        one(kinds, "CntrValAmt", "Amt"),
        one(kinds, "InstdAmt", "Amt"),
    ):
        try:
            found.append(money(item) if item else None)
        except BadEntryError:
            found.append(None)
    return tuple(found)


def shares(details: list[Detail], total: Decimal, currency: str) -> list[Decimal] | None:
    """Each detail's own signed amount, if one kind of amount adds up to the entry; else None."""
    for kind in range(4):
        picked = [d.amounts[kind] if d.amounts else None for d in details]
        if all(amount is not None and amount[1] in ("", currency) for amount in picked):
            signed = [amount[0] * d.sign for amount, d in zip(picked, details, strict=True) if amount]
            if sum(signed, Decimal(0)) == total:
                return signed
    mixed = []
    for d in details:
        best = next((a for a in d.amounts if a and a[1] in ("", currency)), None)
        if best is None:
            return None
        mixed.append(best[0] * d.sign)
    return mixed if sum(mixed, Decimal(0)) == total else None


def entries(element: Element, own: str, position: int, flags: list[str], home: str = "") -> list[Entry]:
    """The entries one Ntry stands for: one, or one for each transaction when they add up.

    `own` is the statement's account, `home` its currency for an amount that names none. Raises
    `BadEntryError` when the amount, direction or a date cannot be read.
    """
    amount, currency = money(one(element, "Amt"))
    currency = currency or home
    amount *= direction(element)
    booked_on = day(one(element, "BookgDt"), "booking date")
    value_on = day(one(element, "ValDt"), "value date")
    state = status(element, flags)
    groups = many(element, "NtryDtls")
    found: list[Detail] = [d for group in groups for d in many(group, "TxDtls")]
    bank_reference = text(element, "AcctSvcrRef") or text(element, "NtryRef")
    own_text = text(element, "AddtlNtryInf")
    own_code = code(element)
    parts: list[Decimal] | None = None
    if len(found) > 1:
        parts = shares(found, amount, currency)
        if parts is None:
            flags.append(
                f"entry {position}: its {len(found)} transactions do not add up to {amount}; "
                "kept as one entry"
            )
    if len(found) != 1 and parts is None:
        found = [_batch(element, groups, found)]
    reversal = "RvslInd" in element and text(element, "RvslInd") in ("true", "1")
    return [
        quick_entry(
            amount if parts is None else parts[index],
            currency,
            booked_on,
            value_on,
            state,
            d.reference,
            d.bank_reference or bank_reference,
            d.party,
            d.text or own_text,
            d.code or own_code,
            reversal,
            d.reason,
            position + index,
        )
        for index, d in enumerate(found)
    ]


def _batch(element: Element, groups: list[Any], found: list[Detail]) -> Detail:
    """An entry without usable transactions: what is known of the batch as a whole."""
    batch = one(element, "Btch") or next((b for g in groups if (b := one(g, "Btch"))), None)
    words = " ".join(d.text for d in found[:20] if d.text)
    return Detail(_reference(text(batch, "PmtInfId")), "", _NOBODY, words, "", "", 1, ())
