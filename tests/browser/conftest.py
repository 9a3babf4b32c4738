"""Real Chromium against the real server with its real CSP.

    def test_the_list_reads_well(strict: Strict, cast: Cast) -> None:
        strict.sign_in(cast.alice)
        strict.tour("payments", "/payments/")       # en and zh-hans, 1440 and 390 px: axe, width, picture

`strict.page` is a Playwright page. A CSP violation, a console error, an exception in a script or a
failed request of a part of a page fails the test when it ends; `strict.allow("…")` excuses what a
test provokes on purpose. Pictures go to test-results/. Without Chromium the tests are skipped;
where the environment says CI=true a missing Chromium is a failure.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from treasury.models import User

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop lives in the test's thread

HERE = Path(__file__).parent
AXE = next(HERE.glob("vendor/axe-core-*/axe.min.js"))
RESULTS = HERE.parent.parent / "test-results"
LANGUAGES = ("en", "zh-hans")
WIDTHS = (1440, 390)
WATCH_CSP = (
    "document.addEventListener('securitypolicyviolation', e => console.error("
    "'CSP ' + e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sourceFile + ':' + e.lineNumber"
    " + ' ' + (e.sample || '')));"
)
RUN_AXE = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(v =>
    v.id + ": " + v.help + " | " + v.nodes.slice(0, 3).map(n => n.target + " " + n.html.slice(0, 160)
    + " " + (n.any[0] ? n.any[0].message : "")).join(" || "))"""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        message = "No Chromium found. Install Debian's package `chromium` (see .ci/run)."
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@dataclass
class Strict:
    """One person at one browser window; what goes wrong in it is kept in `faults`."""

    server: str
    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)
    language: str = "en"
    width: int = 1440

    def allow(self, *parts: str) -> None:
        """Excuse faults whose text contains one of `parts`."""
        self.allowed += parts

    def sign_in(self, user: User) -> None:
        """Put a session of `user` into the browser, as if they had signed in."""
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        self.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.server}])

    def speak(self, language: str) -> None:
        """Show the following pages in `language`."""
        self.language = language
        self.context.add_cookies(
            [{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": self.server}]
        )

    def resize(self, width: int) -> None:
        self.width = width
        self.page.set_viewport_size({"width": width, "height": 900 if width > 600 else 844})

    def open(self, path: str) -> Page:
        """Go to a page of the portal and wait until all of it is there."""
        self.page.goto(self.server + path, wait_until="load")
        return self.page

    def shot(self, name: str) -> Path:
        """A picture of the window in test-results/."""
        RESULTS.mkdir(exist_ok=True)
        target = RESULTS / f"{name}-{self.language}-{self.width}.png"
        self.page.screenshot(path=target)
        return target

    def axe(self) -> None:
        """Raises AssertionError for any accessibility violation of the page as it is now."""
        if not self.page.evaluate("() => typeof window.axe === 'object'"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate(RUN_AXE)
        assert not found, f"{self.page.url} ({self.language}, {self.width} px): " + "\n".join(found)

    def fits(self) -> None:
        """Raises AssertionError when the page is wider than the window."""
        width = self.page.evaluate("() => document.scrollingElement.scrollWidth")
        assert width <= self.width, f"{self.page.url}: {width} px wide in a window of {self.width} px"

    def tour(self, name: str, path: str) -> None:
        """Look at one page in both languages and both widths: axe, width, a picture of each."""
        for language in LANGUAGES:
            self.speak(language)
            self.resize(WIDTHS[0])
            self.open(path)
            for width in WIDTHS:
                self.resize(width)
                self.page.evaluate(
                    "() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))"
                )
                self.axe()
                self.fits()
                self.shot(name)
        self.speak("en")
        self.resize(1440)

    def check(self) -> None:
        faults = [f for f in self.faults if not any(part in f for part in self.allowed)]
        assert not faults, "\n".join(faults)


@pytest.fixture
def strict(chromium: Browser, live_server: Any) -> Iterator[Strict]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    context.set_default_timeout(10_000)
    context.add_init_script(WATCH_CSP)
    page = context.new_page()
    one = Strict(live_server.url.replace("localhost", "127.0.0.1"), context, page)

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            place = message.location
            one.faults.append(f"console: {message.text} ({place.get('url')}:{place.get('lineNumber')})")

    page.on("console", on_console)
    page.on("pageerror", lambda error: one.faults.append(f"script: {error}"))
    one.speak("en")
    yield one
    context.close()
    one.check()
