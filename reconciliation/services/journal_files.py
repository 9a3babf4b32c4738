"""Reading a bank journal file: headers in English or Chinese, one meaning per line, problems by cause.

Nothing is written here. In a company's bank journal the debit column (借方) is money in and the
credit column (贷方) money out: the mirror of the bank's own statement. A file carries either
these two columns or one signed amount column, where money in is positive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from treasury import money
from treasury.models import Account
from treasury.tables import Problem, Row, Table, find_columns, grouped, read_date, read_table

NAMES: dict[str, tuple[str, ...]] = {
    "posted_on": (
        "date",
        "posted on",
        "posting date",
        "book date",
        "日期",
        "记账日期",
        "业务日期",
        "凭证日期",
    ),
    "amount": ("amount", "signed amount", "金额", "发生额"),
    "debit": (
        "debit",
        "debit amount",
        "money in",
        "received",
        "借方",
        "借方金额",
        "借方发生额",
        "收入",
        "收入金额",
    ),
    "credit": (
        "credit",
        "credit amount",
        "money out",
        "paid",
        "贷方",
        "贷方金额",
        "贷方发生额",
        "支出",
        "支出金额",
    ),
    "currency": ("currency", "ccy", "币种", "币别"),
    "voucher": ("voucher", "voucher number", "document", "凭证号", "凭证字号", "凭证编号"),
    "reference": (
        "reference",
        "payment reference",
        "our reference",
        "end to end id",
        "业务参考号",
        "付款参考号",
        "业务编号",
    ),
    "bank_reference": ("bank reference", "bank serial", "银行流水号", "交易流水号", "流水号"),
    "counterparty": ("counterparty", "name", "payee", "对方户名", "对方单位", "对方名称", "往来单位"),
    "text": ("text", "description", "memo", "摘要", "用途"),
}
LABELS = {
    "posted_on": gettext_lazy("Date"),
    "amount": gettext_lazy("Amount (money in positive)"),
    "debit": gettext_lazy("Debit (money in)"),
    "credit": gettext_lazy("Credit (money out)"),
    "currency": gettext_lazy("Currency"),
    "voucher": gettext_lazy("Voucher"),
    "reference": gettext_lazy("Payment reference"),
    "bank_reference": gettext_lazy("Bank reference"),
    "counterparty": gettext_lazy("Counterparty"),
    "text": gettext_lazy("Text"),
}
LONGEST = {"voucher": 60, "reference": 70, "bank_reference": 70, "counterparty": 200, "text": 300}

TEMPLATE = (
    "date,voucher,debit,credit,currency,reference,bank reference,counterparty,text\r\n"
    "2026-11-24,银收-0012,1500.00,,CNY,,HX20261124000123,Example Customer Ltd,Invoice 4711\r\n"
    "2026-11-24,银付-0033,,820.50,CNY,ZL202611240001,,示例供应商有限公司,货款\r\n"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One journal line as read."""

    row: int
    posted_on: date
    amount: Decimal
    voucher: str
    reference: str
    bank_reference: str
    counterparty: str
    text: str


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal file as read: the lines that are good, and what is wrong with the others."""

    headers: tuple[str, ...]
    columns: Mapping[str, int]
    """Our field to the column's position."""
    lines: tuple[Line, ...]
    problems: tuple[Problem, ...]
    total_rows: int

    @property
    def money_in(self) -> Decimal:
        return sum((line.amount for line in self.lines if line.amount > 0), Decimal(0))

    @property
    def money_out(self) -> Decimal:
        return -sum((line.amount for line in self.lines if line.amount < 0), Decimal(0))

    @property
    def causes(self) -> list[tuple[str, list[Problem]]]:
        """Problems by cause, the most frequent first."""
        return grouped(self.problems)

    @property
    def bookable(self) -> bool:
        """All or nothing: no problem anywhere, and at least one line."""
        return not self.problems and bool(self.lines)


class _RowError(Exception):
    def __init__(self, cause: str, text: str) -> None:
        self.cause, self.text = cause, text
        super().__init__(text)


