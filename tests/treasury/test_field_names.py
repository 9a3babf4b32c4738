"""Every model and every field has a name in Chinese, also those that name themselves nowhere."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.utils import translation

APPS = ("treasury", "banks", "payments", "reconciliation")
THE_SAME = {"BIC", "ID", "SHA-256", "API令牌", "IP"}


@pytest.mark.parametrize("app", APPS)
def test_models_and_fields_are_named_in_chinese(app: str) -> None:
    with translation.override("zh-hans"):
        names = [
            (f"{model._meta.label}.{getattr(field, 'name', '')}", str(field.verbose_name))
            for model in apps.get_app_config(app).get_models()
            for field in (model._meta, *model._meta.get_fields())
            if hasattr(field, "verbose_name")
        ]
    assert [where for where, name in names if name.isascii() and name not in THE_SAME] == []
