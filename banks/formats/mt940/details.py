"""Field 86: reference, counterparty and text out of the layouts banks use.

Numbered fields (`?20`, German), slash words (`/EREF/`, Dutch and SWIFT), the two-digit lines of
`:NS:`, and free text. What is not understood stays in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from banks.messages import Party

_NOBODY = Party()
_NUMBERED = re.compile(r"\s*([0-9]{3})\s?([?>~^<$|!§])([0-9]{2})")
_SPLITS = {mark: re.compile(re.escape(mark) + r"([0-9]{2})") for mark in "?>~^<$|!§"}
_SEPA = re.compile(
    r"(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|BREF|RTRN|IBAN|PURP)\+ ?|(?<![A-Z])(BIC)\+ ?"
)
_SEPA_COLON = re.compile(r"\b(EREF|KREF|MREF|CRED|SVWZ|ABWA|ABWE|IBAN|BIC): ")
_SLASHED = re.compile(
    r"/(EREF|KREF|PREF|RREF|MARF|CSID|ORDP|BENM|REMI|ISDT|RTYP|TRTP|TRCD|RTRN|CNTP|ULTD|ULTB|UDTR|UCRD|PURP|"
    r"IBAN|BIC|NAME|ACCW|ADDR|INIT|NRTX|SVCL|CHGS|OCMT|EXCH|BO|BI|FX|PY|PT)/"
)
_SLASH_START = re.compile(r"\s*/[A-Z]{2,5}/")
_IBAN_FIRST = re.compile(r"\s*([A-Z]{2}[0-9]{2}[A-Z0-9]{11,30})(?: (.*))?$")
_NS_LINE = re.compile(r"([0-9]{2})(.*)")
_SPACES = re.compile(r"\s+")
_TEXT_NUMBERS = (*(f"{n}" for n in range(20, 30)), *(f"{n}" for n in range(60, 66)))
_RETURNS = {"108", "109", "159", "184"}
_WIDTH = 27
_LINE = 65


@dataclass(slots=True)
class Details:
    """What field 86 says about one entry."""

    reference: str = ""
    bank_reference: str = ""
    party: Party = _NOBODY
    text: str = ""
    reason: str = ""


def read_details(content: str) -> Details:
    """Read field 86, joined lines and all."""
    if found := _NUMBERED.match(content):
        return _numbered(found, content.replace("\n", ""))
    if _SLASH_START.match(content):
        return _slashed(content.replace("\n", ""))
    return _free(content)


def _squeeze(text: str) -> str:
    return _SPACES.sub(" ", text).strip()


def _numbered(found: re.Match[str], content: str) -> Details:
    kind, mark = found.group(1), found.group(2)
    pieces = _SPLITS[mark].split(content[found.start(2) :])
    fields: dict[str, str] = {}
    for index in range(1, len(pieces) - 1, 2):
        number, value = pieces[index], pieces[index + 1]
        fields[number] = fields[number] + value if number in fields else value
    get = fields.get
    texts = [fields[n] for n in _TEXT_NUMBERS if n in fields]
    if texts and "60" in fields and "29" not in fields:
        texts.insert(sum(n in fields for n in _TEXT_NUMBERS[:10]), " ")
    out = _keywords(texts) if texts else Details()
    if not out.text:
        out.text = _squeeze(get("00", ""))
    name, more = get("32", ""), get("33", "")
    if more:
        name = name + more if len(name) == _WIDTH else f"{name} {more}"
    account = (get("31") or get("38") or out.party.account).strip()
    bank = (get("30") or out.party.bank_code).strip()
    name = _squeeze(name) or out.party.name
    if name or account or bank:
        out.party = Party(name=name, account=account, bank_code=bank)
    if not out.reason and kind in _RETURNS and get("34"):
        out.reason = get("34", "").strip()
    return out


def _keywords(texts: list[str]) -> Details:
    """SEPA keywords over fields joined without gaps: a keyword may itself be split in two."""
    joined = "".join(texts)
    marks = list(_SEPA.finditer(joined)) or list(_SEPA_COLON.finditer(joined))
    gaps = []
    at = 0
    for piece in texts[:-1]:
        at += len(piece)
        if len(piece) != _WIDTH:
            gaps.append(at)
    if not marks:
        return Details(text=_squeeze(_spaced(joined, 0, len(joined), gaps)))
    values: dict[str, str] = {}
    free = [_spaced(joined, 0, marks[0].start(), gaps)]
    for index, mark in enumerate(marks):
        word = mark.group(1) or mark.group(2)
        begin = mark.end()
        end = marks[index + 1].start() if index + 1 < len(marks) else len(joined)
        if word == "SVWZ":
            free.append(_spaced(joined, begin, end, gaps))
            continue
        if word not in ("ABWA", "ABWE", "RTRN"):
            # An identifier ends where its field is not full; what follows is text.
            stop = next((gap for gap in gaps if begin < gap < end), end)
            free.append(_spaced(joined, stop, end, gaps))
            value = joined[begin:stop]
        else:
            value = _spaced(joined, begin, end, gaps)
        values.setdefault(word, value.strip())
    return _meaning(values, _squeeze(" ".join(free)))


def _meaning(values: dict[str, str], text: str) -> Details:
    get = values.get
    reference = get("EREF", "")
    if reference.upper() in ("NOTPROVIDED", "NONREF"):
        reference = ""
    account, bank = get("IBAN", "").replace(" ", ""), get("BIC", "")
    return Details(
        reference=reference or get("KREF", ""),
        bank_reference=get("BREF", ""),
        party=Party(account=account, bank_code=bank) if account or bank else _NOBODY,
        text=text,
        reason=_squeeze(get("RTRN", "")),
    )


def _spaced(joined: str, begin: int, end: int, gaps: list[int]) -> str:
    inside = [gap for gap in gaps if begin < gap < end]
    if not inside:
        return joined[begin:end]
    cuts = [begin, *inside, end]
    return " ".join(joined[a:b] for a, b in pairwise(cuts))


def _slashed(content: str) -> Details:
    pieces = _SLASHED.split(content)
    values: dict[str, str] = {}
    for index in range(1, len(pieces) - 1, 2):
        word, value = pieces[index], pieces[index + 1].strip("/ ")
        if value:
            values.setdefault(word, value)
    get = values.get
    name, account, bank = get("NAME", ""), get("IBAN", ""), get("BIC", "")
    if contact := get("CNTP"):
        parts = [*contact.split("/"), "", "", ""]
        account, bank, name = parts[0], parts[1], parts[2] or name
    name = name or get("BENM", "") or get("ORDP", "") or get("BO", "") or get("BI", "")
    remittance = get("REMI", "")
    for prefix in ("USTD//", "STRD/CUR/", "STRD/"):
        remittance = remittance.removeprefix(prefix)
    reference = get("EREF", "")
    if reference.upper() in ("NOTPROVIDED", "NONREF"):
        reference = ""
    party = (
        Party(name=_squeeze(name), account=account.replace(" ", ""), bank_code=bank)
        if name or account or bank
        else _NOBODY
    )
    text = _squeeze(remittance) or _squeeze(get("PY", "")) or _squeeze(content)
    return Details(reference=reference or get("KREF", ""), party=party, text=text, reason=get("RTRN", ""))


def _free(content: str) -> Details:
    lines = content.split("\n")
    joined = lines[0]
    for before, line in pairwise(lines):
        joined += line if len(before) >= _LINE else f" {line}"
    out = _keywords([joined]) if "+" in joined and _SEPA.search(joined) else Details(text=_squeeze(joined))
    if out.party is _NOBODY and (found := _IBAN_FIRST.match(lines[0])):
        out.party = Party(account=found.group(1), name=_squeeze(found.group(2) or ""))
    return out


def read_ns(content: str) -> Details:
    """The `:NS:` field behind a line 61: 01-14 text, 15-16 name, 33 and 34 bank and account."""
    found: dict[str, str] = {}
    for line in content.split("\n"):
        if match := _NS_LINE.match(line):
            found[match.group(1)] = match.group(2)
    text = " ".join(found[k] for k in sorted(found) if k <= "14" or k == "17")
    name = " ".join(found[k] for k in ("15", "16") if k in found)
    bank, account = found.get("33", "").strip(), found.get("34", "").strip()
    party = (
        Party(name=_squeeze(name), account=account, bank_code=bank) if name or account or bank else _NOBODY
    )
    return Details(party=party, text=_squeeze(text))