def read_journal(
    *,
    account: Account,
    name: str,
    content: bytes,
    columns: Mapping[str, str] | None = None,
    closed_to: date | None = None,
) -> Journal:
    """Read `content` as the journal of `account`; `columns` overrides the guessed headers.

    `closed_to` is the account's last closed day: lines on or before it are problems. Raises
    `treasury.tables.TableError` when the file is no table at all.
    """
    table = read_table(name=name, content=content)
    found = _columns(table, name, columns or {})
    problems = _missing(found)
    lines: list[Line] = []
    if not problems:
        for row in table.rows:
            try:
                lines.append(_line(row, found, account, closed_to))
            except _RowError as error:
                problems.append(Problem(row.number, error.cause, error.text))
        if not table.rows:
            problems.append(Problem(1, _("no lines"), _("The file has a header line and nothing below it.")))
    return Journal(table.headers, found, tuple(lines), tuple(problems), len(table.rows))


def _columns(table: Table, name: str, chosen: Mapping[str, str]) -> dict[str, int]:
    found = find_columns(table, NAMES, required=(), file=name)
    for field, header in chosen.items():
        if field not in NAMES:
            continue
        if header == "":
            found.pop(field, None)
        elif header in table.headers:
            found[field] = table.headers.index(header)
    return found


def _missing(found: Mapping[str, int]) -> list[Problem]:
    """What the columns lack before any row can be read."""
    problems = []
    cause = _("columns")
    if "posted_on" not in found:
        problems.append(Problem(1, cause, _("No column holds the date. Choose it below.")))
    two = "debit" in found or "credit" in found
    if not two and "amount" not in found:
        text = _("No column holds amounts. Choose a signed amount column, or debit and credit.")
        problems.append(Problem(1, cause, text))
    if two and "amount" in found:
        text = _("The file has an amount column beside debit and credit. Choose one or the other.")
        problems.append(Problem(1, cause, text))
    return problems


def _line(row: Row, found: Mapping[str, int], account: Account, closed_to: date | None) -> Line:
    currency = row.get(found.get("currency")).upper() or account.currency
    currency = {"人民币": "CNY", "RMB": "CNY", "美元": "USD", "欧元": "EUR", "日元": "JPY"}.get(
        currency, currency
    )
    if currency != account.currency:
        text = _("%(given)s in a journal of an account in %(currency)s.")
        raise _RowError(_("other currency"), text % {"given": currency, "currency": account.currency})
    posted_on = _date(row.get(found["posted_on"]))
    if closed_to is not None and posted_on <= closed_to:
        text = _("%(day)s is closed (to %(closed)s). Book the line on an open day.")
        raise _RowError(_("closed day"), text % {"day": posted_on, "closed": closed_to})
    texts = {field: row.get(found.get(field)) for field in LONGEST}
    for field, longest in LONGEST.items():
        if len(texts[field]) > longest:
            text = _("%(field)s has %(length)d characters; %(most)d are the most.")
            filled = {"field": LABELS[field], "length": len(texts[field]), "most": longest}
            raise _RowError(_("text too long"), text % filled)
    return Line(row=row.number, posted_on=posted_on, amount=_amount(row, found, currency), **texts)


def _date(text: str) -> date:
    if not text:
        raise _RowError(_("date missing"), _("The date is empty. Write it like 2026-11-24."))
    try:
        return read_date(text)
    except ValueError as error:
        raise _RowError(_("date unreadable"), str(error)) from error


def _amount(row: Row, found: Mapping[str, int], currency: str) -> Decimal:
    """The signed amount: money in positive."""
    if "amount" in found:
        signed = _decimal(row.get(found["amount"]), currency)
    else:
        debit = _decimal(row.get(found.get("debit")), currency)
        credit = _decimal(row.get(found.get("credit")), currency)
        if debit and credit:
            text = _("Debit %(debit)s and credit %(credit)s in one line. Fill one of them.")
            raise _RowError(_("debit and credit"), text % {"debit": debit, "credit": credit})
        signed = debit - credit
    if not signed:
        raise _RowError(_("amount missing"), _("The amount is empty or zero. A journal line moves money."))
    return signed


def _decimal(text: str, currency: str) -> Decimal:
    if not text:
        return Decimal(0)
    try:
        amount = money.parse(text)
        return money.quantize(amount, currency) if amount else amount
    except money.MoneyError as error:
        raise _RowError(_("amount unreadable"), str(error)) from error
