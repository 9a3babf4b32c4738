"""Field 86: reference, counterparty and text out of the layouts banks use.

Numbered fields (`?20`, German), slash words (`/EREF/`, Dutch and SWIFT), the two-digit lines of
`:NS:`, and free text. What is not understood stays in the text.
"""

from __future__ import annotations

import re
from itertools import pairwise

from banks.formats.quick import quick_party
from banks.messages import Party

_NOBODY = Party()
_NUMBERED = re.compile(r"\s*([0-9]{3})\s?([?>~^<$|!§])([0-9]{2})")
_SPLITS = {mark: re.compile(re.escape(mark) + r"([0-9]{2})").split for mark in "?>~^<$|!§"}
_SEPA = re.compile(
    r"(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|BREF|RTRN|IBAN|PURP|(?<![A-Z])BIC)\+ ?"
)
_CUT = re.compile(r"[A-Z]{1,3}\Z")
_CUT_END = re.compile(r"[A-Z]{0,3}\+")
_SEPA_COLON = re.compile(r"(?<![A-Z])(EREF|KREF|MREF|CRED|SVWZ|ABWA|ABWE|IBAN|BIC): ")
_SLASHED = re.compile(
    r"/(EREF|KREF|PREF|RREF|MARF|CSID|ORDP|BENM|REMI|ISDT|RTYP|TRTP|TRCD|RTRN|CNTP|ULTD|ULTB|UDTR|UCRD|PURP|"
    r"IBAN|BIC|NAME|ACCW|ADDR|INIT|NRTX|SVCL|CHGS|OCMT|EXCH|BO|BI|FX|PY|PT)/"
)
_SLASH_START = re.compile(r"\s*/[A-Z]{2,5}/")
_IBAN_FIRST = re.compile(r"\s*([A-Z]{2}[0-9]{2}[A-Z0-9]{11,30})(?: (.*))?$")
_NS_LINE = re.compile(r"([0-9]{2})(.*)")
_WORDY = {"ABWA", "ABWE", "RTRN"}
_NOT_GIVEN = {"", "NOTPROVIDED", "NONREF", "Notprovided", "notprovided"}
_RETURNS = {"108", "109", "159", "184"}
_WIDTH = 27
_LINE = 65


_USUAL = re.compile(
    r"([0-9]{3})\?00([^?]*)(?:\?10[^?]*)?((?:\?2[0-9][^?]*)+)"
    r"(?:\?30([^?]*))?(?:\?31([^?]*))?(?:\?32([^?]*))?(?:\?33([^?]*))?(?:\?34([^?]*))?"
)

Details = tuple[str, str, Party, str, str]
"""What field 86 says of one entry: reference, bank's reference, other side, text, return reason."""

NO_DETAILS: Details = ("", "", _NOBODY, "", "")


def read_details(content: str) -> Details:
    """Read field 86, joined lines and all."""
    mark = content[3:4]
    if mark == "?" and (usual := _USUAL.fullmatch(content.replace("\n", ""))):
        return _usual(*usual.groups(""))
    if mark in _SPLITS and content[:3].isdigit() and content[4:6].isdigit():
        return _numbered(content[:3], mark, content.replace("\n", "") if "\n" in content else content)
    if found := _NUMBERED.match(content):
        kind, mark, _ = found.groups()
        return _numbered(kind, mark, content.replace("\n", "")[found.start(2) :])
    if _SLASH_START.match(content):
        return _slashed(content.replace("\n", ""))
    return _free(content)


def _squeeze(text: str) -> str:
    return " ".join(text.split())


def _numbered(kind: str, mark: str, content: str) -> Details:
    pieces = _SPLITS[mark](content)
    fields: dict[str, str] = {}
    texts: list[str] = []
    late: list[str] = []
    for number, value in zip(pieces[1::2], pieces[2::2], strict=True):
        if number[0] == "2":
            texts.append(value)
        elif number[0] == "6":
            late.append(value)
        else:
            fields[number] = fields[number] + value if number in fields else value
    get = fields.get
    if late:
        texts += [*([" "] if len(texts) < 10 else []), *late]
    reference, bank_reference, party, text, reason = _keywords(texts) if texts else NO_DETAILS
    text = text or _squeeze(get("00", ""))
    name, more = get("32", ""), get("33")
    if more:
        name = name + more if len(name) == _WIDTH else f"{name} {more}"
    account = (get("31") or get("38") or party.account).strip()
    bank = (get("30") or party.bank_code).strip()
    name = _squeeze(name)
    if name or account or bank:
        party = quick_party(name, account, bank)
    if not reason and kind in _RETURNS:
        reason = get("34", "").strip()
    return reference, bank_reference, party, text, reason


