"""Keeping what people know of cash to come: recurring items, and plans imported from files.

A plan file is stored as it came, shown with every mistake in it, and put in force whole or not
at all; the same bytes are in force once per company; undoing takes exactly its rows away.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from treasury import money
from treasury.models import Account, Company, PlanImport, PlannedFlow, RecurringFlow
from treasury.services import access, auditing
from treasury.services.forecasting import today_of
from treasury.tables import Problem, TableError, find_columns, grouped, read_date, read_table

PERMISSION = "treasury.plan_cash"
COLUMNS = {
    "on": ("date", "due date", "日期", "预计日期"),
    "amount": ("amount", "金额"),
    "inflow": ("in", "inflow", "流入", "收入"),
    "outflow": ("out", "outflow", "流出", "支出"),
    "currency": ("currency", "币种", "货币"),
    "account": ("account", "account number", "账号", "账户"),
    "category": ("category", "类别", "项目"),
    "text": ("text", "remark", "摘要", "说明", "备注"),
}


class PlanRefusedError(Exception):
    """The plan cannot be put in force or undone; the text says why and what to do."""

    code = "treasury.plan_refused"


@dataclass(frozen=True, slots=True)
class Preview:
    """What a plan file would bring: its good rows, its problems, and the totals per currency."""

    rows: list[PlannedFlow]
    problems: list[Problem]
    totals: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)

    @property
    def by_cause(self) -> list[tuple[str, list[Problem]]]:
        return grouped(self.problems)


@transaction.atomic
def save_recurring(*, item: RecurringFlow, by: Any, at: datetime) -> RecurringFlow:
    """Store a new or changed recurring item. Raises AccessDeniedError, ValidationError."""
    access.require(by, PERMISSION)
    access.require_account(by, item.account)
    before = RecurringFlow.objects.select_for_update().filter(pk=item.pk).first()
    if before is None:
        item.made_by = by
    else:
        access.require_account(by, before.account)
    item.full_clean()
    item.save()
    auditing.record(
        action="treasury.recurring_saved",
        about=item,
        by=by,
        at=at,
        company=item.account.company,
        was=_facts(before) if before else None,
        now=_facts(item),
    )
    return item


@transaction.atomic
def remove_recurring(*, item: RecurringFlow, by: Any, at: datetime) -> None:
    """Take a recurring item out of every forecast; its trace stays in the audit trail."""
    access.require(by, PERMISSION)
    access.require_account(by, item.account)
    auditing.record(
        action="treasury.recurring_removed",
        about=item,
        by=by,
        at=at,
        company=item.account.company,
        was=_facts(item),
    )
    item.delete()


def _facts(item: RecurringFlow) -> dict[str, Any]:
    names = ("name", "category", "amount", "every", "starts_on", "ends_on")
    return {"account": str(item.account)} | {name: getattr(item, name) for name in names}


@transaction.atomic
def receive_plan(*, company: Company, name: str, content: bytes, by: Any, at: datetime) -> PlanImport:
    """Store an uploaded plan for preview; nothing of it is in force yet.

    Raises TableError for a file that is no plan, PlanRefusedError for bytes already in force,
    AccessDeniedError.
    """
    access.require(by, PERMISSION)
    access.require_company(by, company)
    _table(name, content)
    sha256 = hashlib.sha256(content).hexdigest()
    _refuse_twice(company, sha256)
    waiting = PlanImport.objects.filter(company=company, sha256=sha256, committed_at=None, undone_at=None)
    return waiting.filter(made_by=by).first() or PlanImport.objects.create(
        company=company, name=name[:200], sha256=sha256, content=content, made_by=by, made_at=at
    )


def preview_plan(*, plan: PlanImport, at: datetime) -> Preview:
    """Read a stored plan row by row: what would be planned, and everything that is wrong."""
    table, columns = _table(plan.name, bytes(plan.content))
    accounts = {a.number: a for a in plan.company.accounts.all()}
    today = today_of(accounts.values(), at)
    rows: list[PlannedFlow] = []
    problems: list[Problem] = []
    totals: dict[str, tuple[Decimal, Decimal]] = defaultdict(lambda: (Decimal(0), Decimal(0)))
    for line in table.rows:
        cells = {key: line.get(column) for key, column in columns.items()}
        try:
            row = _planned(cells, plan, accounts, today)
        except _RowError as error:
            problems.append(Problem(line.number, *error.args))
            continue
        rows.append(row)
        money_in, money_out = totals[row.currency]
        totals[row.currency] = (
            (money_in + row.amount, money_out) if row.amount > 0 else (money_in, money_out + row.amount)
        )
    return Preview(rows, problems, dict(totals))


@transaction.atomic
def commit_plan(*, plan: PlanImport, by: Any, at: datetime) -> PlanImport:
    """Put a stored plan in force, all rows or none. Raises PlanRefusedError, AccessDeniedError."""
    locked = _locked(plan, by)
    if locked.committed_at is not None:
        raise PlanRefusedError(_("%(file)s is already in force or undone.") % {"file": locked.name})
    preview = preview_plan(plan=locked, at=at)
    if preview.problems or not preview.rows:
        raise PlanRefusedError(
            _("%(file)s has %(count)d wrong rows. Correct the file and upload it again; nothing was planned.")
            % {"file": locked.name, "count": len(preview.problems)}
        )
    locked.committed_at, locked.rows_count = at, len(preview.rows)
    try:
        with transaction.atomic():
            locked.save(update_fields=["committed_at", "rows_count"])
    except IntegrityError as error:
        raise _already(locked.name) from error
    PlannedFlow.objects.bulk_create(preview.rows, batch_size=1000)
    auditing.record(action="treasury.plan_committed", about=locked, by=by, at=at, rows=locked.rows_count)
    return locked


@transaction.atomic
def undo_plan(*, plan: PlanImport, by: Any, at: datetime) -> PlanImport:
    """Take a plan's rows out again, or throw away one still in preview. Raises PlanRefusedError."""
    locked = _locked(plan, by)
    if locked.undone_at is not None:
        raise PlanRefusedError(_("%(file)s is already undone.") % {"file": locked.name})
    removed, _kinds = locked.rows.all().delete()
    locked.undone_at = at
    locked.save(update_fields=["undone_at"])
    auditing.record(action="treasury.plan_undone", about=locked, by=by, at=at, rows=removed)
    return locked


