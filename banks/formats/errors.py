"""What can go wrong with a file as a whole; a single bad line is an event, not an error."""

from __future__ import annotations


class UnreadableError(ValueError):
    """The file cannot be read as a statement: the message names what is wrong and what to do."""


class ForbiddenContentError(UnreadableError):
    """The file carries something no statement may: a document type, entities, an inflating archive."""


class UnwritableError(ValueError):
    """A statement cannot be said in the format asked for: the message names the field and the limit."""
