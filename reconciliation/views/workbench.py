"""The two-sided screen of one account: bank left, books right, suggestions, match and undo."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from reconciliation.forms import LineFilters
from reconciliation.models import Match, OpenBankLine, OpenBookLine
from reconciliation.models.open_lines import OpenLine
from reconciliation.services import by_hand
from reconciliation.services.matching import match_account
from reconciliation.services.standing import standings
from reconciliation.services.suggesting import Suggestion, suggest
from reconciliation.views.shared import RECONCILE, abilities, account_for, ids_of
from treasury.models import Account
from treasury.services import access
from treasury.templatetags.portal import money as written
from treasury.views import paging

SIZE = 50
STEPS = 10**5
"""Amounts reach the page's script as whole steps of 10⁻⁵, the finest digit stored."""

BANK_TEXTS = ("counterparty_name", "text", "reference", "bank_reference")
BOOK_TEXTS = ("counterparty", "text", "reference", "bank_reference", "voucher")
REASONS = {
    "amount": gettext_lazy("same amount"),
    "sum": gettext_lazy("same sum"),
    "reference": gettext_lazy("same reference of ours"),
    "bank_reference": gettext_lazy("same bank reference"),
    "party": gettext_lazy("same counterparty"),
    "other_reference": gettext_lazy("another reference of ours"),
    "other_bank_reference": gettext_lazy("another bank reference"),
}


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One open line as the screen shows it."""

    pk: int
    on: Any
    amount: Decimal
    name: str
    text: str
    references: tuple[str, ...]
    steps: int

    @property
    def pk_text(self) -> str:
        return str(self.pk)


@dataclass(frozen=True, slots=True)
class Offer:
    """A suggestion with the lines it names, ready to be taken."""

    number: int
    suggestion: Suggestion
    lines: list[ShownLine]
    reasons: list[Any]
    entries: tuple[int, ...]
    ledger_entries: tuple[int, ...]


def workbench(request: HttpRequest, pk: int) -> HttpResponse:
    """Open lines of both sides; `?for=bank-7` or `?for=book-9` asks for suggestions."""
    account = account_for(request, pk)
    if request.headers.get("HX-Target") == "suggestions":
        part = {"account": account, **_suggested(request, account), **abilities(request)}
        return render(request, "reconciliation/parts/suggestions.html", part)
    form = LineFilters(request.GET, user=request.user)
    usable = form.is_valid()
    bank: QuerySet[Any] = OpenBankLine.objects.filter(account=account).select_related("entry")
    books: QuerySet[Any] = OpenBookLine.objects.filter(account=account).select_related("ledger_entry")
    if usable:
        bank = form.applied(bank, "entry", BANK_TEXTS)
        books = form.applied(books, "ledger_entry", BOOK_TEXTS)
    else:
        bank, books = bank.none(), books.none()
    bank_page = _page(request, bank, ("-on", "-entry_id"), "bank")
    book_page = _page(request, books, ("-on", "-ledger_entry_id"), "book")
    mine = Match.objects.live().filter(account=account, made_by_id=request.user.pk)
    context = {
        "account": account,
        "filters": form,
        "standing": standings([account])[0],
        "bank": [_bank_line(line) for line in bank_page.rows],
        "books": [_book_line(line) for line in book_page.rows],
        "bank_page": bank_page,
        "book_page": book_page,
        "last_match": mine.order_by("-id").first(),
        **_suggested(request, account),
        **abilities(request),
    }
    return render(request, "reconciliation/workbench.html", context)


@require_POST
def match(request: HttpRequest, pk: int) -> HttpResponse:
    """Match the chosen lines."""
    account = account_for(request, pk)
    try:
        made = by_hand.match_lines(
            account=account,
            entries=ids_of(request.POST.getlist("bank")),
            ledger_entries=ids_of(request.POST.getlist("book")),
            by=request.user,
            at=timezone.now(),
            note=request.POST.get("note", "")[:200],
        )
    except by_hand.MatchError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Matched %(amount)s.") % {"amount": _amount(made, account)})
    return _back(request, account)


@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo one match, from the screen or its own page."""
    found = get_object_or_404(Match.objects.visible_to(request.user).select_related("account"), pk=pk)
    try:
        by_hand.undo_match(match=found, by=request.user, at=timezone.now())
    except by_hand.MatchError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The match is undone; its lines are open again."))
    return _back(request, found.account)


