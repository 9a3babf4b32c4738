"""Setting the scene: companies, accounts, people, rules, payees, rates, plans and sweep rules.

Companies, banks and the two first administrators are entered at once, as an installation does.
Whatever needs a second person is proposed by one of the cast and confirmed by another.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.contrib.auth.models import Group
from guardian.shortcuts import assign_perm

from payments.models import Beneficiary, Payment, SweepRule
from payments.services import beneficiaries, rule_sets, sweep_rules
from payments.services.rule_sets import Band
from reconciliation.demo import figures
from treasury.models import Account, Bank, Company, ProposedChange, RecurringFlow, User
from treasury.services import accounts, auditing, changes, people, planning, rates
from treasury.services.access import fill_roles

CNY, EUR = Decimal(1), Decimal("0.12")
RATE_STEPS = {"JPY": "0.0001"}


@dataclass(frozen=True, slots=True)
class World:
    """The rows of the demonstration, looked up by their figures' keys."""

    companies: dict[str, Company]
    accounts: dict[str, Account]
    people: dict[str, User]
    payees: tuple[Beneficiary, ...] = ()

    def __getattr__(self, name: str) -> User:
        """`world.alice` and the others."""
        try:
            return self.people[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def group(self) -> Company:
        return self.companies["HUAXIA"]

    def account(self, number: str) -> Account:
        return self.accounts[number]

    def payees_of(self, account: Account) -> list[Beneficiary]:
        """Whom the account's company pays in the account's currency."""
        key = (account.company_id, account.currency)
        return [payee for payee in self.payees if (payee.company_id, payee.currency) == key]


def load() -> World:
    """The world as it stands in the database."""
    return World(
        companies={c.code: c for c in Company.objects.all()},
        accounts={a.number: a for a in Account.objects.select_related("company", "bank")},
        people={u.username: u for u in User.objects.all()},
        payees=tuple(Beneficiary.objects.filter(state="ACTIVE").select_related("company").order_by("id")),
    )


def make_group(at: datetime) -> Company:
    """The companies and their banks as institutions. Gives the head of the group."""
    companies: dict[str, Company] = {}
    for figure in figures.COMPANIES:
        row = Company.objects.create(
            code=figure.code,
            name=figure.name,
            country=figure.country,
            base_currency=figure.currency,
            parent=companies.get(figure.parent),
        )
        companies[figure.code] = row
        auditing.record(action="treasury.company_created", about=row, by=None, at=at, company=row)
    for bank in figures.BANKS:
        Bank.objects.create(code=bank.code, name=bank.name, country=bank.country, bic=bank.bic)
    return companies["HUAXIA"]


def make_people(at: datetime) -> None:
    """The two first administrators are there from the start; they let the others in."""
    fill_roles()
    companies = {c.code: c for c in Company.objects.all()}
    first = [figure for figure in figures.PEOPLE if figure.role == "admin"]
    for figure in first:
        user = User.objects.create_user(
            username=figure.name.lower(),
            password=figures.PASSWORD,
            first_name=figure.name,
            email=f"{figure.name.lower()}@example.com",
            is_staff=True,
        )
        user.groups.add(Group.objects.get(name=figure.role))
        for code in figure.grants:
            assign_perm("treasury.view_company", user, companies[code])
        auditing.record(action="treasury.first_administrator", about=user, by=None, at=at)
    erin, eve = (User.objects.get(username=figure.name.lower()) for figure in first)
    for figure in figures.PEOPLE:
        if figure not in first:
            _let_in(figure, companies, erin, eve, at)


def _let_in(
    figure: figures.PersonFigure, companies: dict[str, Company], erin: User, eve: User, at: datetime
) -> None:
    person = people.create_person(
        username=figure.name.lower(),
        first_name=figure.name,
        last_name="",
        email=f"{figure.name.lower()}@example.com",
        by=erin,
        at=at,
    )
    wanted = people.Access(
        active=True,
        roles=frozenset({figure.role}),
        companies=frozenset(companies[code].pk for code in figure.grants),
        accounts=frozenset(),
    )
    change = people.propose_access(
        person=person, wanted=wanted, password=figures.PASSWORD, by=erin, at=at, reason=figure.does
    )
    changes.confirm(change=change, by=eve, at=at)
    User.objects.filter(pk=person.pk).update(language=figure.language)  # what the person would choose


def make_accounts(at: datetime) -> None:
    """Erin enters the companies' accounts, Eve confirms each."""
    erin, eve = User.objects.get(username="erin"), User.objects.get(username="eve")
    companies = {c.code: c for c in Company.objects.all()}
    banks = {b.code: b for b in Bank.objects.all()}
    for figure in figures.ACCOUNTS:
        fields = {
            "company": companies[figure.company],
            "bank": banks[figure.bank],
            "number": figure.number,
            "currency": figure.currency,
            "name": figure.name,
            "branch_code": figure.branch_code,
            "kind": figure.kind,
            "status": Account.Status.ACTIVE,
            "time_zone": figure.time_zone,
            "minimum_balance": Decimal(figure.minimum),
            "opened_on": at.date() - timedelta(days=400),
        }
        change = accounts.propose_account(fields=fields, by=erin, at=at, reason="First accounts")
        changes.confirm(change=change, by=eve, at=at)


def make_rules(world: World, at: datetime) -> None:
    """Up to a limit one manager approves, above it two; transfers between own accounts take one."""
    for company in world.companies.values():
        scale = EUR if company.base_currency == "EUR" else CNY
        limit = Decimal(100_000) * scale
        bands = [
            Band(Decimal(0), limit, (("manager", 1),)),
            Band(limit, None, (("manager", 2),)),
        ]
        for kind, wanted in (
            ("", bands),
            (Payment.Kind.TRANSFER, [Band(Decimal(0), None, (("manager", 1),))]),
        ):
            change = rule_sets.propose_bands(
                company=company, kind=kind, bands=wanted, by=world.erin, at=at, reason="First rules"
            )
            changes.confirm(change=change, by=world.eve, at=at)


def make_payees(world: World, at: datetime) -> None:
    """Alice proposes, Carol confirms, so that both managers stay free to approve payments."""
    for figure in figures.PAYEES:
        payee = beneficiaries.propose_beneficiary(
            company=world.companies[figure.company],
            name=figure.name,
            account_number=figure.number,
            currency=figure.currency,
            bank_code=figure.bank_code,
            bank_name=figure.bank_name,
            country=figure.country,
            by=world.alice,
            at=at,
        )
        change = ProposedChange.objects.get(
            kind="payments.beneficiary", object_id=payee.pk, state=ProposedChange.State.PENDING
        )
        changes.confirm(change=change, by=world.carol, at=at)


def make_rates(world: World, days: Iterable[date], chance: random.Random, at: datetime) -> None:
    """A daily rate of each pair, moving a little."""
    current = {pair: Decimal(rate) for pair, rate in figures.RATES.items()}
    lines = ["date,currency,quote,rate"]
    for day in days:
        for (currency, quote), rate in current.items():
            step = Decimal(RATE_STEPS.get(currency, "0.01")) * chance.randint(-2, 2)
            current[currency, quote] = rate + step
            lines.append(f"{day.isoformat()},{currency},{quote},{rate + step}")
    rates.import_rates(name="rates.csv", content="\n".join(lines).encode(), by=world.carol, at=at)


RECURRING = (
    ("9929010100000017", "办公楼租金 Office rent", "Rent", "-320000", "MONTH", 5),
    ("9929010100000017", "增值税 VAT", "Tax", "-410000", "MONTH", 15),
    ("9929010100000058", "工资 Payroll", "Wages", "-860000", "MONTH", 25),
    ("9929010100000058", "大客户回款 Key customer", "Customers", "1250000", "MONTH", 20),
    ("9929020200000033", "贷款利息 Loan interest", "Interest", "-96000", "QUARTER", 21),
    ("DE11999000010000104729", "Gehälter", "Wages", "-148000", "MONTH", 27),
    ("DE12999000010000104711", "Framework customer", "Customers", "62000", "WEEK", 3),
    ("9929020200000041", "Maintenance contract", "Suppliers", "-2400000", "MONTH", 12),
)


def make_outlook(world: World, today: date, at: datetime) -> None:
    """Recurring items and an imported plan: what the forecast shows beside payments."""
    for number, name, category, amount, every, day in RECURRING:
        item = RecurringFlow(
            account=world.account(number),
            name=name,
            category=category,
            amount=Decimal(amount),
            every=every,
            starts_on=today.replace(day=day),
        )
        planning.save_recurring(item=item, by=world.carol, at=at)
    lines = ["日期,账号,金额,类别,摘要"]
    for number, category, text, flow, days in (
        ("9929010100000017", "Investment", "生产线尾款 Production line", -4_800_000, 24),
        ("9929010100000017", "Customers", "项目回款 Project milestone", 3_600_000, 38),
        ("9929010100000017", "Dividends", "股利 Dividend", -2_500_000, 60),
        ("9929020200000033", "Loans", "流动资金贷款 Working capital loan", 3_000_000, 31),
        ("9929010100000025", "Suppliers", "Machine down payment", -280_000, 17),
        ("9929020200000041", "Customers", "Machine delivery", 18_000_000, 45),
    ):
        lines.append(f"{today + timedelta(days=days)},{number},{flow},{category},{text}")
    plan = planning.receive_plan(
        company=world.group, name="资金计划.csv", content="\n".join(lines).encode(), by=world.carol, at=at
    )
    planning.commit_plan(plan=plan, by=world.carol, at=at)


def make_sweeps(world: World, at: datetime) -> None:
    """Two standing rules around the group's main account: Carol proposes, Bob confirms."""
    header = world.account("9929010100000017")
    for draft in (
        SweepRule(
            name="归集贸易公司 Collect from trade",
            header=header,
            member=world.account("9929010100000058"),
            direction=SweepRule.Direction.BOTH,
            target_balance=Decimal(6_000_000),
            minimum_transfer=Decimal(100_000),
            purpose="集团资金池 借款协议示例",
            order=10,
        ),
        SweepRule(
            name="集团结算户补足 Fund settlement account",
            header=header,
            member=world.account("9929020200000033"),
            direction=SweepRule.Direction.FUND,
            target_balance=Decimal(6_500_000),
            minimum_transfer=Decimal(100_000),
            leave_in_header=Decimal(3_000_000),
            purpose="结算户补足",
            order=20,
        ),
    ):
        change = sweep_rules.propose_rule(draft=draft, by=world.carol, at=at)
        changes.confirm(change=change, by=world.bob, at=at)
