"""The entry form, with its payee list and the hints that appear while one types."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from payments import cny
from payments.forms import PaymentForm, paying_accounts
from payments.models import Beneficiary, Payment
from payments.models.payments import Source
from payments.rules import RuleBrokenError
from payments.services import checking, preparing, warnings
from payments.services.checking import PaymentRefusedError, Wish
from payments.states import BeneficiaryState
from payments.views.payments import REFUSED
from treasury import money
from treasury.models import Balance
from treasury.services import access

SHOWN = 20


def entry(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """A new payment, or the correction of one; "save and submit" does both."""
    access.require(request.user, preparing.PREPARE)
    payment = None
    if pk is not None:
        payment = get_object_or_404(Payment.objects.visible_to(request.user), pk=pk)
    form = PaymentForm(request.POST or None, user=request.user, payment=payment)
    if request.method == "POST" and form.is_valid():
        saved = _save(request, form, payment)
        if saved is not None:
            return redirect("payments:payment", saved.pk)
    context = {
        "form": form,
        "form_has_errors": bool(form.errors),
        "payment": payment,
        **_payees(request, str(form["payee"].value() or "")),
    }
    return render(request, "payments/entry.html", context, status=422 if form.errors else 200)


def _save(request: HttpRequest, form: PaymentForm, payment: Payment | None) -> Payment | None:
    """Create or edit, then submit if asked to. Faults go back into the form (None is returned)."""
    by, at, wish = request.user, timezone.now(), form.wish()
    data = {field.name: getattr(wish, field.name) for field in fields(Wish)}
    try:
        if payment is None:
            saved = preparing.create_payment(**data, source=Source.FORM, by=by, at=at)
        else:
            version = form.cleaned_data["version"]
            saved = preparing.edit_payment(payment=payment, by=by, at=at, expected_version=version, **data)
    except access.AccessDeniedError:
        raise
    except PaymentRefusedError as error:
        form.add_faults(error.faults)
        return None
    except REFUSED as error:
        form.add_error(None, str(error))
        return None
    _submit_if_asked(request, saved)
    return saved


def _submit_if_asked(request: HttpRequest, saved: Payment) -> None:
    if request.POST.get("then") != "submit":
        messages.success(request, _("%(payment)s is saved as a draft.") % {"payment": saved})
        return
    try:
        preparing.submit_payment(payment=saved, by=request.user, at=timezone.now())
    except REFUSED as error:
        messages.warning(
            request,
            _("%(payment)s is saved as a draft but not submitted: %(reason)s")
            % {"payment": saved, "reason": error},
        )
    else:
        messages.success(request, _("%(payment)s waits for its approvers.") % {"payment": saved})


def payees(request: HttpRequest) -> HttpResponse:
    """The list of payees for the search text (htmx replaces it while one types)."""
    access.require(request.user, preparing.PREPARE)
    return render(request, "payments/parts/payees.html", _payees(request, request.GET.get("payee", "")))


def _payees(request: HttpRequest, chosen: str) -> dict[str, Any]:
    """Confirmed payees and own accounts that fit the search and the debit account, the chosen one first."""
    asked = request.GET if request.method == "GET" else request.POST
    words, debit_key = asked.get("payee_search", "").strip(), asked.get("account", "")
    debit = paying_accounts(request.user).filter(pk=debit_key).first() if debit_key.isdecimal() else None
    rows = Beneficiary.objects.visible_to(request.user).filter(state=BeneficiaryState.ACTIVE)
    own = paying_accounts(request.user)
    if debit is not None:
        rows = rows.filter(company=debit.company_id, currency=debit.currency)
        own = own.filter(currency=debit.currency).exclude(pk=debit.pk)
    if words:
        rows = rows.filter(Q(name__icontains=words) | Q(account_number__icontains=words))
        own = own.filter(
            Q(name__icontains=words) | Q(number__icontains=words) | Q(company__name__icontains=words)
        )
    key = chosen[2:] if chosen[2:].isdecimal() else "0"
    payees = _first(rows, key if chosen.startswith("b-") else "0")
    accounts = _first(own, key if chosen.startswith("o-") else "0")
    options = [(f"b-{b.pk}", b.name, b.account_number, b.bank_name, b.currency) for b in payees]
    options += [
        (
            f"o-{a.pk}",
            _("%(company)s (own account)") % {"company": a.company.name},
            a.number,
            a.bank.name,
            a.currency,
        )
        for a in accounts
    ]
    more = len(payees) >= SHOWN or len(accounts) >= SHOWN
    return {"options": options, "more": more, "chosen": chosen, "payee_search": words}


def _first(rows: Any, key: str) -> list[Any]:
    """Up to SHOWN rows, the one with primary key `key` among them."""
    found = list(rows[:SHOWN])
    if key != "0" and not any(str(row.pk) == key for row in found):
        found = list(rows.filter(pk=key)) + found
    return found


def hints(request: HttpRequest) -> HttpResponse:
    """What the form says beside itself: capitals, funds afterwards, duplicates, faults."""
    access.require(request.user, preparing.PREPARE)
    form = PaymentForm(request.GET, user=request.user)
    form.is_valid()
    data = getattr(form, "cleaned_data", {})
    account, amount = data.get("account"), data.get("amount")
    context: dict[str, Any] = {"account": account, "amount": amount}
    if account is not None and amount is not None:
        context |= _about_amount(account, amount)
    if not form.errors:
        context |= _about_wish(form.wish(), request.GET.get("reference", ""))
    return render(request, "payments/parts/hints.html", context)


def _about_amount(account: Any, amount: Any) -> dict[str, Any]:
    try:
        exact = money.check_amount(amount, account.currency)
    except money.MoneyError as error:
        return {"fault": str(error)}
    found: dict[str, Any] = {"written": exact}
    if account.currency == "CNY":
        found["capitals"] = cny.capitals(exact)
    balance = Balance.objects.filter(account=account).latest_per_account().first()
    if balance is not None:
        have = balance.available if balance.available is not None else balance.ledger
        found |= {"left": have - exact, "balance": balance}
    return found


def _about_wish(wish: Wish, reference: str) -> dict[str, Any]:
    faults: list[RuleBrokenError] = checking.faults_of(wish, timezone.now())
    twins = warnings.near_twins(
        account_number=wish.payee.account_number,
        amount=wish.amount,
        currency=wish.currency,
        execute_on=wish.execute_on,
        company_id=wish.account.company_id,
    )
    return {"faults": faults, "twins": [twin for twin in twins if twin != reference]}
