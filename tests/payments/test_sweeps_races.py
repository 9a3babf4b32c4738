"""Two sweeps at the same moment, each with its own connection: the same money moves once."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import partial

import pytest

from payments.models import Payment, SweepRule
from payments.services.sweeping import SweepRefusedError, run_sweep
from tests import make
from tests.make import Cast
from tests.payments.test_races import together
from tests.payments.test_sweeps import balance, in_force
from treasury.services import auditing

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_runs_of_one_rule_make_one_transfer(cast: Cast, now: datetime) -> None:
    make.rule_set(cast)
    shop = make.account(cast.company, "6225000000000003", "CNY")
    balance(shop, "5000", now)
    balance(cast.cny, "100000", now)
    rule = in_force(cast, now, shop)
    caren = make.person("Caren", "treasurer", cast.company)
    runs = [partial(run_sweep, rules=[rule], by=person, at=now) for person in (cast.carol, caren)]
    outcome = together(*runs, partial(run_sweep, rules=[rule], by=caren, at=now, reason="Again"))
    assert sum(isinstance(result, SweepRefusedError) for result in outcome) == 2
    assert Payment.objects.get().amount == 4000
    assert auditing.verify().intact


def test_two_rules_never_spend_the_main_account_twice(cast: Cast, now: datetime) -> None:
    make.rule_set(cast)
    balance(cast.cny, "1500", now)
    rules: list[SweepRule] = []
    for number in ("3", "4"):
        poor = make.account(cast.company, f"622500000000000{number}", "CNY")
        balance(poor, "0", now)
        rules.append(in_force(cast, now, poor, leave_in_header=Decimal(300)))
    together(*(partial(run_sweep, rules=[rule], by=cast.carol, at=now) for rule in rules))
    assert sorted(Payment.objects.values_list("amount", flat=True)) == [200, 1000]
