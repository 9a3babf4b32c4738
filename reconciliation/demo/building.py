"""Building the demonstration from nothing: the scene, sixty days of history, and the open present."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from reconciliation.demo import banks, figures, present, stage, timeline, world
from reconciliation.demo.history import History
from reconciliation.demo.timeline import Timeline
from treasury import jobs
from treasury.supervisor import Supervisor

DAYS = 60
SEED = 20
COUNTRIES = tuple(sorted({bank.country for bank in figures.BANKS}))
ZONES = tuple(sorted({account.time_zone for account in figures.ACCOUNTS}))


def build(
    supervisor: Supervisor, say: Callable[[str], None], *, history_days: int = DAYS
) -> list[banks.SimulatedBank]:
    """Build everything in an empty, migrated database; leaves the banks running by real time."""
    with jobs.held_back():
        return _build(supervisor, say, history_days)


def _build(
    supervisor: Supervisor, say: Callable[[str], None], history_days: int
) -> list[banks.SimulatedBank]:
    today = timeline.today_everywhere(ZONES)
    start = timeline.next_banking_day(today - timedelta(days=history_days), COUNTRIES)
    begun = timeline.at(start - timedelta(days=1), 9)
    chance = random.Random(SEED)  # noqa: S311 - invented figures, the same every time
    say("Companies, accounts, people, rules …")
    simulated = found(supervisor, begun=begun, since=start)
    scene = set_scene(simulated, begun=begun, since=start, chance=chance)
    say(f"{history_days} days of history …")
    days = timeline.banking_days(start, today - timedelta(days=1), COUNTRIES)
    clock = Timeline([bank.control for bank in simulated])
    history = History(scene, simulated, clock, say, chance)
    history.begin(start)
    history.play(days)
    clock.come_back()
    for bank in simulated:
        supervisor.stop(bank.name)
    banks.start(supervisor, simulated, "auto")
    say("Today …")
    present.play(scene, simulated, chance)
    stage.mark(stage.READY, about=scene.group, at=timezone.now())
    return simulated


def found(
    supervisor: Supervisor, *, begun: datetime, since: date, window: float = banks.WINDOW_SECONDS
) -> list[banks.SimulatedBank]:
    """The group's companies, people and accounts, here and at the banks, which begin on day `since`."""
    with transaction.atomic():  # companies without the mark would be a foreign database
        stage.mark(stage.BEGUN, about=world.make_group(begun), at=begun, seed=SEED)
    world.make_people(begun)
    world.make_accounts(begun)
    simulated = banks.new_banks(window)
    banks.start(supervisor, simulated, since.isoformat())
    banks.open_accounts(simulated)
    return simulated


def set_scene(
    simulated: list[banks.SimulatedBank], *, begun: datetime, since: date, chance: random.Random
) -> world.World:
    """Rules, payees, connections, rates and plans, once companies, people and accounts are there."""
    scene = world.load()
    world.make_rules(scene, begun)
    world.make_payees(scene, begun)
    banks.connect(simulated, erin=scene.erin, eve=scene.eve, at=begun)
    now = timezone.now()
    days = [since + timedelta(days=n) for n in range(-1, (now.date() - since).days + 1)]
    world.make_rates(scene, days, chance, begun)
    world.make_outlook(scene, timeline.today_everywhere(ZONES), now)
    world.make_sweeps(scene, begun)
    return world.load()
