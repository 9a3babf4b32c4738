"""The audit trail: append-only and hash-chained, sealed by the database itself.

A row is inserted by `services.auditing.record` inside the transaction of the act it tells of.
A deferred trigger seals it at commit: position, the hash of the row before, its own hash. That
keeps the chain one line without holding a lock while business runs. Guards: migration 0002.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from treasury.querysets import AuditEventQuerySet


class AuditEvent(models.Model):
    """Who did what to which object when. `detail` holds JSON text exactly as hashed."""

    at = models.DateTimeField(_("at"))
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(_("who"), max_length=150)
    action = models.CharField(_("action"), max_length=60)
    object_type = models.CharField(_("object type"), max_length=40)
    object_id = models.BigIntegerField(_("object"))
    object_label = models.CharField(max_length=200)
    company = models.ForeignKey("treasury.Company", on_delete=models.PROTECT, null=True, related_name="+")
    detail = models.TextField(_("detail"), default="{}")
    ip = models.GenericIPAddressField(null=True)
    position = models.BigIntegerField(null=True, unique=True)
    previous_hash = models.CharField(max_length=64, null=True)  # noqa: DJ001 - NULL means not yet sealed
    hash = models.CharField(max_length=64, null=True)  # noqa: DJ001

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        ordering = ["-id"]
        indexes = [models.Index(fields=["object_type", "object_id", "id"], name="audit_by_object")]

    def __str__(self) -> str:
        return f"{self.action} {self.object_label}"


class AuditHead(models.Model):
    """The end of the chain: one row, locked only while a commit seals its events."""

    position = models.BigIntegerField()
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return str(self.position)


class ProposedChange(models.Model):
    """A change that takes effect only after a second person's yes (the generic maker-checker).

    `kind` names a `services.changes.Kind` registered by the app that owns the object;
    `payload` is what that kind needs to apply it, `summary` what the checker reads.
    """

    class State(models.TextChoices):
        PENDING = "PENDING", _("Waiting for a second person")
        APPLIED = "APPLIED", _("Applied")
        REJECTED = "REJECTED", _("Rejected")
        WITHDRAWN = "WITHDRAWN", _("Withdrawn")

    kind = models.CharField(max_length=60)
    object_id = models.BigIntegerField(null=True)
    object_label = models.CharField(_("object"), max_length=200)
    company = models.ForeignKey("treasury.Company", on_delete=models.PROTECT, null=True, related_name="+")
    payload = models.JSONField()
    summary = models.JSONField(default=list)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = _("proposed change")
        verbose_name_plural = _("proposed changes")
        ordering = ["-id"]
        permissions = [
            ("confirm_change", "May confirm other people's changes"),
            ("manage_access", "May manage people, roles and grants"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "object_id"],
                condition=models.Q(state="PENDING"),
                name="one_open_change_per_object",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | ~models.Q(decided_by=models.F("made_by"))
                | models.Q(state="WITHDRAWN"),
                name="change_needs_second_person",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["PENDING", "APPLIED", "REJECTED", "WITHDRAWN"]),
                name="change_state_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_label}"
