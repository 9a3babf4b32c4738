"""A person's own choices: language, unit of amounts, keyboard shortcuts."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from treasury.models import User


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]
    """What one may choose for oneself."""

    class Meta:
        model = User
        fields = ("language", "amount_unit", "shortcuts")


def keep_language(response: HttpResponse, language: str) -> None:
    """Let the browser remember the language; "" forgets it, and the browser's own counts again."""
    if language:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=365 * 86400,
            secure=settings.HTTPS,
            samesite="Lax",
        )
    else:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """The switch in the top bar: remembers the language and returns to the page it was used on."""
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()):
        target = "/"
    response = HttpResponseRedirect(target)
    chosen = request.POST.get("language", "")
    if check_for_language(chosen) and chosen in dict(settings.LANGUAGES):
        keep_language(response, chosen)
        if request.user.is_authenticated:
            User.objects.filter(pk=request.user.pk).update(language=chosen)
    return response


def preferences(request: HttpRequest) -> HttpResponse:
    """Show and save one's preferences."""
    person = cast(User, request.user)
    form = PreferencesForm(request.POST or None, instance=person)
    if request.method == "POST" and form.is_valid():
        form.save()
        with override(person.language or None):
            messages.success(request, _("Your preferences are saved."))
        response = redirect("preferences")
        keep_language(response, person.language)
        return response
    context: dict[str, Any] = {"form": form, "form_has_errors": bool(form.errors)}
    return render(request, "treasury/preferences.html", context, status=422 if form.errors else 200)
