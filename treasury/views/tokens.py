"""One's own API tokens: list, create, revoke. A token's text is shown once, right after creation."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from treasury.models import ApiToken, User
from treasury.services import api_tokens
from treasury.templatetags import portal


class TokenForm(forms.Form):
    """What a new token is for."""

    name = forms.CharField(label=gettext_lazy("What is the token for?"), max_length=100)


@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    """One's tokens, and the form for another one."""
    person = cast(User, request.user)
    form = TokenForm(request.POST or None)
    value, status = "", 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                _made, value = api_tokens.create_token(
                    user=person, name=form.cleaned_data["name"], by=person, at=timezone.now()
                )
            except api_tokens.TokenRefusedError as error:
                form.add_error("name", str(error))
            else:
                form, status = TokenForm(), 201
    context: dict[str, Any] = {
        "form": form,
        "form_has_errors": bool(form.errors),
        "value": value,
        "tokens": ApiToken.objects.filter(user=person).order_by("-pk"),
    }
    return render(request, "treasury/api_tokens.html", context, status=status)


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own tokens."""
    token = get_object_or_404(ApiToken, pk=pk, user=cast(User, request.user))
    api_tokens.revoke_token(token=token, by=request.user, at=timezone.now())
    messages.success(
        request, _("%(name)s is revoked; a program that used it is signed out.") % {"name": token.name}
    )
    return redirect("api_tokens")


portal.actions(
    {
        "treasury.token_created": gettext_lazy("API token created"),
        "treasury.token_revoked": gettext_lazy("API token revoked"),
    }
)
