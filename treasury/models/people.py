"""People and what they prefer. What they may do is roles (groups) and grants (guardian)."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person who signs in. Roles say what a person may do, grants say for which companies."""

    class Language(models.TextChoices):
        BROWSER = "", _("As the browser says")
        ENGLISH = "en", _("English")
        CHINESE = "zh-hans", _("Simplified Chinese")

    class AmountUnit(models.TextChoices):
        ONE = "1", _("Units")
        TEN_THOUSAND = "10000", _("Ten thousands (万)")
        MILLION = "1000000", _("Millions")

    language = models.CharField(_("language"), max_length=10, choices=Language, default="", blank=True)
    amount_unit = models.CharField(
        _("amounts on the dashboard in"), max_length=10, choices=AmountUnit, default=AmountUnit.ONE
    )
    shortcuts = models.BooleanField(_("keyboard shortcuts"), default=True)

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class ApiToken(models.Model):
    """A key with which a program acts as one person. Only its SHA-256 is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("what it is for"), max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"{self.user}: {self.name}"
