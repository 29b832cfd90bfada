"""The page in a real headless Chromium: every place, a whole call, and everything that a browser can refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.web import browser as chrome
from tests.web.conftest import SAID, FakeKit, Site, serving
from voicecoach import prepare, record, testing
from voicecoach.nouns import SAMPLE_RATE_HZ
from voicecoach.web.calls import House
from voicecoach.world.trainee import calibration_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not chrome.CHROMIUM, reason="there is no chromium on this machine"),
]
WIDTHS = (360, 1920)
STATIC = Path(__file__).parents[2] / "voicecoach" / "web" / "static"


@pytest.fixture(scope="module")
def reading() -> np.ndarray:
    """A calm reading, and then replies with room between them: what the fake microphone says, whoever listens."""
    script, spoken = prepare.demo_trainee(), prepare.spoken()
    calm = calibration_of(script, spoken)
    return np.concatenate(
        [testing.noise(1.0, -70), calm, testing.noise(4.0, -70), calm[: 3 * SAMPLE_RATE_HZ], testing.noise(60.0, -70)]
    )


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, reading: np.ndarray) -> Iterator[Any]:
    option = chrome.microphone(tmp_path_factory.mktemp("mic") / "mic.wav", reading)
    with chrome.chromium(*chrome.FAKE, option) as found:
        yield found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for all of them: starting it takes longer than most tests."""
    house = House(tmp_path_factory.mktemp("house") / "data", FakeKit(), limit=2)
    with serving(house) as found:
        yield found


class Tab:
    """One tab of one browser of one trainee, with everything that it complained about."""

    def __init__(self, browser: Any, site: Site, width: int = 1366, **more: Any) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 800}, **more)
        self.complaints: list[str] = []
        self.site = site
        self.page = self.context.new_page()
        self.page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, place: str = "choose", ready: str = ".answer") -> Any:
        self.page.goto(f"{self.site.origin}/?token={self.site.seats.issue()}")
        if place != "choose":
            self.page.goto(f"{self.site.origin}/#{place}")
        self.page.wait_for_selector(ready)
        return self.page

    def close(self) -> None:
        self.context.close()


@pytest.fixture
def tab(browser: Any, site: Site) -> Iterator[Tab]:
    found = Tab(browser, site)
    yield found
    found.close()
    assert found.complaints == []


def serious(page: Any) -> list[str]:
    """What axe finds that is serious or worse."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found if one["impact"] in {"serious", "critical"}
    ]


def sideways(page: Any) -> int:
    """Pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.shifts.push([entry.value, ...entry.sources.map((one) => one.node?.className || one.node?.nodeName)]);
  }).observe({type: "layout-shift", buffered: false});
}"""


def test_a_whole_call_in_the_browser(tab: Tab) -> None:
    """Choose, calibrate, prepare, answer, note, end, note again, read the debrief: by the page alone, nothing moves."""
    page = tab.open()
    page.click("summary:has-text('Microphone')")
    page.click("text=Check the microphone")
    page.wait_for_selector("text=We hear you well")
    assert "no echo cancellation, no noise suppression, no gain control" in page.inner_text(".panel")
    page.click("text=Read aloud, 20 seconds")
    page.wait_for_selector("text=Listening")
    page.wait_for_timeout(8000)
    page.click("text=I have read it")
    page.wait_for_selector("text=Your calm voice is known on this microphone.", state="attached", timeout=20_000)
    page.click("summary:has-text('Worksheet')")
    page.fill("input[aria-label='Add to: You can offer']", "a cake <b>for her</b>")
    page.press("input[aria-label='Add to: You can offer']", "Enter")
    page.click("text=I know what I can offer")
    page.click(".answer")
    page.wait_for_selector(".time:text-matches('0:0[1-9]')", timeout=20_000)
    page.evaluate(SHIFTS)
    page.click("summary:has-text('Notes')")
    page.wait_for_timeout(700)
    page.evaluate("window.shifts = []")  # opening the drawer was asked for
    page.fill("#pad", "Loan printer by ten")
    page.press("#pad", "Enter")
    page.wait_for_selector(".kept li")
    page.wait_for_selector(".lines li.mine", state="attached", timeout=20_000)
    assert page.evaluate("window.shifts") == []
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")
    page.fill("#rest", "Call back at ten")
    page.click("text=To the debrief")
    page.wait_for_selector("h1:has-text('Your call with Dana')", timeout=20_000)
    frame = page.frame_locator("iframe.whole")
    frame.locator("h1").wait_for()
    (folder,) = record.list_sessions(tab.site.house.sessions)
    told = record.read(folder)
    started = told.first("started")
    assert started is not None

    assert started.data["baseline"]["f0_hz"] > 80
    assert started.data["sound"]["gain_control"] is False
    assert "Fake" in started.data["sound"]["input"]
    assert [event.data["text"] for event in told.of("note")] == ["Loan printer by ten", "Call back at ten"]
    assert next(told.of("worksheet")).data["can"][-1] == "a cake <b>for her</b>"
    assert told.problems == ()
    both = record.read_audio(told)
    said = next(told.of("said")).data
    first_second = both[said["start"] : said["start"] + SAMPLE_RATE_HZ, 1]
    assert np.mean(np.abs(first_second.astype(int)) > 0) > 0.9


def test_the_first_place_is_there_within_a_second(tab: Tab) -> None:
    """From the request to a button that can be pressed."""
    page = tab.open()
    took_ms = page.evaluate("performance.getEntriesByType('navigation')[0].startTime + performance.now()")
    page.reload()
    page.wait_for_selector(".answer")
    again_ms = page.evaluate("performance.now()")

    assert min(took_ms, again_ms) < 1000
