"""Approval rules: what is in force, and proposing another set of bands."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from payments.forms import BandForm, BandFormSet, ScopeForm
from payments.models import Payment
from payments.services import rule_sets
from payments.services.rule_sets import RulesRefusedError
from treasury.models import Account, Company, ProposedChange
from treasury.services import access, changes
from treasury.services.changes import ChangeRefusedError


def rules(request: HttpRequest) -> HttpResponse:
    """The bands of every company the reader may see, and what waits for a second administrator."""
    today = timezone.localdate()
    companies = []
    mine = set(changes.visible_to(request.user).filter(kind=rule_sets.KIND))
    for company in Company.objects.visible_to(request.user):
        scopes: dict[tuple[Any, str], list[Any]] = defaultdict(list)
        for rule in rule_sets.in_force(company, today):
            scopes[rule.account, rule.kind].append(rule)
        pending = ProposedChange.objects.filter(
            kind=rule_sets.KIND, company=company, state=ProposedChange.State.PENDING
        ).first()
        companies.append((company, _named(scopes), pending, pending in mine))
    may_configure = access.may(request.user, rule_sets.CONFIGURE)
    return render(request, "payments/rules.html", {"companies": companies, "may_configure": may_configure})


def _named(scopes: dict[tuple[Any, str], list[Any]]) -> list[tuple[str, str, list[Any]]]:
    """(scope in words, its query string, its rules): the company as a whole first."""
    found = []
    kinds = dict(Payment.Kind.choices)
    for (account, kind), rows in scopes.items():
        words = " · ".join(str(part) for part in (account, kinds.get(kind)) if part)
        query = f"account={account.pk if account else ''}&kind={kind}"
        found.append((words or _("All payments of the company"), query, rows))
    return sorted(found, key=lambda scope: (scope[1] != "account=&kind=", scope[0]))


def propose(request: HttpRequest, pk: int) -> HttpResponse:
    """Another full set of bands for one scope; gaps and overlaps are told before anything is kept."""
    access.require(request.user, rule_sets.CONFIGURE)
    company = get_object_or_404(Company.objects.visible_to(request.user), pk=pk)
    scope = ScopeForm(request.POST or None, company=company, initial=request.GET.dict())
    bands = BandFormSet(request.POST or None, initial=_bands_now(request, company), prefix="bands")
    faults: list[str] = []
    if request.method == "POST" and scope.is_valid() and bands.is_valid():
        filled = [f for f in bands if f.cleaned_data and not f.cleaned_data.get("DELETE")]
        try:
            rule_sets.propose_bands(
                company=company,
                account=scope.cleaned_data["account"],
                kind=scope.cleaned_data["kind"],
                reason=scope.cleaned_data["reason"],
                bands=[form.band() for form in filled],
                by=request.user,
                at=timezone.now(),
            )
        except RulesRefusedError as error:
            faults = error.faults
        except ChangeRefusedError as error:
            faults = [str(error)]
        else:
            messages.success(request, _("The rules wait for a second administrator."))
            return redirect("payments:rules")
    context = {"company": company, "scope": scope, "bands": bands, "faults": faults}
    failed = bool(faults or scope.errors or (request.method == "POST" and not bands.is_valid()))
    return render(request, "payments/rules_form.html", context, status=422 if failed else 200)


def _bands_now(request: HttpRequest, company: Company) -> list[dict[str, Any]]:
    """The bands in force for the scope named in the address, to start from."""
    key, kind = request.GET.get("account", ""), request.GET.get("kind", "")
    account = Account.objects.filter(company=company, pk=key).first() if key.isdecimal() else None
    in_force = rule_sets.in_force(company, timezone.localdate()).filter(account=account, kind=kind)
    return [BandForm.initial_of(rule_sets.band_of(rule)) for rule in in_force]
