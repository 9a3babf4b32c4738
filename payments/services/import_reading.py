"""Payment files as people have them: columns by English or Chinese name, rows into wishes.

Reads a whole file against the company's confirmed beneficiaries with a fixed number of queries
and collects every fault; it writes nothing. Keeping, committing and undoing is `importing`'s.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.models import Beneficiary, Payment
from payments.rules import RuleBrokenError
from payments.services import checking
from payments.services.checking import Wish
from payments.services.warnings import DEAD, NEAR
from payments.states import BeneficiaryState
from treasury import money, tables
from treasury.models import Account

COLUMNS: dict[str, tuple[str, ...]] = {
    "payee_name": ("payee name", "收款人名称", "收款人", "收款户名", "收款方户名", "payee"),
    "payee_account": ("payee account", "收款账号", "收款人账号", "收款方账号", "account number", "iban"),
    "amount": ("amount", "金额", "付款金额", "转账金额"),
    "currency": ("currency", "币种"),
    "execute_on": ("execution date", "执行日期", "付款日期", "期望日期", "date"),
    "purpose": ("purpose", "用途", "附言", "摘要"),
    "urgent": ("urgent", "加急"),
    "debit_account": ("debit account", "付款账号", "付款方账号"),
}
REQUIRED = ("payee_name", "payee_account", "amount", "execute_on")
YES = {"yes", "y", "1", "true", "是", "加急"}
NO = {"", "no", "n", "0", "false", "否", "普通"}
CAUSES: dict[str, Any] = {
    "payments.import_payee_unknown": gettext_lazy(
        "No such confirmed beneficiary. Add it and have it confirmed first; a file never creates one."
        " Long numbers that end in zeros were rounded by the spreadsheet: format the column as text."
    ),
    "payments.import_payee_name": gettext_lazy(
        "The name is not the confirmed one. Correct the file, or propose a change of the beneficiary."
    ),
    "payments.import_formula": gettext_lazy("A formula. Paste the values instead."),
    "payments.import_cell": gettext_lazy("A cell that cannot be read. Correct it in the file."),
    "payments.import_debit_account": gettext_lazy(
        "Another debit account. Make one file for each account you pay from."
    ),
    "payments.amount": gettext_lazy("An amount that cannot be paid."),
    "payments.currency": gettext_lazy("A currency other than the debit account's."),
    "payments.date_past": gettext_lazy("An execution date in the past."),
    "payments.date_far": gettext_lazy("An execution date more than a year ahead."),
    "payments.date_not_business_day": gettext_lazy("An execution date that is no business day."),
    "payments.payee_not_active": gettext_lazy("A beneficiary that is not confirmed, or blocked."),
    "payments.payee_currency": gettext_lazy("A payee account in another currency."),
    "payments.text_too_long": gettext_lazy("A text longer than banks carry."),
    "payments.text_control": gettext_lazy("A text with invisible characters."),
    "payments.text_not_latin": gettext_lazy("A text that cannot be carried abroad. Use Latin letters."),
    "payments.account_not_active": gettext_lazy("The debit account cannot pay."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A row that is right: its number in the file and the payment it asks for."""

    number: int
    wish: Wish


@dataclass(slots=True)
class Preview:
    """What a file says. It can be committed only when there is no problem at all."""

    lines: list[Line] = field(default_factory=list)
    problems: list[tables.Problem] = field(default_factory=list)
    duplicates: list[tuple[int, str]] = field(default_factory=list)
    rows: int = 0

    @property
    def groups(self) -> list[tuple[str, list[tables.Problem]]]:
        return tables.grouped(self.problems)

    @property
    def totals(self) -> list[tuple[str, int, Decimal]]:
        """(currency, payments, sum) of the rows that are right."""
        counts: Counter[str] = Counter()
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for line in self.lines:
            counts[line.wish.currency] += 1
            sums[line.wish.currency] += line.wish.amount
        return [(currency, counts[currency], sums[currency]) for currency in sorted(sums)]

    @property
    def good(self) -> bool:
        return bool(self.lines) and not self.problems


def template_csv() -> bytes:
    """A file to fill in, readable by Excel: the header in Chinese with one example."""
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow([COLUMNS[key][1] for key in COLUMNS])
    writer.writerow(["示例有限公司", "6217000000000000", "1234.50", "CNY", "2026-12-01", "货款", "否", ""])
    return b"\xef\xbb\xbf" + target.getvalue().encode()


def refuse_formulas(name: str, content: bytes) -> None:
    """Raises TableError when a sheet computes: its figures could change after approval."""
    if content[:4] != b"PK\x03\x04":
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                sheet = member.filename.startswith("xl/worksheets/")
                small = member.file_size <= tables.UNPACKED_LIMIT
                if sheet and small and re.search(rb"<f[ >/]", archive.read(member)):
                    raise tables.TableError(
                        _("%(file)s contains formulas. Copy the cells and paste them as values.")
                        % {"file": name}
                    )
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise tables.TableError(
            _("%(file)s cannot be read as a workbook. Save it as XLSX or CSV.") % {"file": name}
        ) from error


