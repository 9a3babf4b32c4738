"""People and what they may do. Every change waits for a second administrator."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import password_validation
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from treasury.models import Account, Company, ProposedChange, User
from treasury.services import access, auditing, changes, people
from treasury.templatetags import portal
from treasury.views.columns import Column
from treasury.views.listing import Filters, ListPage


class PeopleFilters(Filters):
    """Find a person."""

    search = forms.CharField(label=gettext_lazy("Name"))
    role = forms.ChoiceField(label=gettext_lazy("Role"))
    lookups = {
        "search": ("username__icontains", "first_name__icontains", "last_name__icontains"),
        "role": "groups__name",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [("", _("All")), *((r, _(r)) for r in access.ROLES)]  # type: ignore[attr-defined]


class RolesColumn(Column):
    """Names of roles in the reader's language."""

    def cell(self, row: Any) -> str:
        return ", ".join(_(g.name) for g in row.groups.all() if g.name in access.ROLES) or "—"

    exported = cell


class PeoplePage(ListPage):
    """Everybody, with their roles."""

    model, title, filters, permission = User, gettext_lazy("People"), PeopleFilters, people.MANAGE
    template_name = "treasury/people.html"
    order = ("username", "id")
    columns = (
        Column("username", gettext_lazy("Username"), url=lambda u: reverse("person", args=[u.pk]), sort=True),
        Column("name", gettext_lazy("Name"), value=lambda u: u.get_full_name()),
        Column("email", gettext_lazy("E-mail")),
        RolesColumn("roles", gettext_lazy("Roles")),
        Column("is_active", gettext_lazy("May sign in"), kind="yes_no"),
        Column("last_login", gettext_lazy("Last sign-in"), kind="instant"),
    )

    def rows(self) -> models.QuerySet[Any]:
        return User.objects.prefetch_related("groups")


class AccessForm(forms.Form):
    """What a person shall have from the second administrator's yes on."""

    active = forms.BooleanField(label=gettext_lazy("May sign in"), required=False)
    roles = forms.MultipleChoiceField(
        label=gettext_lazy("Roles"), required=False, widget=forms.CheckboxSelectMultiple
    )
    companies = forms.ModelMultipleChoiceField(
        Company.objects.all(),
        label=gettext_lazy("Companies, with all their accounts"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    accounts = forms.ModelMultipleChoiceField(
        Account.objects.select_related("company", "bank"),
        label=gettext_lazy("Single accounts of other companies"),
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 8}),
    )
    password = forms.CharField(
        label=gettext_lazy("New password"),
        required=False,
        help_text=gettext_lazy(
            "Only when one is needed. Tell it the person yourself; it is stored as a hash."
        ),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    forget_factors = forms.BooleanField(
        label=gettext_lazy("Forget passkeys, authenticator and recovery codes"), required=False
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"].choices = [(role, _(role)) for role in access.ROLES]  # type: ignore[attr-defined]

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if password:
            password_validation.validate_password(password)
        return password

    def wanted(self) -> people.Access:
        data = self.cleaned_data
        return people.Access(
            active=data["active"],
            roles=frozenset(data["roles"]),
            companies=frozenset(c.pk for c in data["companies"]),
            accounts=frozenset(a.pk for a in data["accounts"]),
        )


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]
    """Who a new person is; what they may do is proposed on the next page."""

    class Meta:
        model = User
        fields = ("username", "first_name", "last_name", "email")


def new_person(request: HttpRequest) -> HttpResponse:
    """Enter a person who cannot sign in yet."""
    access.require(request.user, people.MANAGE)
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        person = people.create_person(**form.cleaned_data, by=request.user, at=timezone.now())
        text = _("%(person)s is entered and cannot sign in yet. Now propose roles, companies and a password.")
        messages.success(request, text % {"person": person})
        return redirect("person", pk=person.pk)
    return render(request, "treasury/new_person.html", {"form": form}, status=422 if form.errors else 200)


def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person: what they have, what waits for a second yes, and the form to propose a change."""
    access.require(request.user, people.MANAGE)
    who = get_object_or_404(User, pk=pk)
    now = people.access_of(who)
    initial = {
        "active": now.active,
        "roles": list(now.roles),
        "companies": now.companies,
        "accounts": now.accounts,
    }
    form = AccessForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            with transaction.atomic():
                change = people.propose_access(
                    person=who,
                    wanted=form.wanted(),
                    password=data["password"],
                    forget_factors=data["forget_factors"],
                    reason=data["reason"],
                    by=request.user,
                    at=timezone.now(),
                )
        except changes.ChangeRefusedError as error:
            form.add_error(None, str(error))
        else:
            messages.success(
                request, _("Proposed. Another administrator confirms it under “Proposed changes”.")
            )
            return redirect("change", pk=change.pk)
    pending = ProposedChange.objects.filter(
        kind=people.KIND, object_id=who.pk, state=ProposedChange.State.PENDING
    ).first()
    context = {"person": who, "form": form, "pending": pending, "timeline": auditing.of(who)}
    return render(request, "treasury/person.html", context, status=422 if form.errors else 200)


portal.actions(
    {
        "treasury.access.proposed": gettext_lazy("Access proposed"),
        "treasury.access.applied": gettext_lazy("Access changed"),
        "treasury.access.rejected": gettext_lazy("Access change rejected"),
        "treasury.access.withdrawn": gettext_lazy("Access change withdrawn"),
        "treasury.person_entered": gettext_lazy("Person entered"),
        "treasury.rates_imported": gettext_lazy("Exchange rates imported"),
        "treasury.recurring_saved": gettext_lazy("Recurring item saved"),
        "treasury.recurring_removed": gettext_lazy("Recurring item removed"),
        "treasury.plan_committed": gettext_lazy("Plan put in force"),
        "treasury.plan_undone": gettext_lazy("Plan undone"),
        "treasury.configured": gettext_lazy("Configuration changed"),
        "treasury.secret_resealed": gettext_lazy("Secret sealed with a new key"),
    }
)
