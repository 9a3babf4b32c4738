"""Connections, raw exchanges, inbound files, statements and their entries."""

from banks.models.connections import ConnectedAccount, Connection, Exchange
from banks.models.statements import Entry, FilePart, InboundFile, QuarantinedLine, Statement

__all__ = [
    "ConnectedAccount",
    "Connection",
    "Entry",
    "Exchange",
    "FilePart",
    "InboundFile",
    "QuarantinedLine",
    "Statement",
]
