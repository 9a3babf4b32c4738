"""The states of a connection and of an inbound file, and their allowed moves."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ConnectionState(models.TextChoices):
    """A connection speaks to its bank only when ACTIVE; only a second person makes it so."""

    DRAFT = "DRAFT", _("Waiting for a second person")
    ACTIVE = "ACTIVE", _("Active")
    PAUSED = "PAUSED", _("Paused")


CONNECTION_TRANSITIONS: dict[str, frozenset[str]] = {
    ConnectionState.DRAFT: frozenset({ConnectionState.ACTIVE}),
    ConnectionState.ACTIVE: frozenset({ConnectionState.PAUSED, ConnectionState.DRAFT}),
    ConnectionState.PAUSED: frozenset({ConnectionState.ACTIVE, ConnectionState.DRAFT}),
}


class FileState(models.TextChoices):
    """RECEIVED bytes are safe; READ ones are statements; FLAGGED ones need a look; UNREADABLE are kept."""

    RECEIVED = "RECEIVED", _("Received")
    READ = "READ", _("Read")
    FLAGGED = "FLAGGED", _("Read, with remarks")
    UNREADABLE = "UNREADABLE", _("Unreadable")


FILE_TRANSITIONS: dict[str, frozenset[str]] = {
    FileState.RECEIVED: frozenset({FileState.READ, FileState.FLAGGED, FileState.UNREADABLE}),
    FileState.UNREADABLE: frozenset({FileState.READ, FileState.FLAGGED, FileState.UNREADABLE}),
    FileState.FLAGGED: frozenset({FileState.READ, FileState.FLAGGED}),
    FileState.READ: frozenset(),
}