@require_POST
def match_now(request: HttpRequest, pk: int) -> HttpResponse:
    """Run the portal's own matching at once."""
    access.require(request.user, RECONCILE)
    account = account_for(request, pk)
    found = match_account(account=account, by=request.user, at=timezone.now())
    messages.success(
        request,
        ngettext(
            "%(total)d pair was certain: %(reference)d by our reference, %(bank)d by the bank's, %(amount)d"
            " by amount, day and counterparty.",
            "%(total)d pairs were certain: %(reference)d by our reference, %(bank)d by the bank's, %(amount)d"
            " by amount, day and counterparty.",
            found.total,
        )
        % {
            "total": found.total,
            "reference": found.by_reference,
            "bank": found.by_bank_reference,
            "amount": found.by_amount,
        },
    )
    return _back(request, account)


def _page(request: HttpRequest, rows: Any, order: tuple[str, ...], side: str) -> paging.Slice:
    after, before = request.GET.get(f"{side}_after", ""), request.GET.get(f"{side}_before", "")
    return paging.page_of(rows, order, SIZE, after=after, before=before)


def _bank_line(line: OpenBankLine) -> ShownLine:
    entry = line.entry
    references = tuple(r for r in (entry.reference, entry.bank_reference) if r)
    return ShownLine(
        line.pk,
        line.on,
        line.amount,
        entry.counterparty_name,
        entry.text[:200],
        references,
        int(line.amount * STEPS),
    )


def _book_line(line: OpenBookLine) -> ShownLine:
    entry = line.ledger_entry
    references = tuple(r for r in (entry.voucher, entry.reference, entry.bank_reference) if r)
    return ShownLine(
        line.pk, line.on, line.amount, entry.counterparty, entry.text, references, int(line.amount * STEPS)
    )


def _suggested(request: HttpRequest, account: Account) -> dict[str, Any]:
    """The line asked about and up to three suggestions for it."""
    side, _dash, number = request.GET.get("for", "").partition("-")
    keys = ids_of([number])
    if side not in {"bank", "book"} or not keys:
        return {}
    line: OpenLine | None
    if side == "bank":
        line = OpenBankLine.objects.select_related("entry").filter(account=account, pk=keys[0]).first()
    else:
        line = OpenBookLine.objects.select_related("ledger_entry").filter(account=account, pk=keys[0]).first()
    if line is None:
        return {"asked_gone": True}
    offers = [_offer(n, line, s) for n, s in enumerate(suggest(line=line), start=1)]
    shown = _bank_line(line) if isinstance(line, OpenBankLine) else _book_line(line)  # type: ignore[arg-type]
    return {"asked": shown, "asked_side": side, "offers": offers}


def _offer(number: int, line: OpenLine, suggestion: Suggestion) -> Offer:
    reasons: list[Any] = [REASONS[reason] for reason in suggestion.reasons]
    apart = ngettext("%(days)d day apart", "%(days)d days apart", suggestion.days) % {"days": suggestion.days}
    reasons.append(apart if suggestion.days else _("same day"))
    if isinstance(line, OpenBankLine):
        books = OpenBookLine.objects.select_related("ledger_entry").filter(pk__in=suggestion.lines)
        lines = [_book_line(one) for one in books.order_by("-on")]
        return Offer(number, suggestion, lines, reasons, (line.pk,), suggestion.lines)
    bank = OpenBankLine.objects.select_related("entry").filter(pk__in=suggestion.lines)
    lines = [_bank_line(one) for one in bank.order_by("-on")]
    return Offer(number, suggestion, lines, reasons, suggestion.lines, (line.pk,))


def _amount(made: Match, account: Account) -> str:
    return f"{written(made.amount, account.currency)} {account.currency}"


def _back(request: HttpRequest, account: Account) -> HttpResponse:
    target = request.POST.get("next", "")
    if target and url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()):
        return redirect(target)
    return redirect(reverse("reconciliation:account", args=[account.pk]))
