"""Which of our accounts a statement speaks of, and whether its sender may speak of it."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import Func, Q, TextField, Value
from django.db.models.functions import Upper
from django.utils.translation import gettext as _

from banks.messages import AccountIdentity
from banks.models import InboundFile
from banks.rules import plain_number
from treasury.models import Account

_LOCK_SPACE = 7101
"""First key of the advisory locks that let one import at a time write lines of an account."""


class AccountNotFoundError(LookupError):
    """No account of ours fits the statement; the text names it and the next step."""

    code = "banks.unknown_account"


def find(*, identity: AccountIdentity, currency: str | None, file: InboundFile, by: Any = None) -> Account:
    """The account of a statement, among those its sender may speak of.

    A bank speaks of the accounts kept there or attached to its connection, a person of accounts
    granted to them; the console of all. Raises AccountNotFoundError.
    """
    plain = plain_number(identity.number)
    stripped = Func(
        Upper("number"),
        Value("[^0-9A-Z]"),
        Value(""),
        Value("g"),
        function="regexp_replace",
        output_field=TextField(),
    )
    same = list(
        _allowed(file, by)
        .annotate(plain=Func(stripped, Value("0"), function="ltrim", output_field=TextField()))
        .filter(plain="" if plain == "0" else plain)
        .select_related("company", "bank")
    )
    fitting = [a for a in same if currency is None or a.currency == currency]
    if len(fitting) == 1:
        account: Account = fitting[0]
        return account
    names = {"number": identity.number, "currency": currency or _("no currency")}
    if fitting:
        kept = ", ".join(sorted(a.currency for a in fitting))
        text = _("Account %(number)s is kept in %(kept)s and the statement does not say which. Ask the bank.")
        raise AccountNotFoundError(text % (names | {"kept": kept}))
    if same:
        kept = ", ".join(sorted(a.currency for a in same))
        text = _(
            "Account %(number)s is kept in %(kept)s here, but the statement is in %(currency)s. "
            "Create the account in %(currency)s, then read the file again."
        )
        raise AccountNotFoundError(text % (names | {"kept": kept}))
    text = _(
        "Account %(number)s (%(currency)s) is not among the accounts this file may speak of. Create the "
        "account, or have an administrator grant access to it, then read the file again."
    )
    raise AccountNotFoundError(text % names)


def hold(account: Account) -> None:
    """Let one transaction at a time write lines of this account."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK_SPACE, account.pk])


def _allowed(file: InboundFile, by: Any) -> Any:
    person = by or file.uploaded_by
    if file.connection is None:
        return Account.objects.all() if person is None else Account.objects.visible_to(person)
    of_bank = Q(bank=file.connection.bank_id) | Q(connected__connection=file.connection_id)
    return Account.objects.filter(of_bank)
