"""Asking what became of payments, and when "no record" is proof.

The bank takes no payment message older, by its signed timestamp, than the received window, and
checks that in the transaction that books. So a query begun after the window (and a margin for
the clocks) has seen all that the message will ever do. Should the bank's clock be behind ours by
more than the margin, "no record" proves nothing and is told as UNKNOWN.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from banks.connectors.simulated.config import Config
from banks.connectors.simulated.http import Heard, Line
from banks.connectors.simulated.reports import read_instant, read_reports
from banks.messages import Answer, PaymentState, StatusReport, Talk

REFERENCES_A_REQUEST = 500


class Queries:
    """The ability `queries`."""

    _config: Config
    _line: Line

    def query_payments(self, references: Sequence[str]) -> Answer:
        """One report for each reference; UNKNOWN where the bank's answer says nothing of it."""
        wanted = list(dict.fromkeys(references))
        reports: list[StatusReport] = []
        talks: list[Talk] = []
        for start in range(0, len(wanted), REFERENCES_A_REQUEST):
            part = wanted[start : start + REFERENCES_A_REQUEST]
            body = json.dumps({"references": part}, ensure_ascii=False, separators=(",", ":")).encode()
            heard = self._line.ask("POST", "/payments/query", body)
            talks.append(heard.talk)
            said = {report.reference: report for report in read_reports(heard, part)}
            doubt = self._doubt(heard)
            reports.extend(_settle(said.get(reference), reference, doubt) for reference in part)
        return Answer(reports=tuple(reports), talks=tuple(talks))

    def no_record_is_final(self, *, sent_at: datetime, asked_at: datetime) -> bool:
        """Whether a query begun at `asked_at` came after all that a message of `sent_at` could do."""
        wait = self._config.no_record_window_seconds + self._config.clock_margin_seconds
        return asked_at - sent_at > timedelta(seconds=wait)

    def _doubt(self, heard: Heard) -> str:
        """Why "no record" in this answer proves nothing, or ""."""
        answered = read_instant(heard.data.get("answered_at"))
        window = heard.data.get("received_window_seconds")
        if answered is None or not isinstance(window, int | float):
            return "The bank did not say by which clock and window it answered"
        if window > self._config.no_record_window_seconds:
            return f"The bank takes messages for {window:g} s, longer than this connection is set to"
        behind = (heard.talk.ended_at - answered).total_seconds()
        if behind > self._config.clock_margin_seconds:
            return f"The bank's clock may be {behind:.0f} s behind ours"
        return ""


def _settle(report: StatusReport | None, reference: str, doubt: str) -> StatusReport:
    if report is None:
        text = "The bank's answer says nothing of this reference"
        return StatusReport(reference=reference, state=PaymentState.UNKNOWN, code="NO_ANSWER", text=text)
    if report.state is PaymentState.NO_RECORD and doubt:
        return replace(report, state=PaymentState.UNKNOWN, code="DOUBTFUL", text=doubt)
    return report
