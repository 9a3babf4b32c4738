"""Reading a JSON body: limited in size and depth, without anything two programs may read differently."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import exceptions, parsers

from treasury.api.errors import BodyTooLargeError

BODY_LIMIT = 4 << 20
"""Bytes of a JSON body."""


class StrictJSONParser(parsers.JSONParser):
    """JSON in UTF-8. A name given twice, NaN, or text that is no Unicode is refused."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        raw = stream.read(BODY_LIMIT + 1)
        if len(raw) > BODY_LIMIT:
            raise BodyTooLargeError(BODY_LIMIT)
        try:
            found = json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
            json.dumps(found, ensure_ascii=False).encode("utf-8")
        except RecursionError as error:
            raise exceptions.ParseError(_("The body is nested too deeply.")) from error
        except UnicodeError as error:
            raise exceptions.ParseError(_("The body is not text in UTF-8.")) from error
        except ValueError as error:
            raise exceptions.ParseError(
                _("The body cannot be read as JSON: %(reason)s.") % {"reason": error}
            ) from error
        return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(_("the name %(name)r stands twice in one object") % {"name": twice})
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(_("%(name)s is not a JSON number") % {"name": name})
