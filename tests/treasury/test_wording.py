"""What the trail stores is shown in the reader's words and language."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.utils import translation

from payments.states import PaymentState
from tests import make
from tests.make import Cast
from treasury import wording
from treasury.services import auditing
from treasury.templatetags import portal

pytestmark = pytest.mark.django_db


def test_details_and_states_are_read_in_the_readers_language(cast: Cast, now: datetime) -> None:
    make.rule_set(cast, at=now)
    payment = make.submitted_payment(cast, at=now)
    event = auditing.of(payment).filter(action="payments.submitted").get()
    with translation.override("zh-hans"):
        told = dict(wording.detail_lines(event))
        assert told["原状态"] == "草稿"
        assert told["现状态"] == "待审批"
        assert portal.action_label(event.action) == "已提交审批"
    with translation.override("en"):
        assert dict(wording.detail_lines(event))["now"] == str(PaymentState.SUBMITTED.label)


def test_the_acts_on_any_proposed_change_have_a_name(cast: Cast) -> None:
    with translation.override("zh-hans"):
        assert portal.action_label("payments.rules.proposed") == "已提交变更申请"
        assert portal.action_label("acme.thing_done") == "thing done"


def test_what_has_no_translation_is_shown_as_stored(cast: Cast) -> None:
    with translation.override("zh-hans"):
        assert wording.in_words("Beispiel Logistik GmbH") == "Beispiel Logistik GmbH"
        assert wording.in_words("") == ""
