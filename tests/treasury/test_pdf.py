"""Paper: what is written can be read back, with embedded fonts and the same bytes every time."""

from __future__ import annotations

import io
import re
from datetime import datetime

import pytest
from pypdf import PdfReader

from treasury.pdf import A5_LANDSCAPE, Paper, missing_glyphs


def words_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def fonts_of(content: bytes) -> dict[str, bool]:
    """Name of every font in the file to whether its program is embedded."""
    found = {}
    for page in PdfReader(io.BytesIO(content)).pages:
        for reference in page["/Resources"].get("/Font", {}).values():
            font = reference.get_object()
            described = font.get("/FontDescriptor")
            found[font["/BaseFont"]] = described is not None and "/FontFile2" in described.get_object()
    return found


def voucher(now: datetime) -> bytes:
    paper = Paper(title="付款凭证 V-1", at=now, size=A5_LANDSCAPE, footer="本凭证不是银行回单")
    paper.heading("付款凭证", style="title", align="center")
    paper.beside(
        ("付款人", [("户名", "华夏贸易有限公司"), ("账号", "6225000000000001")]),
        ("收款人", [("户名", "Škoda Łódź s.r.o."), ("开户行", "招商银行股份有限公司北京分行")]),
    )
    paper.facts([("大写金额", "人民币壹拾贰万叁仟肆佰伍拾陆元柒角捌分"), ("金额", "¥123,456.78")], columns=2)
    paper.rule()
    paper.paragraph("<b>not bold</b> & plain")
    return paper.content()


def test_chinese_and_european_text_can_be_read_back(now: datetime) -> None:
    text = words_of(voucher(now))
    for expected in (
        "人民币壹拾贰万叁仟肆佰伍拾陆元柒角捌分",
        "¥123,456.78",
        "Škoda Łódź",
        "<b>not bold</b>",
    ):
        assert expected in text.replace("\n", "")
    assert "本凭证不是银行回单" in text
    assert "Page 1 of 1" in text


def test_every_font_is_embedded_as_a_subset(now: datetime) -> None:
    content = voucher(now)
    drawn = fonts_of(content)
    assert drawn.pop("/Helvetica", None) in {None, False}  # reportlab names it and draws nothing with it
    assert drawn
    assert all(drawn.values()), drawn
    assert len(content) < 120_000


def test_the_same_content_at_the_same_time_gives_the_same_bytes(now: datetime) -> None:
    assert voucher(now) == voucher(now)
    assert voucher(now) != voucher(now.replace(hour=3))
    info = PdfReader(io.BytesIO(voucher(now))).metadata
    assert info is not None
    assert info.creation_date == now


def test_a_long_table_repeats_its_header_and_counts_its_pages(now: datetime) -> None:
    paper = Paper(title="Lines", at=now)
    rows = [(f"L{n:04}", f"摘要 {n}", f"{n}.00") for n in range(200)]
    paper.table(("Line", "摘要", "Amount"), rows, align=("left", "left", "right"), totals=[("", "合计", "0")])
    reader = PdfReader(io.BytesIO(paper.content()))
    assert len(reader.pages) > 2
    for number, page in enumerate(reader.pages, start=1):
        text = page.extract_text()
        assert "Amount" in text
        assert f"Page {number} of {len(reader.pages)}" in text
    found = re.findall(r"L\d{4}", words_of(paper_bytes(now, rows)))
    assert found == [row[0] for row in rows]


def paper_bytes(now: datetime, rows: list[tuple[str, str, str]]) -> bytes:
    paper = Paper(title="Lines", at=now)
    paper.table(("Line", "摘要", "Amount"), rows)
    return paper.content()


def test_a_missing_glyph_is_marked_and_named(now: datetime) -> None:
    assert missing_glyphs("张\U0002cb4e Łódź") == ["\U0002cb4e"]
    paper = Paper(title="Rare", at=now)
    paper.paragraph("张\U0002cb4e")
    text = words_of(paper.content())
    assert "张□" in text
    assert "U+2CB4E" in text


def test_wrapping_loses_no_character(now: datetime) -> None:
    story = "支付 2026 年 11 月 Consulting services according to contract ZL-2026-000123 的服务费用，" * 12
    paper = Paper(title="Wrap", at=now, size=A5_LANDSCAPE)
    paper.paragraph(story)
    text = words_of(paper.content()).replace("Page 1 of 1", "")
    assert re.sub(r"\s", "", text) == re.sub(r"\s", "", story)


def test_a_row_of_the_wrong_length_is_refused(now: datetime) -> None:
    with pytest.raises(ValueError, match="Row 1 has 1 cells, the header 2"):
        Paper(title="x", at=now).table(("a", "b"), [("1",)])
