"""大写金额: CNY amounts in Chinese capital numerals, as the 支付结算办法 (annex 1) writes them.

整 closes an amount that ends at 元 or 角; 零 stands once for every gap between digits. Where 万 or 元
is 0 and the next digit is not, the annex allows two forms; this is the first of its examples.
What ends in 分 takes no 整. Amounts finer than 分, negative ones and those of 10^16 and more are refused.
"""

from __future__ import annotations

from decimal import Decimal

DIGITS = "零壹贰叁肆伍陆柒捌玖"
PLACES = ("", "拾", "佰", "仟")
GROUPS = ("", "万", "亿", "万亿")
LIMIT = Decimal(10) ** 16


class NotWritableError(ValueError):
    """The amount has no exact form in 元角分."""

    code = "payments.not_writable"


def capitals(amount: Decimal) -> str:
    """107000.53 as 壹拾万柒仟元零伍角叁分. Raises NotWritableError."""
    if not amount.is_finite() or amount < 0 or amount >= LIMIT:
        raise NotWritableError(f"{amount} cannot be written in capitals: only 0 to 10^16 can.")
    fen = amount * 100
    if fen != fen.to_integral_value():
        raise NotWritableError(f"{amount} is finer than 分 and cannot be written in capitals.")
    whole, cents = divmod(int(fen), 100)
    jiao, rest = divmod(cents, 10)
    text = f"{_whole(whole)}元" if whole else ""
    if not cents:
        return (text or "零元") + "整"
    if jiao:
        gap = "零" if whole and whole % 10 == 0 else ""
        text += f"{gap}{DIGITS[jiao]}角"
    elif whole:
        text += "零"
    return text + (f"{DIGITS[rest]}分" if rest else "整")


def _whole(number: int) -> str:
    """The part before 元: groups of four digits, one 零 for every gap."""
    parts: list[str] = []
    gap = False
    for group in range(len(GROUPS) - 1, -1, -1):
        four = number // 10 ** (4 * group) % 10_000
        if not four:
            gap = gap or bool(parts)
            continue
        if parts and (gap or four < 1000):
            parts.append("零")
        parts.append(_four(four) + _unit(number, group))
        gap = False
    return "".join(parts)


def _unit(number: int, group: int) -> str:
    """万亿 is written 万 when a 亿 group follows: 壹万贰仟亿 would be read wrongly otherwise."""
    if group == 3 and number // 10**8 % 10_000:
        return "万"
    return GROUPS[group]


def _four(four: int) -> str:
    text, gap = "", False
    for place in (3, 2, 1, 0):
        digit = four // 10**place % 10
        if digit:
            text += ("零" if gap and text else "") + DIGITS[digit] + PLACES[place]
            gap = False
        else:
            gap = True
    return text