def read(*, name: str, content: bytes, account: Account, at: datetime) -> Preview:
    """Read a file that pays from `account` (company and bank loaded). Raises TableError."""
    if len(content) > settings.IMPORT_FILE_LIMIT:
        raise tables.TableError(
            _("%(file)s is larger than %(limit)d MB. Split it.")
            % {"file": name, "limit": settings.IMPORT_FILE_LIMIT // 2**20}
        )
    refuse_formulas(name, content)
    table = tables.read_table(name=name, content=content)
    columns = tables.find_columns(table, COLUMNS, required=REQUIRED, file=name)
    if not table.rows:
        raise tables.TableError(_("%(file)s has a header but no payments.") % {"file": name})
    reader = _Reader(account, columns, at)
    preview = Preview(rows=len(table.rows))
    for row in table.rows:
        wish = reader.wish(row, preview.problems)
        if wish is not None:
            preview.lines.append(Line(row.number, wish))
    preview.duplicates = _duplicates(preview.lines, account)
    return preview


class _Reader:
    """Rows of one file against the payees of one company, looked up once."""

    def __init__(self, account: Account, columns: dict[str, int], at: datetime) -> None:
        self.account, self.columns, self.at = account, columns, at
        self.payees = {
            (payee.account_number, payee.currency): payee
            for payee in Beneficiary.objects.filter(company=account.company)
        }

    def wish(self, row: tables.Row, problems: list[tables.Problem]) -> Wish | None:
        """The payment a row asks for, or None after its faults were added to `problems`."""
        faults: list[RuleBrokenError] = []
        cells = {key: row.get(column) for key, column in self.columns.items()}
        if any(cell.startswith(("=", "@")) for cell in cells.values()):
            faults.append(_fault("payments.import_formula", _("A cell begins with = or @.")))
        debit = re.sub(r"\s", "", cells.get("debit_account", ""))
        if debit and debit != self.account.number:
            faults.append(
                _fault("payments.import_debit_account", _("It pays from %(number)s.") % {"number": debit})
            )
        currency = cells.get("currency", "").upper() or self.account.currency
        amount = _cell(faults, lambda: money.parse(cells["amount"]))
        execute_on = _cell(faults, lambda: tables.read_date(cells["execute_on"]))
        urgent = _cell(faults, lambda: _yes_or_no(cells.get("urgent", "")))
        payee = self._payee(cells, currency, faults)
        wish = None
        if payee is not None and amount is not None and execute_on is not None:
            wish = Wish(
                account=self.account,
                beneficiary=payee,
                amount=amount,
                currency=currency,
                execute_on=execute_on,
                purpose=cells.get("purpose", ""),
                urgent=bool(urgent),
            )
            faults += checking.faults_of(wish, self.at)
        problems += [
            tables.Problem(row.number, str(CAUSES.get(fault.code, fault.hint or fault.code)), fault.whole)
            for fault in faults
        ]
        return wish if not faults else None

    def _payee(
        self, cells: dict[str, str], currency: str, faults: list[RuleBrokenError]
    ) -> Beneficiary | None:
        number = re.sub(r"\s", "", cells["payee_account"]).upper()
        payee = self.payees.get((number, currency))
        if payee is None:
            faults.append(
                _fault(
                    "payments.import_payee_unknown",
                    _("%(name)s, %(number)s, %(currency)s")
                    % {"name": cells["payee_name"], "number": number or _("(empty)"), "currency": currency},
                )
            )
        elif _folded(cells["payee_name"]) != _folded(payee.name):
            faults.append(
                _fault(
                    "payments.import_payee_name",
                    _("%(number)s belongs to %(own)s, the file says %(name)s.")
                    % {"number": number, "own": payee.name, "name": cells["payee_name"] or _("(empty)")},
                )
            )
        elif payee.state != BeneficiaryState.ACTIVE:
            return payee  # the rule of `checking` says why
        return payee


def _fault(code: str, text: str) -> RuleBrokenError:
    return RuleBrokenError(text, code=code, field="row")


def _folded(name: str) -> str:
    """A name without spaces and case, full-width brackets as plain ones."""
    return re.sub(r"\s", "", name).translate(str.maketrans("（），．", "(),.")).casefold()


def _cell(faults: list[RuleBrokenError], read_cell: Any) -> Any:
    try:
        return read_cell()
    except ValueError as error:  # MoneyError is one
        faults.append(_fault("payments.import_cell", str(error)))
        return None


def _yes_or_no(text: str) -> bool:
    plain = text.strip().casefold()
    if plain not in YES | NO:
        raise ValueError(_("%(text)s is neither yes nor no.") % {"text": repr(text)})
    return plain in YES


def _duplicates(lines: Iterable[Line], account: Account) -> list[tuple[int, str]]:
    """(row, what it repeats): rows that repeat another row or a live payment of the last days."""
    found: list[tuple[int, str]] = []
    seen: dict[tuple[str, Decimal, str, date], int] = {}
    rows = list(lines)
    live: dict[tuple[str, Decimal, str], list[tuple[str, date]]] = defaultdict(list)
    if rows:
        days = [line.wish.execute_on for line in rows]
        near = Payment.objects.filter(
            account__company_id=account.company_id, execute_on__range=(min(days) - NEAR, max(days) + NEAR)
        ).exclude(state__in=DEAD)
        for reference, number, amount, currency, on in near.values_list(
            "reference", "payee_account", "amount", "currency", "execute_on"
        ).iterator(chunk_size=5000):
            live[number, amount, currency].append((reference, on))
    for line in rows:
        wish = line.wish
        number = wish.payee.account_number
        key = (number, wish.amount, wish.currency, wish.execute_on)
        if key in seen:
            found.append((line.number, _("Same payee, amount and date as row %(row)d.") % {"row": seen[key]}))
        seen.setdefault(key, line.number)
        twins = live.get((number, wish.amount, wish.currency), ())
        near_by = [reference for reference, on in twins if abs(on - wish.execute_on) <= NEAR]
        if near_by:
            found.append(
                (
                    line.number,
                    _("Same payee and amount as %(payments)s.") % {"payments": ", ".join(near_by[:3])},
                )
            )
    return found
