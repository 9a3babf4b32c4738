"""Typed builders. They go through the real services wherever one exists, so that only states a
real installation can reach are tested. One cast everywhere: Alice prepares, Bob and Bella
approve, Carol is treasurer, Dave reconciles, Erin and Eve administer, Mallory may see nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group
from guardian.shortcuts import assign_perm

from treasury.models import Account, Bank, Company, User
from treasury.services.access import fill_roles

PASSWORD = "correct horse battery staple"  # the cast's, in tests and demo alike


def person(name: str, role: str | None, *companies: Company, **fields: Any) -> User:
    """A user with one role and grants on whole companies."""
    user = User.objects.create_user(
        username=name.lower(),
        password=PASSWORD,
        first_name=name,
        email=f"{name.lower()}@example.com",
        **fields,
    )
    if role:
        user.groups.add(Group.objects.get(name=role))
    for company in companies:
        assign_perm("treasury.view_company", user, company)
    return user


def company(code: str = "HUAXIA", name: str = "Huaxia Trading", **fields: Any) -> Company:
    return Company.objects.create(code=code, name=name, **fields)


def bank(code: str = "SIMB", name: str = "Simulated Bank", country: str = "CN", **fields: Any) -> Bank:
    return Bank.objects.get_or_create(code=code, defaults={"name": name, "country": country, **fields})[0]


def account(of: Company, number: str, currency: str = "CNY", **fields: Any) -> Account:
    fields.setdefault("bank", None)
    fields["bank"] = fields["bank"] or bank()
    return Account.objects.create(
        company=of,
        number=number,
        currency=currency,
        name=fields.pop("name", f"{of.code} {currency}"),
        **fields,
    )


@dataclass(slots=True)
class Cast:
    """The people and the ground they stand on."""

    company: Company
    cny: Account
    usd: Account
    alice: User
    bob: User
    bella: User
    carol: User
    dave: User
    erin: User
    eve: User
    mallory: User


def cast_of() -> Cast:
    """The cast with one company (base CNY), a CNY and a USD account. Mallory has no grant."""
    fill_roles()
    huaxia = company()
    return Cast(
        company=huaxia,
        cny=account(huaxia, "6225000000000001", "CNY", minimum_balance=Decimal("10000")),
        usd=account(huaxia, "6225000000000002", "USD"),
        alice=person("Alice", "clerk", huaxia),
        bob=person("Bob", "manager", huaxia),
        bella=person("Bella", "manager", huaxia),
        carol=person("Carol", "treasurer", huaxia),
        dave=person("Dave", "reconciler", huaxia),
        erin=person("Erin", "admin", huaxia, is_staff=True),
        eve=person("Eve", "admin", huaxia, is_staff=True),
        mallory=person("Mallory", "clerk"),
    )