def _locked(plan: PlanImport, by: Any) -> PlanImport:
    locked = PlanImport.objects.select_for_update(of=("self",)).select_related("company").get(pk=plan.pk)
    access.require(by, PERMISSION)
    access.require_company(by, locked.company)
    return locked


def _already(name: str) -> PlanRefusedError:
    return PlanRefusedError(
        _("%(file)s is already in force for this company. Undo that plan first to import it again.")
        % {"file": name}
    )


def _refuse_twice(company: Company, sha256: str) -> None:
    same = PlanImport.objects.in_force().filter(company=company, sha256=sha256).first()
    if same is not None:
        raise _already(same.name)


def _table(name: str, content: bytes) -> tuple[Any, dict[str, int]]:
    table = read_table(name=name, content=content)
    columns = find_columns(table, COLUMNS, required=("on", "category"), file=name)
    if "amount" not in columns and not {"inflow", "outflow"} & columns.keys():
        raise TableError(
            _("%(file)s has no column %(columns)s. Name the columns in the first line.")
            % {"file": name, "columns": "amount / 金额 (or in / 流入, out / 流出)"}
        )
    if not {"currency", "account"} & columns.keys():
        raise TableError(
            _("%(file)s has neither a currency nor an account column, so its amounts mean nothing.")
            % {"file": name}
        )
    if not table.rows:
        raise TableError(_("%(file)s has a header but no rows below it.") % {"file": name})
    return table, columns


class _RowError(Exception):
    """(cause, text) of one row."""


def _planned(
    cells: Mapping[str, str], plan: PlanImport, accounts: Mapping[str, Account], today: date
) -> PlannedFlow:
    try:
        on = read_date(cells["on"])
    except ValueError as error:
        raise _RowError(_("date"), str(error)) from error
    if on < today:
        raise _RowError(
            _("date in the past"),
            _("%(on)s is past: today is %(today)s. A plan tells what is to come.")
            % {"on": on, "today": today},
        )
    account, currency = _where(cells, plan, accounts)
    if not cells["category"]:
        raise _RowError(_("category"), _("The category is empty. Say what the money is for, like Wages."))
    return PlannedFlow(
        plan=plan,
        company=plan.company,
        account=account,
        on=on,
        amount=_amount(cells, currency),
        currency=currency,
        category=_short(cells["category"], 60),
        text=_short(cells.get("text", ""), 200),
    )


def _where(
    cells: Mapping[str, str], plan: PlanImport, accounts: Mapping[str, Account]
) -> tuple[Account | None, str]:
    number, currency = cells.get("account", "").replace(" ", ""), cells.get("currency", "").upper()
    account = accounts.get(number)
    if number and account is None:
        raise _RowError(
            _("unknown account"),
            _("%(company)s has no account %(number)s. Write the number as the accounts page shows it.")
            % {"company": plan.company, "number": number},
        )
    if account is not None and account.status == Account.Status.CLOSED:
        raise _RowError(_("closed account"), _("Account %(account)s is closed.") % {"account": account})
    currency = currency or (account.currency if account else "")
    try:
        money.check_currency(currency)
    except money.MoneyError as error:
        raise _RowError(_("currency"), str(error)) from error
    if account is not None and account.currency != currency:
        raise _RowError(
            _("currency"),
            _("Account %(account)s is kept in %(own)s, the row says %(currency)s.")
            % {"account": account, "own": account.currency, "currency": currency},
        )
    return account, currency


def _amount(cells: Mapping[str, str], currency: str) -> Decimal:
    given = [(sign, cells[key]) for key, sign in _SIGNS.items() if cells.get(key)]
    if len(given) != 1:
        raise _RowError(
            _("amount"), _("Give exactly one amount a row: a signed amount, or money in, or money out.")
        )
    sign, text = given[0]
    try:
        amount = money.quantize(money.parse(text), currency)
    except money.MoneyError as error:
        raise _RowError(_("amount"), str(error)) from error
    if amount == 0 or abs(amount) >= Decimal(10) ** 14:
        raise _RowError(_("amount"), _("%(amount)s is not an amount to plan.") % {"amount": text})
    if sign and amount < 0:
        raise _RowError(_("amount"), _("Money in and money out are written without a sign."))
    return amount * (sign or 1)


_SIGNS = {"amount": 0, "inflow": 1, "outflow": -1}


def _short(text: str, length: int) -> str:
    if len(text) > length:
        raise _RowError(
            _("text too long"),
            _("%(text)s… is longer than %(length)d characters. Shorten it.")
            % {"text": text[:30], "length": length},
        )
    return text
