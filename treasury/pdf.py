"""Paper: A4 and A5 documents with embedded Chinese glyphs, laid out from a few plain parts.

Holds the fonts, the page frame and the parts every paper shares (heading, facts, table, rule);
what a voucher or an adjustment statement says stays with its app. Text is searchable and every
font is embedded as a subset, so that a paper reads the same in ten years. The bytes depend on
the content and on the clock given, on nothing else.

A character that no font of ours has (a rare personal name) is printed as □ and named in a note
at the end with its code point: a paper is a copy, the record stays on screen, and a payment is
not held up by a missing glyph.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from html import escape
from typing import Any, Literal

from django.conf import settings
from django.utils.translation import gettext as _
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4 as A4_SIZE
from reportlab.lib.pagesizes import A5, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, HRFlowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

A4 = A4_SIZE
A4_LANDSCAPE = landscape(A4_SIZE)
A5_LANDSCAPE = landscape(A5)

Style = Literal["title", "heading", "body", "strong", "small", "number", "strong number", "label"]
Align = Literal["left", "right", "center"]

FILES = {
    "Sans": "noto-sans-sc-2.004/NotoSansSC-Regular.ttf",
    "Sans-Bold": "noto-sans-sc-2.004/NotoSansSC-Bold.ttf",
    "Wide": "dejavu-sans-2.37/DejaVuSans.ttf",
    "Wide-Bold": "dejavu-sans-2.37/DejaVuSans-Bold.ttf",
}
INK, SOFT, LINE, SHADE = (colors.HexColor(c) for c in ("#1b2733", "#5b6875", "#b9c2cb", "#eef1f4"))
MARGIN = 15 * mm
UNKNOWN = "□"


@cache
def _glyphs() -> dict[str, frozenset[int]]:
    """Register the fonts once per process; for each, the code points it can draw."""
    found: dict[str, frozenset[int]] = {}
    for name, path in FILES.items():
        font = TTFont(name, settings.BASE_DIR / "static" / "vendor" / path)
        pdfmetrics.registerFont(font)
        found[name] = frozenset(font.face.charToGlyph)
    return found


def missing_glyphs(text: str) -> list[str]:
    """The characters of `text` that no printing font has, in order of appearance, once each."""
    have = _glyphs()
    return [c for c in dict.fromkeys(text) if c not in "\n\t" and not any(ord(c) in g for g in have.values())]


@cache
def _style(style: Style, align: Align, size: float) -> ParagraphStyle:
    _glyphs()
    bold = style in {"title", "heading", "strong", "strong number"}
    return ParagraphStyle(
        f"{style} {align} {size}",
        fontName="Sans-Bold" if bold else "Sans",
        fontSize=size,
        leading=size * 1.45,
        textColor=SOFT if style in {"small", "label"} else INK,
        alignment={"left": 0, "center": 1, "right": 2}[align],
        wordWrap="CJK",
    )


SIZES: dict[Style, float] = {
    "title": 15,
    "heading": 11,
    "body": 9,
    "strong": 9,
    "small": 7.5,
    "number": 9,
    "strong number": 9,
    "label": 8,
}


class Paper:
    """One document being written, part after part. `content()` gives the finished bytes.

    `at` is the instant of printing: it dates the file and, with the same content, gives the
    same bytes. `footer` stands at the bottom left of every page, "page x of y" at the right.
    """

    def __init__(
        self,
        *,
        title: str,
        at: datetime,
        size: tuple[float, float] = A4,
        footer: str = "",
        author: str = "Zhilian",
    ) -> None:
        self.title, self.at, self.size, self.footer, self.author = title, at, size, footer, author
        self.width = size[0] - 2 * MARGIN
        self.parts: list[Flowable] = []
        self.missing: dict[str, None] = {}

    # --- parts ---------------------------------------------------------------------------
    def text(self, text: object, style: Style = "body", align: Align | None = None) -> Paragraph:
        """A piece of text as a flowable, for cells and for `add`; markup in it is printed, not obeyed."""
        if align is None:
            align = "right" if style in {"number", "strong number"} else "left"
        return Paragraph(self._marked_up(str(text), style), _style(style, align, SIZES[style]))

    def add(self, *flowables: Flowable) -> None:
        """Any flowable of reportlab, for what the parts below do not cover."""
        self.parts.extend(flowables)

    def heading(self, text: object, *, style: Style = "heading", align: Align = "left") -> None:
        self.add(self.text(text, style, align), Spacer(0, 2 * mm))

    def paragraph(self, text: object, style: Style = "body", align: Align | None = None) -> None:
        self.add(self.text(text, style, align), Spacer(0, 1.5 * mm))

    def rule(self) -> None:
        self.add(HRFlowable(width="100%", thickness=0.6, color=LINE, spaceBefore=1.5 * mm, spaceAfter=2 * mm))

    def space(self, millimetres: float) -> None:
        self.add(Spacer(0, millimetres * mm))

    def facts(self, pairs: Iterable[tuple[object, object]], *, columns: int = 1) -> None:
        """Labels and their values, `columns` pairs beside each other."""
        self.add(self.facts_block(pairs, columns=columns, width=self.width), Spacer(0, 2 * mm))

    def facts_block(self, pairs: Iterable[tuple[object, object]], *, columns: int, width: float) -> Table:
        cells = [part for label, value in pairs for part in (self.text(label, "label"), self.text(value))]
        across = columns * 2
        cells += [""] * (-len(cells) % across)
        rows = [cells[i : i + across] for i in range(0, len(cells), across)] or [[""] * across]
        each = width / columns
        table = Table(rows, colWidths=[each * 0.3, each * 0.7] * columns)
        table.setStyle(TableStyle([*_TIGHT, ("VALIGN", (0, 0), (-1, -1), "TOP")]))
        return table

    def beside(self, *blocks: tuple[object, Iterable[tuple[object, object]]]) -> None:
        """Framed blocks side by side, each a heading over its facts (payer | payee)."""
        each = self.width / len(blocks)
        cells = [
            [self.text(name, "strong"), self.facts_block(pairs, columns=1, width=each - 6 * mm)]
            for name, pairs in blocks
        ]
        table = Table([cells], colWidths=[each] * len(blocks))
        frame = [("BOX", (0, 0), (-1, -1), 0.6, LINE), ("INNERGRID", (0, 0), (-1, -1), 0.6, LINE)]
        table.setStyle(TableStyle([*frame, ("VALIGN", (0, 0), (-1, -1), "TOP")]))
        self.add(table, Spacer(0, 2 * mm))

    def table(
        self,
        header: Sequence[object],
        rows: Iterable[Sequence[object]],
        *,
        shares: Sequence[float] | None = None,
        align: Sequence[Align] | None = None,
        totals: Iterable[Sequence[object]] = (),
    ) -> None:
        """Rows under a header repeated on every page; `shares` are relative widths, `totals` bold last rows.

        Raises ValueError when a row has not as many cells as the header.
        """
        aligned: Sequence[Align] = align or ["left"] * len(header)
        body, ends = list(rows), list(totals)
        for number, row in enumerate((*body, *ends), start=1):
            if len(row) != len(header):
                raise ValueError(f"Row {number} has {len(row)} cells, the header {len(header)}.")
        lines = [self._row(header, aligned, "strong")]
        lines += [self._row(row, aligned, "body") for row in body]
        lines += [self._row(row, aligned, "strong") for row in ends]
        parts = shares or [1] * len(header)
        table = Table(lines, colWidths=[self.width * p / sum(parts) for p in parts], repeatRows=1)
        look: list[tuple[Any, ...]] = [
            *_TIGHT,
            ("BACKGROUND", (0, 0), (-1, 0), SHADE),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ]
        if ends:
            look.append(("LINEABOVE", (0, -len(ends)), (-1, -len(ends)), 1, INK))
        table.setStyle(TableStyle(look))
        self.add(table, Spacer(0, 2 * mm))

    # --- the finished document ---------------------------------------------------------------
    def content(self) -> bytes:
        """The PDF. A note on missing glyphs ends it where there were any."""
        footer = self._marked_up(self.footer, "small")
        if self.missing:
            listed = ", ".join(f"U+{ord(c):04X}" for c in self.missing)
            note = _("Characters that the printing font lacks appear as □: %(code_points)s.")
            self.paragraph(note % {"code_points": listed}, "small")
        target = io.BytesIO()
        document = SimpleDocTemplate(
            target,
            pagesize=self.size,
            leftMargin=MARGIN,
            rightMargin=MARGIN,
            topMargin=MARGIN,
            bottomMargin=MARGIN + 5 * mm,
            title=self.title,
            author=self.author,
            invariant=1,
        )
        document.build(self.parts, canvasmaker=_canvas_of(self.at, footer, self.size))
        return target.getvalue()

    def _row(self, cells: Sequence[object], align: Sequence[Align], style: Style) -> list[Flowable]:
        return [
            cell if isinstance(cell, Flowable) else self.text(cell, style, side)
            for cell, side in zip(cells, align, strict=True)
        ]

    def _marked_up(self, text: str, style: Style) -> str:
        """Escaped text in which each run names the font that has its glyphs."""
        have = _glyphs()
        end = "-Bold" if _style(style, "left", SIZES[style]).fontName.endswith("-Bold") else ""
        runs: list[tuple[str, str]] = []
        for char in text:
            if char in "\n\t" or ord(char) in have[f"Sans{end}"]:
                font = ""
            elif ord(char) in have[f"Wide{end}"]:
                font = f"Wide{end}"
            else:
                self.missing[char] = None
                char, font = UNKNOWN, ""
            if runs and runs[-1][0] == font:
                runs[-1] = (font, runs[-1][1] + char)
            else:
                runs.append((font, char))
        marked = (f'<font name="{f}">{escape(t)}</font>' if f else escape(t) for f, t in runs)
        return "".join(marked).replace("\n", "<br/>")


_TIGHT = [
    ("LEFTPADDING", (0, 0), (-1, -1), 3),
    ("RIGHTPADDING", (0, 0), (-1, -1), 3),
    ("TOPPADDING", (0, 0), (-1, -1), 1.5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
]


def _canvas_of(at: datetime, footer: str, size: tuple[float, float]) -> type[Canvas]:
    """A canvas that dates the file with `at` and writes the footers once the page count is known."""

    class FootedCanvas(Canvas):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._pages: list[dict[str, Any]] = []
            stamp, moment = self._doc._timeStamp, at.astimezone(UTC)
            stamp.t, stamp.lt = moment.timestamp(), moment.timetuple()
            stamp.YMDhms = tuple(moment.timetuple())[:6]

        def showPage(self) -> None:
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, state in enumerate(self._pages, start=1):
                self.__dict__.update(state)
                self._foot(number)
                super().showPage()
            super().save()

        def _foot(self, number: int) -> None:
            words = _("Page %(number)s of %(count)s") % {"number": number, "count": len(self._pages)}
            style, sides = SIZES["small"], (("left", footer), ("right", words))
            for side, text in sides:
                part = Paragraph(text, _style("small", side, style))  # type: ignore[arg-type]
                share = 0.75 if side == "left" else 0.25
                width = (size[0] - 2 * MARGIN) * share
                part.wrap(width, 10 * mm)
                part.drawOn(self, MARGIN if side == "left" else size[0] - MARGIN - width, MARGIN - 5 * mm)

    return FootedCanvas
