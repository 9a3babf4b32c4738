"""Rebuild the fonts that PDFs embed, from Debian's fonts-noto-cjk and fonts-dejavu-core.

reportlab embeds TrueType outlines only, and Noto's Chinese fonts come as CFF collections: the
simplified Chinese face is subset to GB2312 and a few more characters, its outlines converted.
Needs fonttools, which the portal itself does not. The output is committed; run this by hand
after a font update:

    pip install fonttools
    python .ci/make_pdf_fonts.py static/vendor
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont, newTable

NOTO = "/usr/share/fonts/opentype/noto/NotoSansCJK-{weight}.ttc"
DEJAVU = "/usr/share/fonts/truetype/dejavu/{name}.ttf"

BEYOND_GB2312 = (
    "镕喆堃昇淼鑫垚犇骉陞囍瑀珺甯祎璟翀旻晞彧曌璠琇玥珮瑄烨焱熠燚頔赟龑龢韡贇咘叡濬睿"  # names of people
    "壹贰叁肆伍陆柒捌玖拾佰仟萬億圆圓整正零〇"  # amounts in words
    "臺國際銀行賬戶匯豐滙香港澳門灣東亞恒渣打華僑邨廣電話號碼總額幣種"  # banks of Hong Kong and Macao
)
LIMITS_OF_A_STATIC_FONT = (
    "maxTwilightPoints maxStorage maxFunctionDefs maxInstructionDefs maxStackElements maxSizeOfInstructions"
    " maxComponentElements maxPoints maxContours maxCompositePoints maxCompositeContours maxComponentDepth"
).split()


def gb2312() -> Iterator[int]:
    for high in range(0xA1, 0xFF):
        for low in range(0xA1, 0xFF):
            try:
                yield ord(bytes((high, low)).decode("gb2312"))
            except UnicodeDecodeError:
                continue


def chinese() -> set[int]:
    ranges = ((0x20, 0x7F), (0xA0, 0x180), (0x2010, 0x2028), (0x2030, 0x203F), (0x3000, 0x3040))
    chars = {c for start, stop in (*ranges, (0xFF00, 0xFFF0)) for c in range(start, stop)}
    return chars | set(gb2312()) | set(map(ord, BEYOND_GB2312 + "€₩™№←↑→↓−□○●✓"))


def european() -> set[int]:
    ranges = ((0x20, 0x7F), (0xA0, 0x250), (0x370, 0x400), (0x400, 0x530), (0x1E00, 0x2000), (0x20A0, 0x20C0))
    return {c for start, stop in ranges for c in range(start, stop)} | set(map(ord, "‘’“”–—…‾✓✗"))


def subset_to(font: TTFont, chars: set[int]) -> None:
    options = subset.Options(
        layout_features=[],
        hinting=False,
        desubroutinize=True,
        notdef_outline=True,
        name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14],
        glyph_names=False,
    )
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE", "GPOS", "GSUB", "GDEF"]
    options.drop_tables += ["FFTM"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=chars)
    subsetter.subset(font)
    font["head"].modified = font["head"].created
    font.recalcTimestamp = False


def to_truetype(font: TTFont) -> None:
    """Cubic outlines to quadratic ones, within one unit of a thousand."""
    source, order, glyphs = font.getGlyphSet(), font.getGlyphOrder(), {}
    for name in order:
        pen = TTGlyphPen(None)
        source[name].draw(Cu2QuPen(pen, 1.0, reverse_direction=True))
        glyphs[name] = pen.glyph()
    font["loca"] = newTable("loca")
    font["glyf"] = table = newTable("glyf")
    table.glyphOrder, table.glyphs = order, glyphs
    most = font["maxp"]
    most.tableVersion, most.maxZones = 0x00010000, 1
    for field in LIMITS_OF_A_STATIC_FONT:
        setattr(most, field, 0)
    for name, glyph in glyphs.items():
        glyph.recalcBounds(table)
        font["hmtx"][name] = (font["hmtx"][name][0], glyph.xMin if glyph.numberOfContours else 0)
    del font["CFF "]
    post = font["post"]
    post.formatType, post.extraNames, post.mapping = 3.0, [], {}
    font["head"].glyphDataFormat, font.sfntVersion = 0, "\x00\x01\x00\x00"


def main(folder: Path) -> None:
    for weight in ("Regular", "Bold"):
        faces = TTCollection(NOTO.format(weight=weight)).fonts
        font = next(f for f in faces if f["name"].getDebugName(1) == "Noto Sans CJK SC")
        subset_to(font, chinese())
        to_truetype(font)
        font.save(folder / "noto-sans-sc-2.004" / f"NotoSansSC-{weight}.ttf")
    for name in ("DejaVuSans", "DejaVuSans-Bold"):
        font = TTFont(DEJAVU.format(name=name))
        subset_to(font, european())
        font.save(folder / "dejavu-sans-2.37" / f"{name}.ttf")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
