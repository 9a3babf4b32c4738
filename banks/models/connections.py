"""How one bank is reached, which accounts go that way, and every talk word for word."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from banks.querysets import ConnectionQuerySet, ExchangeQuerySet
from banks.states import ConnectionState


class Connection(models.Model):
    """Settings and credentials towards one bank. `secrets` are sealed by `treasury.secrets`."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    bank = models.ForeignKey(
        "treasury.Bank", on_delete=models.PROTECT, related_name="connections", verbose_name=_("bank")
    )
    connector = models.CharField(_("connector"), max_length=60)
    config = models.JSONField(_("settings"), default=dict)
    secrets = models.BinaryField(default=b"", editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=ConnectionState, default=ConnectionState.DRAFT
    )
    last_ok_at = models.DateTimeField(_("last success"), null=True, editable=False)
    last_error_at = models.DateTimeField(null=True, editable=False)
    last_error = models.CharField(max_length=500, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    retry_at = models.DateTimeField(_("not before"), null=True, editable=False)
    refresh_at = models.DateTimeField(_("next refresh"), null=True, editable=False)
    returns_cursor = models.TextField(default="", blank=True, editable=False)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        ordering = ["name"]
        permissions = [("configure_connection", "May set up connections to banks")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=ConnectionState.values), name="connection_state_known"
            )
        ]

    def __str__(self) -> str:
        return self.name


class ConnectedAccount(models.Model):
    """One account reached over one connection, with the durable cursor of its statements."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="connected_accounts")
    account = models.OneToOneField("treasury.Account", on_delete=models.PROTECT, related_name="connected")
    pays = models.BooleanField(_("payments go this way"), default=True)
    statement_cursor = models.TextField(default="", blank=True, editable=False)
    fetched_at = models.DateTimeField(_("statements fetched at"), null=True, editable=False)

    class Meta:
        verbose_name = _("connected account")
        verbose_name_plural = _("connected accounts")

    def __str__(self) -> str:
        return f"{self.account} ↔ {self.connection}"


class Exchange(models.Model):
    """One request and its answer as they went over the line. The request is stored first."""

    class Outcome(models.TextChoices):
        OPEN = "OPEN", _("No answer yet")
        ANSWERED = "ANSWERED", _("Answered")
        NOT_SENT = "NOT_SENT", _("Not sent")
        REFUSED = "REFUSED", _("Refused by the bank")
        UNCERTAIN = "UNCERTAIN", _("Outcome unknown")

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="exchanges")
    purpose = models.CharField(_("purpose"), max_length=20)
    subject = models.CharField(_("about"), max_length=200, blank=True)
    request = models.BinaryField(default=b"")
    response = models.BinaryField(null=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, default=Outcome.OPEN)
    error = models.CharField(max_length=500, blank=True)
    started_at = models.DateTimeField(_("started at"))
    ended_at = models.DateTimeField(_("ended at"), null=True)

    objects = ExchangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("exchange")
        verbose_name_plural = _("exchanges")
        ordering = ["-id"]
        indexes = [models.Index(fields=["connection", "-id"], name="exchange_newest")]

    def __str__(self) -> str:
        return f"{self.connection} {self.purpose} {self.started_at:%Y-%m-%d %H:%M:%S}"
