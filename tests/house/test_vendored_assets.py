"""What we ship of others is exactly what was fetched, with its licence beside it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENDORED = json.loads((ROOT / "static" / "vendor" / "vendor.json").read_text(encoding="utf-8"))


def test_every_vendored_file_has_the_recorded_hash_and_no_other_file_lies_there() -> None:
    listed = {name: digest for package in VENDORED for name, digest in package["files"].items()}
    found = {
        str(path.relative_to(ROOT)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in (ROOT / "static" / "vendor", ROOT / "tests" / "browser" / "vendor")
        for path in folder.rglob("*")
        if path.is_file() and path.name != "vendor.json"
    }
    assert found == listed


def test_every_vendored_package_carries_its_licence_and_says_where_it_is_from() -> None:
    for package in VENDORED:
        assert package["license"] in {"MIT", "Apache-2.0", "OFL-1.1", "MPL-2.0", "Bitstream-Vera"}, package
        assert (ROOT / package["licence_file"]).stat().st_size > 500
        assert package["integrity"].startswith("sha512-") or "Debian" in package["used_by"], package


def test_no_vendored_file_points_to_a_source_map() -> None:
    for path in (ROOT / "static" / "vendor").rglob("*.*s"):
        assert b"sourceMappingURL" not in path.read_bytes(), path
