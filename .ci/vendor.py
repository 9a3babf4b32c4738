"""Fetch the front-end assets that the repository carries, and write down exactly what they are.

    python .ci/vendor.py            fetch, verify and unpack everything again (needs npm)
    python .ci/vendor.py --check    only compare the files on disk with static/vendor/vendor.json

Each package lands in static/vendor/<name>-<version>/ with its licence; `vendor.json` lists name,
version, npm integrity, SPDX licence and the sha256 of every file. Lines that point to source maps
are taken out (the maps are not shipped). htmx comes with the Python package django-htmx.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "static" / "vendor"
INDEX = VENDOR / "vendor.json"
ICONS = (
    "adjustments alert-circle alert-triangle arrow-back-up arrow-left arrow-right arrows-exchange"
    " arrows-sort ban building building-bank calendar chart-line check chevron-down chevron-left"
    " chevron-right circle-check circle-x clock copy credit-card database download external-link eye"
    " file-import file-text fingerprint help history home info-circle key keyboard language layout-dashboard"
    " link list-check lock login logout menu-2 minus pencil player-pause player-play plug-connected plus"
    " printer receipt refresh repeat scale search send settings shield-check shield-lock sort-ascending"
    " sort-descending transfer-in transfer-out trash unlink upload user users wallet x zoom-question"
).split()


@dataclass(frozen=True)
class Package:
    """One npm package: which of its files are taken, where to, and under which licence."""

    npm: str
    version: str
    spdx: str
    integrity: str
    files: dict[str, str]
    licence: str = "LICENSE"
    folder: str = ""

    @property
    def name(self) -> str:
        return self.folder or self.npm


PACKAGES = (
    Package(
        "bootstrap",
        "5.3.9",
        "MIT",
        "sha512-20cU0rcfw8WdxtVbmfU+xT2EjvVTw9Ror/h1Qvd7DXCujRg8OO9mdBCsmTHdJFf3BuadmBNJtgIuUXsBqSkk/w==",
        {
            "dist/css/bootstrap.min.css": "bootstrap.min.css",
            "dist/js/bootstrap.bundle.min.js": "bootstrap.bundle.min.js",
            "LICENSE": "LICENSE",
        },
    ),
    Package(
        "echarts",
        "6.1.0",
        "Apache-2.0",
        "sha512-q0yaFPggC9FUdsWH4blavRWFmxdrIodbkoKNAjJudAI6CA9gNPxHtV2RcZNEepZVlk4yvBYkOkbk6HIVpIyHZA==",
        {
            "dist/echarts.common.min.js": "echarts.common.min.js",
            "LICENSE": "LICENSE",
            "NOTICE": "NOTICE",
        },
    ),
    Package(
        "@tabler/icons",
        "3.51.0",
        "MIT",
        "sha512-0pinvPZz7YeX+OSfxuEAbnEPWbocVXW5iU8h5lh41pYG8sZuQfpWECC980lxOT0clGIcNGn8xsBr+zKaRGdA/g==",
        {"LICENSE": "LICENSE"},
        folder="tabler-icons",
    ),
    Package(
        "@fontsource-variable/inter",
        "5.3.0",
        "OFL-1.1",
        "sha512-OupL48va4JNofb97w6NYeF9S7W/kHNKM0Er8Dem5nqi4jeOLrVJDoE8tZEpnMJmtkvNbB1EIPPwHcdkF6b1oUA==",
        {"files/inter-latin-wght-normal.woff2": "inter-latin.woff2", "LICENSE": "LICENSE"},
        folder="inter",
    ),
    Package(
        "axe-core",
        "4.14.1",
        "MPL-2.0",
        "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
        {
            "axe.min.js": "axe.min.js",
            "LICENSE": "LICENSE",
            "LICENSE-3RD-PARTY.txt": "LICENSE-3RD-PARTY.txt",
        },
    ),
)
TESTS_ONLY = {"axe-core": ROOT / "tests" / "browser" / "vendor"}


def home_of(package: Package) -> Path:
    """The folder a package lives in: with the site's files, or with the tests when only they use it."""
    return TESTS_ONLY.get(package.name, VENDOR) / f"{package.name}-{package.version}"


def fetch(package: Package, into: Path) -> Path:
    """The package's tarball, verified against the recorded integrity."""
    done = subprocess.run(
        ["npm", "pack", "--silent", f"{package.npm}@{package.version}"],  # noqa: S607
        cwd=into,
        check=True,
        capture_output=True,
        text=True,
    )
    tarball = into / done.stdout.strip().splitlines()[-1]
    found = "sha512-" + base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if found != package.integrity:
        raise SystemExit(
            f"{package.npm} {package.version}: integrity {found}, expected {package.integrity}."
            " Do not use this file; compare with the published value."
        )
    return tarball


def without_source_map(content: bytes) -> bytes:
    return re.sub(rb"\n?(/\*# sourceMappingURL=[^*]*\*/|//# sourceMappingURL=\S*)\n?", b"\n", content)


def sprite(read: Any) -> bytes:
    """The chosen Tabler icons as one SVG of symbols, drawn in the colour of the text around them."""
    symbols = []
    for name in ICONS:
        svg = read(f"icons/outline/{name}.svg").decode()
        body = re.sub(r"<!--.*?-->", "", svg, flags=re.S)
        body = re.search(r"<svg[^>]*>(.*)</svg>", body, re.S).group(1)  # type: ignore[union-attr]
        body = re.sub(r"\s+", " ", body).strip()
        symbols.append(
            f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2"'
            f' stroke-linecap="round" stroke-linejoin="round">{body}</symbol>'
        )
    return ('<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n").encode()


def unpack(package: Package, tarball: Path) -> None:
    home = home_of(package)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    with tarfile.open(tarball) as archive:

        def read(name: str) -> bytes:
            member = archive.extractfile(f"package/{name}")
            if member is None:
                raise SystemExit(f"{package.npm} {package.version} holds no file {name}.")
            return member.read()

        for source, target in package.files.items():
            content = read(source)
            if target.endswith((".css", ".js")):
                content = without_source_map(content)
            (home / target).write_bytes(content)
        if package.name == "tabler-icons":
            (home / "icons.svg").write_bytes(sprite(read))


def describe(package: Package) -> dict[str, Any]:
    home = home_of(package)
    return {
        "name": package.npm,
        "version": package.version,
        "integrity": package.integrity,
        "license": package.spdx,
        "licence_file": str((home / package.licence).relative_to(ROOT)),
        "used_by": "tests" if package.name in TESTS_ONLY else "site",
        "files": {
            str(path.relative_to(ROOT)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(home.iterdir())
        },
    }


def main() -> None:
    stored = json.loads(INDEX.read_text(encoding="utf-8")) if INDEX.exists() else []
    names = {package.npm for package in PACKAGES}
    if "--check" in sys.argv:
        kept = {entry["name"]: entry for entry in stored}
        wrong = [p.npm for p in PACKAGES if describe(p) != kept.get(p.npm)]
        raise SystemExit(f"Changed since they were fetched: {', '.join(wrong)}." if wrong else 0)
    with tempfile.TemporaryDirectory() as folder:
        for package in PACKAGES:
            unpack(package, fetch(package, Path(folder)))
    others = [entry for entry in stored if entry["name"] not in names]
    entries = sorted([*others, *map(describe, PACKAGES)], key=lambda e: e["name"])
    INDEX.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
