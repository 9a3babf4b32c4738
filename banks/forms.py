"""Forms of the banks pages: a connection's settings as its connector declares them, and uploads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from banks import connectors, formats
from banks.models import Connection
from banks.services.connections import ConnectionSettingsError, Setting, settings_of
from treasury.models import Account, Bank

PREFIX = "setting_"


class ConnectorForm(forms.Form):
    """Step one of a new connection: which bank, reached by which connector."""

    bank = forms.ModelChoiceField(Bank.objects.order_by("name"), label=_("Bank"))
    connector = forms.ChoiceField(label=_("Connector"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = connectors.keys()
        choices = [(key, gettext(connectors.package(key).NAME)) for key in known]
        self.fields["connector"].choices = choices  # type: ignore[attr-defined]


class ConnectionForm(forms.Form):
    """Name, settings and accounts of a connection; secrets are never sent to the browser."""

    name = forms.CharField(label=_("Name"), max_length=100)

    def __init__(
        self,
        *args: Any,
        connector: str,
        bank: Bank,
        user: Any,
        connection: Connection | None = None,
        **kwargs: Any,
    ) -> None:
        initial = {}
        if connection is not None:
            held = connection.connected_accounts.values_list("account_id", flat=True)
            initial = {"name": connection.name, "accounts": list(held)}
            initial |= {PREFIX + key: value for key, value in connection.config.items()}
        super().__init__(*args, **{"initial": initial} | kwargs)
        self.declared = settings_of(connector)
        for setting in self.declared:
            self.fields[PREFIX + setting.name] = _field(setting, kept=connection is not None)
        accounts = Account.objects.visible_to(user).open().filter(bank=bank).order_by("name")
        self.fields["accounts"] = forms.ModelMultipleChoiceField(
            accounts,
            label=_("Accounts reached this way"),
            required=False,
            widget=forms.CheckboxSelectMultiple,
            help_text=_("Balances, statements and payments of these accounts go over this connection."),
        )

    def values(self) -> dict[str, Any]:
        """Settings by their own names, as the services take them."""
        return {s.name: self.cleaned_data.get(PREFIX + s.name) for s in self.declared}

    def accounts(self) -> Sequence[Account]:
        return list(self.cleaned_data["accounts"])

    def refuse(self, error: ConnectionSettingsError) -> None:
        """Show what the service refused at the field it names."""
        field = PREFIX + error.field if PREFIX + error.field in self.fields else error.field
        self.add_error(field if field in self.fields else None, str(error))


def _field(setting: Setting, *, kept: bool) -> forms.Field:
    help_text = gettext(setting.help)
    common: dict[str, Any] = {
        "label": gettext(setting.label),
        "required": setting.required and not (setting.secret and kept),
    }
    if setting.secret:
        if kept:
            help_text += " " + gettext("Leave empty to keep the one stored.")
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
        return forms.CharField(**common, help_text=help_text, widget=widget, strip=False)
    common |= {"help_text": help_text, "initial": setting.default}
    if setting.type is bool:
        return forms.BooleanField(**(common | {"required": False}))
    if setting.type is int:
        return forms.IntegerField(**common)
    if setting.type is float:
        return forms.FloatField(**common)
    return forms.CharField(**common)


class ReasonForm(forms.Form):
    """A sentence that goes into the audit trail."""

    reason = forms.CharField(label=_("Reason"), max_length=500)


class MultipleFileInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files at once; `clean` gives a list."""

    widget = MultipleFileInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        many = data if isinstance(data, list | tuple) else [data]
        return [super(FilesField, self).clean(one, initial) for one in many]


class UploadForm(forms.Form):
    """Statement files from a person's computer."""

    chosen = FilesField(label=_("Files"), allow_empty_file=True)
    format = forms.ChoiceField(
        label=_("Format"),
        required=False,
        choices=[("", _("Tell it from the content")), *((name, name) for name in formats.FORMATS)],
    )
