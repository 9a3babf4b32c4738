"""From the bytes of a SWIFT file to text: which encoding, which line ends, in pieces.

Banks send UTF-8, Windows-1252, ISO-8859-1, CP852 (Central Europe) and GBK (China) without saying
which. UTF-8 is recognised; the others are told apart by what their bytes would spell.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

_BLOCK = 1 << 18
_LONGEST = 1 << 22
_CONTROL = bytes(b for b in range(32) if b not in b"\t\n\r")
_GB_PAIR = re.compile(rb"[\xb0-\xf7][\xa1-\xfe]|[\xa1-\xa9][\xa1-\xfe]")
_HIGH = re.compile(rb"[\x80-\xff]")
_WORDS = re.compile(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")
_MULTI = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{1,3}")


def _stray(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in bad), error.end


codecs.register_error("stray-byte", _stray)


def guess_encoding(sample: bytes) -> str:
    """The most likely encoding of a piece of a statement file."""
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
        return "utf-8"
    except UnicodeDecodeError:
        pass
    high = len(_HIGH.findall(sample))
    if 2 * len(_GB_PAIR.findall(sample)) >= 0.9 * high:
        return "gb18030"
    good = sum(len(m) for m in _MULTI.findall(sample))
    if good > high - good:
        return "utf-8"
    return "cp852" if _spelling(sample, "cp852") > _spelling(sample, "cp1252") else "cp1252"


def _spelling(sample: bytes, encoding: str) -> int:
    """How many odd bytes become letters of the case around them, less those that become signs."""
    score = 0
    for raw in _WORDS.findall(sample)[:2000]:
        word = raw.decode(encoding, "replace")
        odd = [c for c in word if ord(c) > 127]
        plain = [c for c in word if ord(c) < 128]
        if not plain:
            continue  # a sign standing alone, such as a dash or the euro, says nothing
        for char in odd:
            if not char.isalpha() or char in "ªºƒ":
                score -= 2
            elif len(plain) > 1 and char.isupper() and all(c.islower() for c in plain[1:]):
                score -= 0 if word[0] == char else 1
            else:
                score += 1
    return score


def blocks(stream: BinaryIO, encoding: str | None = None) -> Iterator[str]:
    """The file as text in pieces that end at line ends, with `\\n` as the only line end."""
    rest = b""
    chosen = encoding
    decoder: codecs.IncrementalDecoder | None = None
    while True:
        piece = stream.read(_BLOCK)
        data = rest + piece
        if not data:
            return
        if decoder is None and not rest and (chosen or guess_encoding(data)) == "utf-16":
            decoder = codecs.getincrementaldecoder("utf-16")("replace")
        if decoder is not None:
            yield _unix(decoder.decode(piece, final=not piece))
            if not piece:
                return
            continue
        cut = len(data) if not piece else max(data.rfind(b"\n"), data[:-1].rfind(b"\r")) + 1
        cut = len(data) if len(data) > _LONGEST else cut
        rest, data = data[cut:], data[:cut]
        if not data:
            if not piece:
                return
            continue
        if chosen is None and not data.isascii():
            chosen = guess_encoding(data)
        yield _decode(data.removeprefix(codecs.BOM_UTF8), chosen or "utf-8")
        if not piece:
            return


def _decode(data: bytes, encoding: str) -> str:
    errors = "replace" if encoding == "gb18030" else "stray-byte"
    return _unix(data.translate(None, _CONTROL).decode(encoding, errors))


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