def _usual(
    kind: str, title: str, block: str, bank: str, account: str, name: str, more: str, reason: str
) -> Details:
    """Numbered fields in their usual order, all of them known."""
    texts = [piece[2:] for piece in block.split("?")[1:]]
    joined = _joined(texts) if len(texts) > 1 else texts[0]
    middle = joined.find("SVWZ+")
    if middle > 0 and joined.startswith("EREF+") and joined.count("+") == 2 and "\0" not in joined[:middle]:
        # Our reference and a text: by far the most common entry.
        reference, own_bank, party, why = joined[5:middle].strip(), "", _NOBODY, ""
        reference = "" if reference in _NOT_GIVEN else reference
        text = joined[middle + 5 :]
        text = " ".join((text.replace("\0", " ") if "\0" in text else text).split())
    else:
        reference, own_bank, party, text, why = _keywords(texts)
    if more:
        name = name + more if len(name) == _WIDTH else f"{name} {more}"
    account = (account or party.account).strip()
    bank = (bank or party.bank_code).strip()
    name = " ".join(name.split())
    if name or account or bank:
        party = quick_party(name, account, bank)
    if not why and reason and kind in _RETURNS:
        why = reason.strip()
    return reference, own_bank, party, text or _squeeze(title), why


def _joined(texts: list[str]) -> str:
    """Fields after each other, with a NUL where one is not full: there a word ends.

    A keyword may itself be cut in two by the end of a field; that is no gap.
    """
    last = len(texts) - 1
    parts = []
    for index, piece in enumerate(texts):
        parts.append(piece)
        if len(piece) != _WIDTH and index < last:
            if piece[-1:].isupper() and _CUT.search(piece) and _CUT_END.match(texts[index + 1]):
                continue
            parts.append("\0")
    return "".join(parts)


def _keywords(texts: list[str]) -> Details:
    """SEPA keywords over the text fields."""
    joined = _joined(texts) if len(texts) > 1 else texts[0]
    parts = _SEPA.split(joined) if "+" in joined else [joined]
    if len(parts) == 1:
        parts = _SEPA_COLON.split(joined) if ": " in joined else parts
        if len(parts) == 1:
            return "", "", _NOBODY, _squeeze(joined.replace("\0", " ")), ""
    values: dict[str, str] = {}
    free = [parts[0]]
    for word, value in zip(parts[1::2], parts[2::2], strict=True):
        if word == "SVWZ":
            free.append(value)
            continue
        if word not in _WORDY:
            # An identifier ends where its field is not full; what follows is text.
            value, _, rest = value.partition("\0")
            if rest:
                free.append(rest)
        if word not in values:
            values[word] = value.replace("\0", " ").strip()
    text = " ".join(free)
    return _meaning(values, _squeeze(text.replace("\0", " ") if "\0" in text else text))


def _meaning(values: dict[str, str], text: str) -> Details:
    get = values.get
    reference = get("EREF", "")
    if reference in _NOT_GIVEN:
        reference = get("KREF", "")
    party = _NOBODY
    if "IBAN" in values or "BIC" in values:
        party = quick_party("", get("IBAN", "").replace(" ", ""), get("BIC", ""))
    return reference, get("BREF", ""), party, text, _squeeze(get("RTRN", ""))


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
    if reference in _NOT_GIVEN:
        reference = get("KREF", "")
    party = (
        quick_party(_squeeze(name), account.replace(" ", ""), bank) if name or account or bank else _NOBODY
    )
    text = _squeeze(remittance) or _squeeze(get("PY", "")) or _squeeze(content)
    return reference, "", party, text, get("RTRN", "")


def _free(content: str) -> Details:
    if "\n" not in content and "+" not in content and not content[2:4].isdigit():
        return "", "", _NOBODY, " ".join(content.split()), ""
    lines = content.split("\n")
    joined = lines[0]
    for before, line in pairwise(lines):
        joined += line if len(before) >= _LINE else f" {line}"
    out = _keywords([joined]) if "+" in joined else ("", "", _NOBODY, _squeeze(joined), "")
    if out[2] is _NOBODY and (found := _IBAN_FIRST.match(lines[0])):
        party = quick_party(_squeeze(found.group(2) or ""), found.group(1), "")
        out = (out[0], out[1], party, out[3], out[4])
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
    party = quick_party(_squeeze(name), account, bank) if name or account or bank else _NOBODY
    return "", "", party, _squeeze(text), ""
