"""The guide as a person reads it, every chapter within the rules of the page."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Strict
from tests.make import Cast, cast_of
from treasury.views.guide import slugs

pytestmark = pytest.mark.browser


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return cast_of()


def test_the_guide_reads_well(strict: Strict, cast: Cast) -> None:
    strict.sign_in(cast.alice)
    strict.tour("guide", "/docs/")
    for width in (1440, 390):
        strict.resize(width)
        for slug in slugs():
            strict.open(f"/docs/{slug}/")
            strict.axe()
            strict.fits()
            strict.shot(f"guide-{slug}")
