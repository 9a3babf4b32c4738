"""The names of models and fields that say nothing but their Python name, for screens in other languages.

Django calls `made_by` "made by" on the configuration screens. `name_everything` lets those default
names go through the catalogue; what a model names itself is left as it is. Migrations see nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import apps
from django.utils.functional import Promise
from django.utils.text import camel_case_to_spaces
from django.utils.translation import gettext_lazy, gettext_noop

NAMES = (
    gettext_noop("actor"),
    gettext_noop("approval request"),
    gettext_noop("approval step"),
    gettext_noop("audit head"),
    gettext_noop("base amount"),
    gettext_noop("changed at"),
    gettext_noop("changed by"),
    gettext_noop("claimed by"),
    gettext_noop("code"),
    gettext_noop("columns"),
    gettext_noop("committed at"),
    gettext_noop("confirmed at"),
    gettext_noop("confirmed by"),
    gettext_noop("content"),
    gettext_noop("created by"),
    gettext_noop("decided at"),
    gettext_noop("decided by"),
    gettext_noop("decision"),
    gettext_noop("decision reason"),
    gettext_noop("due role"),
    gettext_noop("edited at"),
    gettext_noop("edited by"),
    gettext_noop("entry"),
    gettext_noop("facts"),
    gettext_noop("failures"),
    gettext_noop("flags"),
    gettext_noop("hash"),
    gettext_noop("identity"),
    gettext_noop("imported"),
    gettext_noop("imported file"),
    gettext_noop("ip"),
    gettext_noop("last error"),
    gettext_noop("last error at"),
    gettext_noop("last used at"),
    gettext_noop("lease until"),
    gettext_noop("live"),
    gettext_noop("made at"),
    gettext_noop("made by"),
    gettext_noop("matched line"),
    gettext_noop("object id"),
    gettext_noop("object label"),
    gettext_noop("occurrence"),
    gettext_noop("open bank line"),
    gettext_noop("open book line"),
    gettext_noop("opened at"),
    gettext_noop("opening on"),
    gettext_noop("own account"),
    gettext_noop("party"),
    gettext_noop("payee bank code"),
    gettext_noop("payee bank name"),
    gettext_noop("payee country"),
    gettext_noop("payload"),
    gettext_noop("payment version"),
    gettext_noop("person"),
    gettext_noop("plan"),
    gettext_noop("position"),
    gettext_noop("previous hash"),
    gettext_noop("raw"),
    gettext_noop("request"),
    gettext_noop("request digest"),
    gettext_noop("resolved at"),
    gettext_noop("resolved by"),
    gettext_noop("response"),
    gettext_noop("returns cursor"),
    gettext_noop("revoked at"),
    gettext_noop("rule"),
    gettext_noop("secrets"),
    gettext_noop("set by"),
    gettext_noop("sha256"),
    gettext_noop("sheet"),
    gettext_noop("signature"),
    gettext_noop("statement cursor"),
    gettext_noop("steps"),
    gettext_noop("submitted by"),
    gettext_noop("undone by"),
    gettext_noop("uploaded by"),
)
"""Default names that are not already a word of a page."""


def name_everything(app_labels: Iterable[str]) -> None:
    """Show the default names of the apps' models and fields in the reader's language."""
    for label in app_labels:
        for model in apps.get_app_config(label).get_models():
            meta = model._meta
            if meta.verbose_name == camel_case_to_spaces(meta.object_name or ""):
                meta.verbose_name = gettext_lazy(str(meta.verbose_name))
            for field in meta.get_fields():
                name = getattr(field, "verbose_name", None)
                if name and not isinstance(name, Promise):
                    field.verbose_name = gettext_lazy(name)  # type: ignore[union-attr]
