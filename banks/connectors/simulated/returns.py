"""Hearing of returned payments (退票)."""

from __future__ import annotations

from urllib.parse import urlencode

from banks.connectors.simulated.http import Line
from banks.connectors.simulated.reading import items_of, text_of
from banks.connectors.simulated.reports import read_reports
from banks.messages import Answer, StatusReport, Talk


class Returns:
    """The ability `returns`."""

    _line: Line

    def fetch_returns(self, cursor: str) -> tuple[Answer, str]:
        """Returns after `cursor` ("" is the beginning), all pages, and the new cursor."""
        reports: list[StatusReport] = []
        talks: list[Talk] = []
        more = True
        while more:
            heard = self._line.ask("GET", f"/returns?{urlencode({'since': cursor})}")
            talks.append(heard.talk)
            references = [str(item.get("reference", "")) for item in items_of(heard, "returns")]
            reports.extend(read_reports(heard, references, "returns"))
            cursor = text_of(heard, "cursor")
            more = heard.data.get("more") is True and bool(references)
        return Answer(reports=tuple(reports), talks=tuple(talks)), cursor
