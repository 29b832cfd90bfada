"""The page in a real headless Chromium: every place, a whole call, and everything that a browser can refuse."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Error
from starlette.responses import Response

from tests import sessions
from tests.waiting import wait_until
from tests.web import browser as chrome
from tests.web.site import CALL, SAID, FakeKit, Site, SlowKit, serving
from tests.web.site import Page as FarPage
from voicecoach import bundles, calibration, copies, desk, prepare, record, retry, session, testing
from voicecoach.nouns import SAMPLE_RATE_HZ, Baseline
from voicecoach.web import app, calls, places
from voicecoach.web import sound as port
from voicecoach.web.calls import House
from voicecoach.web.names import key_of
from voicecoach.world.trainee import calibration_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not chrome.CHROMIUM, reason="there is no chromium on this machine"),
]
WIDTHS = (360, 1920)
RUNS = ".time:text-matches('0:0[1-9]')"
"""A call that is going on."""
STATIC = Path(__file__).parents[2] / "voicecoach" / "web" / "static"


@pytest.fixture(scope="module")
def reading() -> np.ndarray:
    """A calm reading, and then replies with room between them: what the fake microphone says, whoever listens."""
    script, spoken = prepare.demo_trainee(), prepare.spoken()
    calm = calibration_of(script, spoken)[: 9 * SAMPLE_RATE_HZ]  # a turn that is over soon, if a call hears it
    reply = [calm[: 3 * SAMPLE_RATE_HZ], testing.noise(9.0, -70)]
    return np.concatenate(
        [testing.noise(1.0, -70), calm, testing.noise(2.0, -70), *reply * 4, testing.noise(30.0, -70)]
    )


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, reading: np.ndarray) -> Iterator[Any]:
    option = chrome.microphone(tmp_path_factory.mktemp("mic") / "mic.wav", reading)
    with chrome.chromium(*chrome.FAKE, option) as found:
        yield found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for all of them: starting it takes longer than most tests."""
    house = House(tmp_path_factory.mktemp("house") / "data", FakeKit(), limit=9)
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


@pytest.fixture
def alone(browser: Any, tmp_path: Path) -> Iterator[Tab]:
    """On a server of its own, that nobody has called before."""
    with serving(House(tmp_path / "data", FakeKit())) as own:
        found = Tab(browser, own)
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
    for (const entry of list.getEntries()) window.shifts.push([entry.value, ...entry.sources.map((one) => (one.node?.className ?? one.node?.parentNode?.className) || one.node?.nodeName)]);
  }).observe({type: "layout-shift", buffered: false});
}"""


def put_through(page: Any) -> None:
    """Agree to be recorded, if that is asked, and wait until the call runs."""
    page.wait_for_selector(f"dialog[open], {RUNS}")
    if page.locator("dialog[open]").count():
        page.click("text=I agree")
    page.wait_for_selector(RUNS)


def by_key(tab: Tab) -> Any:
    """A page with a push-to-talk call going on."""
    page = tab.open()
    page.evaluate("localStorage.setItem('voicecoach.choice', JSON.stringify({mode: 'push-to-talk'}))")
    page.reload()
    page.click(".answer")
    put_through(page)
    return page


def test_a_whole_call_in_the_browser(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Choose, calibrate, prepare, answer, note, end, note again, read the debrief: by the page alone, nothing moves."""
    monkeypatch.setattr(calibration, "MIN_CALIBRATION_S", 1.0)
    page = tab.open()
    page.click("summary:has-text('Microphone')")
    page.click("text=Check the microphone")
    page.wait_for_selector("text=We hear you well")
    assert "no echo cancellation, no noise suppression, no gain control" in page.inner_text(".panel")
    page.click("text=Read aloud, 20 seconds")
    page.wait_for_selector("text=Listening")
    page.wait_for_timeout(4500)
    page.click("text=I have read it")
    page.wait_for_selector("text=Your calm voice is known on this microphone.", state="attached")
    page.click("summary:has-text('Worksheet')")
    page.fill("input[aria-label='Add to: You can offer']", "a cake <b>for her</b>")
    page.press("input[aria-label='Add to: You can offer']", "Enter")
    page.click("text=I know what I can offer")
    page.click(".answer")
    put_through(page)
    page.evaluate(SHIFTS)
    page.click("summary:has-text('Notes')")
    page.wait_for_timeout(700)
    page.evaluate("window.shifts = []")  # opening the drawer was asked for
    page.fill("#pad", "Loan printer by ten")
    page.press("#pad", "Enter")
    page.wait_for_selector(".kept li")
    page.wait_for_selector(".lines li.mine", state="attached")
    assert page.evaluate("window.shifts") == []
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")
    page.fill("#rest", "Call back at ten")
    page.click("text=To the debrief")
    page.wait_for_selector("h1:has-text('Your call with Dana')")
    frame = page.frame_locator("iframe.whole")
    frame.locator("h1").wait_for()
    told = record.read(record.list_sessions(tab.site.house.sessions)[-1])
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
    assert np.abs(both[said["start"] : said["end"], 1].astype(int)).max() > 1000


def test_another_name_is_another_trainee(alone: Tab) -> None:
    """With a calm voice of their own, and a hard call of their own."""
    page, house = alone.open(), alone.site.house
    page.click("summary:has-text('Microphone')")
    page.click("text=Check the microphone")
    page.wait_for_selector("text=Your calm voice is not known")
    device = f"{page.locator('.after select option:checked').text_content()} in the browser"
    calibration.save(house.data, "Sam", Baseline(120.0, 1500.0, -30.0, 4.0, device, f0_hz=120.0))
    with record.Writer(record.new_folder(house.sessions, prepare.now(), "x"), "", "") as writer:
        writer.event("started", wall=prepare.now(), trainee="Kim")
        writer.event("ended", outcome="hung up", why="")
    page.fill("#trainee", "Sam")
    page.press("#trainee", "Enter")
    page.wait_for_selector(".step.done:has-text('Microphone')")
    page.wait_for_selector("text=Your calm voice is known on this microphone.")
    assert page.locator("summary:has-text('A pause first')").count() == 0
    page.fill("#trainee", "Kim")
    page.press("#trainee", "Enter")
    page.wait_for_selector(".step:not(.done):has-text('Microphone')")
    page.wait_for_selector("summary:has-text('A pause first')")
    assert page.locator("text=Your calm voice is known on this microphone.").count() == 0


def test_the_first_place_waits_for_nothing_of_the_others(tab: Tab) -> None:
    """Its button can be pressed with its own scripts and two answers of the server (benchmarks/page.py has the time)."""
    page = tab.open()
    entries = page.evaluate("performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)")
    own = {f"/static/{name}.js" for name in ("app", "choose", "dom", "faces", "sound", "strings")}

    assert {path for path in entries if path.endswith(".js")} == own
    assert {path for path in entries if path.startswith("/api/")} == {"/api/state", "/api/choices"}


PEEK = """
  window.streams = []; window.sockets = []; window.contexts = [];
  const given = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
  if (given) navigator.mediaDevices.getUserMedia = async (wish) => { const found = await given(wish); streams.push(found); return found; };
  window.WebSocket = class extends WebSocket { constructor(...all) { super(...all); sockets.push(this); } };
  window.AudioContext = class extends AudioContext { constructor(...all) { super(...all); contexts.push(this); } };
"""
"""Lets a test pull the plug: what the page opened, in the order in which it did."""


def answered(tab: Tab) -> Any:
    """A page with a call going on."""
    tab.context.add_init_script(PEEK)
    page = tab.open()
    page.click(".answer")
    put_through(page)
    return page


def away_s(told: record.Record) -> list[float]:
    """Seconds for each time that the call stood still."""
    return [(event.data["end"] - event.data["start"]) / SAMPLE_RATE_HZ for event in told.of("resumed")]


def until(page: Any, expression: str) -> None:
    """Wait for something to become true; asked from outside, because the page's policy forbids to evaluate strings."""
    for _ in range(1200):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(expression)


REFUSALS = {
    "NotAllowedError": "Allow it with the sign beside the address",
    "NotFoundError": "No microphone was found.",
    "NotReadableError": "another program may be using it",
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_microphone_that_cannot_be_had_is_a_sentence_and_a_way_on(tab: Tab, name: str) -> None:
    """Denied, missing, in use: what happened, what to do, and a button that tries again and then works."""
    tab.context.add_init_script(
        "const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);"
        f"window.refuse = true; navigator.mediaDevices.getUserMedia = (wish) => window.refuse ? Promise.reject(new DOMException('', '{name}')) : real(wish);"
    )
    page = tab.open()
    page.click(".answer")
    page.wait_for_selector(f".sorry:has-text('{REFUSALS[name]}')")
    box = page.locator(".foot .sorry").bounding_box()
    assert box["y"] >= 0  # what happened is seen where the button was pressed
    assert box["y"] + box["height"] <= 800
    page.click("summary:has-text('Microphone')")
    page.click("text=Check the microphone")
    page.wait_for_selector(f".reading .sorry:has-text('{REFUSALS[name]}')")
    page.evaluate("window.refuse = false")
    page.click("text=Check again")
    page.wait_for_selector("text=What the browser does to your voice")


def checked(tab: Tab) -> Any:
    """A page whose microphone was checked."""
    tab.context.add_init_script(PEEK)
    page = tab.open()
    page.click("summary:has-text('Microphone')")
    page.click("text=Check the microphone")
    page.wait_for_selector("text=What the browser does to your voice")
    page.wait_for_selector(".reading", state="hidden")
    return page


def test_a_microphone_that_is_lost_before_the_call_is_opened_anew(tab: Tab) -> None:
    """Checked, unplugged, plugged in again, answered: the call begins with one that lives."""
    page = checked(tab)
    page.evaluate("streams.at(-1).getAudioTracks()[0].dispatchEvent(new Event('ended'))")
    page.wait_for_selector(".reading .sorry:has-text('The microphone was unplugged.')")
    assert page.locator("text=Read aloud, 20 seconds").is_hidden()  # nothing would listen
    page.click(".answer")
    put_through(page)
    page.wait_for_timeout(1500)
    assert page.evaluate("streams.length") == 2
    page.wait_for_selector(".stage:not(.paused)")
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")
    told = record.read(record.list_sessions(tab.site.house.sessions)[-1])

    assert list(told.of("fault")) == []
    assert max(away_s(told), default=0.0) < 3  # a machine that is busy stands still by itself


def test_a_microphone_that_dies_on_the_way_into_the_call_is_replaced(tab: Tab) -> None:
    """Nobody hears its event: the call looks at it when it begins."""
    page = checked(tab)
    page.evaluate("streams[0].getAudioTracks()[0].stop()")  # a page that stops a track is told of nothing
    page.click(".answer")
    put_through(page)
    page.wait_for_selector(".stage:not(.paused)")
    assert page.evaluate("streams.map((one) => one.getAudioTracks()[0].readyState)") == ["ended", "live"]
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")
    told = record.read(record.list_sessions(tab.site.house.sessions)[-1])

    assert list(told.of("fault")) == []


def test_a_microphone_that_is_muted_before_the_call_is_told_of_in_it(tab: Tab) -> None:
    page = checked(tab)
    page.evaluate("""() => {
      const [track] = streams[0].getAudioTracks();
      Object.defineProperty(track, "muted", { value: true, configurable: true });
      track.dispatchEvent(new Event("mute"));
    }""")
    page.click(".answer")
    page.wait_for_selector(".paused")
    page.wait_for_timeout(1000)
    if page.locator("dialog[open]").count():
        page.click("text=I agree")
    page.wait_for_selector(".notice:has-text('The system has muted your microphone. Unmute it')")
    page.wait_for_selector(".paused")
    page.evaluate("streams[0].getAudioTracks()[0].dispatchEvent(new Event('unmute'))")
    page.wait_for_selector(".stage:not(.paused)")
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")


SLOWLY = """
  const soon = navigator.mediaDevices.getUserMedia;
  navigator.mediaDevices.getUserMedia = (wish) => new Promise((then) => setTimeout(then, 1000)).then(() => soon(wish));
"""
"""Who is asked whether the page may listen takes a second to answer."""
LIVE = "streams.flatMap((one) => one.getTracks()).filter((one) => one.readyState === 'live').length"


@pytest.mark.parametrize("press", ["text=Check the microphone", ".answer"])
def test_a_microphone_that_comes_after_the_place_was_left_is_closed(tab: Tab, press: str) -> None:
    """Nobody is listened to, or put into a call, where they did not stay."""
    tab.context.add_init_script(PEEK + SLOWLY)
    page = tab.open()
    page.click("summary:has-text('Microphone')")
    page.click(press)
    page.click("nav >> text=Progress")
    page.wait_for_selector(".drills")
    until(page, "streams.length === 1")
    page.wait_for_timeout(500)

    assert page.evaluate(LIVE) == 0
    assert page.url.endswith("#progress")


def test_whoever_asks_twice_gets_one_microphone(tab: Tab) -> None:
    """Check, speakers, and Answer, each before the one before was granted: the newest wish is the one that counts."""
    tab.context.add_init_script(PEEK + SLOWLY)
    page = tab.open()
    page.click("summary:has-text('Microphone')")
    page.click("text=Check the microphone")
    page.click("label:has-text('Speakers')")
    until(page, "streams.length === 2")
    page.wait_for_selector("text=What the browser does to your voice")
    assert page.evaluate("streams[1].getAudioTracks()[0].getConstraints().echoCancellation") is True
    until(page, f"{LIVE} === 1")
    page.click("text=Check again")
    page.click(".answer")
    put_through(page)
    assert page.evaluate(LIVE) == 1
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")

    assert page.evaluate("streams.length") == 4
    assert page.evaluate(LIVE) == 0


def test_an_insecure_page_says_so(tab: Tab) -> None:
    tab.context.add_init_script("Object.defineProperty(window, 'isSecureContext', {value: false})")
    page = tab.open()
    page.click(".answer")

    page.wait_for_selector(".sorry:has-text('only to a secure page')")


def test_a_call_survives_what_a_browser_can_do_to_it(browser: Any, site: Site) -> None:
    """A broken line, a microphone that is unplugged, sound put to sleep, and the back button: one call, one record."""
    tab = Tab(browser, site)
    page = answered(tab)
    count = len(record.list_sessions(site.house.sessions))
    page.evaluate("sockets.at(-1).close()")
    page.wait_for_selector(".notice:has-text('The connection is lost')", state="attached")
    page.wait_for_selector(".notice:has-text('Back in the call.')")
    page.evaluate("streams.at(-1).getAudioTracks()[0].dispatchEvent(new Event('ended'))")
    page.wait_for_selector(".notice:has-text('Now listening through')")
    page.wait_for_selector(".stage:not(.paused)")
    page.wait_for_timeout(1000)  # the call goes on before the next thing happens to it
    page.evaluate("streams.at(-1).getAudioTracks()[0].dispatchEvent(new Event('mute'))")
    page.wait_for_selector(".paused .who:has-text('The call is paused')")
    page.wait_for_selector(".notice:has-text('The system has muted your microphone. Unmute it')")
    page.wait_for_timeout(1500)
    page.evaluate("streams.at(-1).getAudioTracks()[0].dispatchEvent(new Event('unmute'))")
    page.wait_for_selector(".stage:not(.paused)")
    page.wait_for_timeout(1000)
    page.evaluate("contexts.at(-1).suspend()")
    page.wait_for_selector(".paused .who:has-text('The call is paused')")
    page.wait_for_timeout(1500)
    page.click(".notice >> text=Wake the sound")
    until(page, "contexts.at(-1).state === 'running'")
    page.wait_for_selector(".stage:not(.paused)")
    page.go_back()
    page.click("dialog[open] >> text=Stay in the call")
    before = page.inner_text(".time")
    until(page, f"document.querySelector('.time').textContent !== '{before}'")
    assert page.url.endswith("#call")
    assert "dialog" not in page.content()
    page.go_back()
    page.click("dialog[open] >> text=End the call")
    page.wait_for_selector(".answer")
    tab.close()

    assert tab.complaints == []
    assert len(record.list_sessions(site.house.sessions)) == count
    told = record.read(record.list_sessions(site.house.sessions)[-1])
    assert not [problem for problem in told.problems if "missing" in problem]
    assert sum(one > 1.4 for one in away_s(told)) >= 2  # without a microphone, and asleep: as long as it lasted
    assert max(away_s(told)) < 60
    assert "nothing but zeros" in next(told.of("fault")).data["what"]


SLEEPY = "const real = Date.now; Date.now = () => real() + (currentFrame > 6 * sampleRate ? %d : 0);\n"
"""In the worklet: the time of day goes on after six seconds, the audio clock does not; so a laptop sleeps."""


@contextlib.contextmanager
def _sleeping(browser: Any, house: House, slept_s: int, set_: bool = False) -> Iterator[Any]:
    """A page with a call, on a machine that falls asleep after some seconds; or whose clock is `set_` then."""
    real = app._static

    def sleepy() -> dict[str, Any]:
        code = SLEEPY % (1000 * slept_s) + (STATIC / "duplex.js").read_text("utf-8")
        return {**real(), "duplex.js": lambda: Response(code, media_type="text/javascript")}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "_static", sleepy)
        if not set_:
            patch.setattr(port, "BOOTTIME", None)  # ours would have to sleep with it
        with serving(house) as site:
            tab = Tab(browser, site)
            page = tab.open()
            page.click(".answer")
            page.click("text=I agree")
            yield page
            tab.close()
    assert tab.complaints == []


def test_a_laptop_that_slept_for_seconds_finds_its_call(browser: Any, tmp_path: Path) -> None:
    house = House(tmp_path / "data", FakeKit())
    with _sleeping(browser, house, 10) as page:
        page.wait_for_selector(".notice:has-text('The sound is back. Go on.')")
        page.wait_for_selector(".time:text-matches('0:1[1-9]|0:2')")
        page.click("text=End the call")
        page.wait_for_selector("text=You ended the call.")
    told = record.read(record.list_sessions(house.sessions)[-1])

    assert 9.5 < max(away_s(told)) < 20  # a machine that is busy stands still by itself


def test_a_laptop_that_slept_for_minutes_finds_a_sentence_and_a_whole_record(browser: Any, tmp_path: Path) -> None:
    house = House(tmp_path / "data", FakeKit())
    with _sleeping(browser, house, 600) as page:
        page.wait_for_selector("h1:has-text('The call was cut off.')")
        assert "fell asleep" in page.inner_text(".stage")
        page.click("text=To the debrief")
        page.wait_for_selector("h1:has-text('Your call with Dana')")
    told = record.read(record.list_sessions(house.sessions)[-1])

    assert next(told.of("ended")).data["outcome"] == "fault"
    assert 0 < len(record.read_audio(told)) / SAMPLE_RATE_HZ < 30  # the sleep is not in it
    assert [problem for problem in told.problems if "missing" in problem] == []


@pytest.mark.skipif(port.BOOTTIME is None, reason="this system has no clock that nobody sets")
def test_a_clock_that_is_set_is_no_sleep(browser: Any, tmp_path: Path) -> None:
    """The time of day leaps by 40 s: nobody has slept, so the call goes on, and nothing of it is missing."""
    house = House(tmp_path / "data", FakeKit())
    with _sleeping(browser, house, 40, set_=True) as page:
        page.wait_for_selector(".time:text-matches('0:09|0:[1-5]')")
        page.click("text=End the call")
        page.wait_for_selector("text=You ended the call.")
    told = record.read(record.list_sessions(house.sessions)[-1])
    away_s = [(event.data["end"] - event.data["start"]) / SAMPLE_RATE_HZ for event in told.of("resumed")]

    assert sum(away_s) < 10  # a machine that is busy stands still by itself


WHEN_TOLD = """
  const then = navigator.mediaDevices.getUserMedia;
  navigator.mediaDevices.getUserMedia = (wish) => new Promise((yes) => { window.allow = yes; }).then(() => then(wish));
"""
"""Whether the page may listen is answered by `allow`."""


def allow(page: Any) -> None:
    until(page, "Boolean(window.allow)")
    page.evaluate("() => allow()")


def hold_and_note(tab: Tab) -> Any:
    """Begin a drill; hold it and write a note before the microphone is there."""
    page = tab.open("progress", ".drills")
    page.click(".card button.first")
    page.click("button:has-text('Hold'):not(.talk)")
    page.click("summary:has-text('Notes')")
    page.fill("#pad", "Loan printer by ten")
    page.press("#pad", "Enter")
    return page


def is_held_and_noted(tab: Tab) -> None:
    """The call was on hold from its first sample, and has the note of `hold_and_note`; it is ended for that."""
    page = tab.page
    page.wait_for_selector(".kept >> text=Loan printer by ten")
    page.wait_for_selector(".who:text-matches('is on hold and does not hear you')")
    page.wait_for_selector(".time:text-matches('0:0[3-9]')")
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")
    told = record.read(record.list_sessions(tab.site.house.sessions)[-1])

    assert [event.data["on"] for event in told.of("hold")] == [True]
    assert [event.data["text"] for event in told.of("note")] == ["Loan printer by ten"]
    assert np.abs(record.read_audio(told)[:, 0]).max() < 5  # the hum of a microphone that is on hold


def test_what_is_pressed_before_there_is_a_line_is_done_once_there_is(tab: Tab) -> None:
    """Hold and a note while the browser still asks for the microphone: nobody is heard, and nothing is lost."""
    tab.context.add_init_script(PEEK + WHEN_TOLD)
    page = hold_and_note(tab)
    allow(page)
    put_through(page)
    is_held_and_noted(tab)


def test_a_call_can_be_ended_while_its_page_is_loaded_again(tab: Tab) -> None:
    """Also before the microphone is there."""
    tab.context.add_init_script(PEEK + WHEN_TOLD)
    page = tab.open()
    page.click(".answer")
    allow(page)
    put_through(page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.click("text=End the call")
    allow(page)
    page.wait_for_selector("text=You ended the call.")
    told = record.read(record.list_sessions(tab.site.house.sessions)[-1])

    assert next(told.of("ended")).data["outcome"] == "stopped"


UNREACHED = """() => {
  window.Reached = WebSocket;
  window.WebSocket = class { static OPEN = 1; constructor() { setTimeout(() => this.onclose({ code: 1006 }), 20); } close() {} };
  sockets.at(-1).close();
}"""
"""The connection breaks, and there is no other until `WebSocket = Reached`."""


def test_a_call_that_is_ended_while_the_connection_is_lost_is_ended(tab: Tab) -> None:
    """Back, and End: the server hears of it when it is reached again, though the place was left long since."""
    page = answered(tab)
    count = len(record.list_sessions(tab.site.house.sessions))
    page.evaluate(UNREACHED)
    page.wait_for_selector(".notice:has-text('The connection is lost')")
    page.go_back()
    page.click("dialog[open] >> text=End the call")
    page.evaluate("() => { window.WebSocket = window.Reached; }")
    page.wait_for_selector(".answer")
    folder = record.list_sessions(tab.site.house.sessions)[-1]
    wait_until(lambda: record.read(folder).first("ended"))

    assert next(record.read(folder).of("ended")).data["outcome"] == "stopped"
    assert len(record.list_sessions(tab.site.house.sessions)) == count


def test_what_was_pressed_outlives_a_refusal(tab: Tab) -> None:
    """Hold, a note, and half of another while the browser asks; refused, then allowed: all of it is in the call."""
    tab.context.add_init_script(
        PEEK + "const usual = navigator.mediaDevices.getUserMedia; let asked = 0;"
        "navigator.mediaDevices.getUserMedia = (wish) => new Promise((yes, no) => {"
        "  window.refuse = () => no(new DOMException('', 'NotAllowedError'));"
        "  if (asked++) yes(usual(wish));"
        "});"
    )
    page = hold_and_note(tab)
    page.fill("#pad", "Ask K")
    until(page, "Boolean(window.refuse)")
    page.evaluate("() => refuse()")
    page.click(".sorry:has-text('Allow it with the sign') >> button:has-text('Try again')")
    put_through(page)
    page.wait_for_selector(".kept >> text=Loan printer by ten")
    assert page.input_value("#pad") == "Ask K"
    assert page.locator("#pad").is_visible()
    is_held_and_noted(tab)


def test_nobody_is_told_of_a_sleep_where_the_clock_was_set(tab: Tab) -> None:
    page = answered(tab)
    page.evaluate("() => { const real = Date.now; Date.now = () => real() + 40_000; }")
    before = page.inner_text(".time")
    until(page, f"document.querySelector('.time').textContent !== '{before}'")
    assert "asleep" not in page.inner_text(".notice")
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")


def test_notes_outlive_a_line_that_breaks_while_they_are_typed(tab: Tab) -> None:
    """What is typed meanwhile, and that it is handed in, reaches the server with the next line."""
    page = answered(tab)
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")
    page.evaluate(UNREACHED)
    page.fill("#rest", "Call back at ten")
    page.click("text=To the debrief")
    page.evaluate("() => { window.WebSocket = window.Reached; }")
    page.wait_for_selector("h1:has-text('Your call with Dana')")
    told = record.read(record.list_sessions(tab.site.house.sessions)[-1])

    assert [event.data["text"] for event in told.of("note")] == ["Call back at ten"]


def test_notes_that_reach_nobody_can_be_copied(tab: Tab) -> None:
    """The server is not there again in time: nothing that was written is taken away."""
    page = answered(tab)
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")
    page.evaluate(UNREACHED)
    page.fill("#rest", "Call back at ten")
    page.wait_for_selector(".sorry:has-text('what was recorded is kept')")

    assert page.get_by_label("What you wrote may not all be in the debrief.").input_value() == "Call back at ten"
    assert serious(page) == []


COMPOSED = """(selector) => document.querySelector(selector).dispatchEvent(
  new KeyboardEvent("keydown", { key: "Enter", code: "Enter", isComposing: true, bubbles: true, cancelable: true }))"""


def test_a_word_that_is_still_composed_is_not_kept(tab: Tab) -> None:
    """Where words are chosen from a list (Japanese, Chinese), Enter chooses; it neither keeps a note nor adds a line."""
    page = tab.open()
    page.click("summary:has-text('Worksheet')")
    box = "input[aria-label='Add to: You can offer']"
    page.fill(box, "a cake")
    page.evaluate(COMPOSED, box)
    assert page.input_value(box) == "a cake"
    page.click(".answer")
    put_through(page)
    page.click("summary:has-text('Notes')")
    page.fill("#pad", "Loan printer")
    page.evaluate(COMPOSED, "#pad")
    assert page.input_value("#pad") == "Loan printer"
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")


def test_of_two_microphones_of_one_name_the_one_in_use_is_shown(tab: Tab) -> None:
    tab.context.add_init_script("""
      const real = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
      navigator.mediaDevices.enumerateDevices = async () => {
        const all = await real();
        const used = all.find((one) => one.kind === "audioinput");
        return [used, { deviceId: "another", kind: "audioinput", label: used.label, groupId: "" }];
      };
    """)
    page = tab.open()
    page.click("summary:has-text('Microphone')")
    page.click("text=Check the microphone")
    page.wait_for_selector(".after select option", state="attached")

    assert page.locator(".after select option").count() == 2
    assert page.input_value(".after select") != "another"


def test_who_refuses_is_not_asked_again(tab: Tab) -> None:
    """Also where a microphone was chosen last time: another one is looked for only where that one is missing."""
    tab.context.add_init_script(
        "window.asked = 0; navigator.mediaDevices.getUserMedia = async () => {"
        " asked += 1; throw new DOMException('', 'NotAllowedError'); };"
    )
    page = tab.open()
    page.evaluate("localStorage.setItem('voicecoach.choice', JSON.stringify({deviceId: 'headset'}))")
    page.reload()
    page.click(".answer")
    page.wait_for_selector(".sorry:has-text('Allow it with the sign')")

    assert page.evaluate("window.asked") == 1


@pytest.mark.parametrize(
    "lacks",
    ["delete window.AudioWorkletNode", "Object.defineProperty(navigator, 'mediaDevices', {value: undefined})"],
    ids=["worklet", "microphone"],
)
def test_a_browser_that_lacks_what_a_call_needs_is_told_from_an_insecure_page(tab: Tab, lacks: str) -> None:
    tab.context.add_init_script(lacks)
    page = tab.open()
    page.click(".answer")

    page.wait_for_selector(".sorry:has-text('This browser cannot hold calls')")


def test_what_is_chosen_is_seen_with_the_colours_of_the_system(tab: Tab) -> None:
    """High contrast takes every background away that is not the system's own: what is on must still differ."""
    tab.page.emulate_media(forced_colors="active")
    page = by_key(tab)
    page.click("button:has-text('Hold'):not(.talk)")
    paint = "getComputedStyle(document.querySelector('%s')).backgroundColor"
    held = page.evaluate(paint % "button[aria-pressed=true]")
    end = page.evaluate(paint % ".end")
    page.click("text=Back to the call")
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")
    page.click("text=To the debrief")
    page.wait_for_selector("h1:has-text('Your call with Dana')")
    page.click("nav >> text=Rehearse")
    page.wait_for_selector(".answer")
    chosen = page.evaluate(paint % ".segments input:checked + span")
    other = page.evaluate(paint % ".segments input:not(:checked) + span")

    assert held != end
    assert chosen != other


def test_the_other_button_of_the_mouse_does_not_talk(tab: Tab) -> None:
    """It opens the menu of the browser, which keeps the end of the press to itself."""
    page = by_key(tab)
    page.hover(".talk:visible")
    page.mouse.down(button="right")
    page.wait_for_timeout(200)
    assert page.locator(".talk.on").count() == 0
    page.mouse.up(button="right")
    page.keyboard.press("Escape")
    page.hover(".talk:visible")
    page.mouse.down()
    page.wait_for_selector(".talk.on")
    page.mouse.up()
    page.wait_for_selector(".talk:not(.on)")
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")


def test_older_calls_are_shown_when_they_are_asked_for(alone: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "LISTED", 1)
    for at in range(3):
        sessions.write(alone.site.house.sessions, f"20261121-10000{at}-dana-printer", said=())
    page = alone.open("debrief", ".sessions")
    assert page.locator(".session").count() == 1
    page.click("text=Show 2 older calls")
    until(page, "document.querySelectorAll('.session').length === 3")
    assert page.locator("text=older calls").count() == 0


def test_a_browser_that_is_not_known_any_more_is_told_so(tab: Tab) -> None:
    """The server was started again: it is there, and whoever calls is told what to do, not to start it once more."""
    page = tab.open()
    tab.context.clear_cookies()
    page.click(".answer")
    page.wait_for_selector(
        ".sorry:has-text('This browser is not known to voicecoach any more.'):has-text('Press Enter in the terminal')"
    )
    tab.complaints[:] = [one for one in tab.complaints if "403" not in one]


def test_who_goes_back_while_being_put_through_can_call_again(browser: Any, tmp_path: Path) -> None:
    """The recogniser still loads; nobody is told of a call in another tab, and of the first one nothing is left."""
    kit = SlowKit()
    with serving(House(tmp_path / "data", kit)) as site:
        tab = Tab(browser, site)
        page = tab.open()
        page.click(".answer")
        page.click("text=I agree")
        until(page, "sessionStorage.getItem('voicecoach.call') !== null")
        page.go_back()
        page.click(".answer")
        until(page, "sessionStorage.getItem('voicecoach.call') !== null")
        kit.loaded.set()
        page.wait_for_selector(RUNS)
        page.click("text=End the call")
        page.wait_for_selector("text=You ended the call.")
        tab.close()

        assert tab.complaints == []
        assert len(record.list_sessions(site.house.sessions)) == 1


def test_nobody_is_told_to_be_heard_while_the_customer_is_on_hold(tab: Tab) -> None:
    """Push-to-talk: neither the key nor the button talks then, and hold ends what was being said."""
    page = by_key(tab)
    page.keyboard.down("Space")
    page.wait_for_selector(".talk.on")
    page.click("button:has-text('Hold'):not(.talk)")
    page.wait_for_selector(".talk:not(.on)[aria-pressed=false]")
    page.keyboard.up("Space")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    page.locator(".talk:visible").dispatch_event("click", {"detail": 0})
    page.wait_for_timeout(200)
    assert page.locator(".talk.on").count() == 0
    assert "We hear you" not in page.inner_text(".controls")
    page.click("text=Back to the call")
    page.keyboard.down("Space")
    page.wait_for_selector(".talk.on")
    page.keyboard.up("Space")
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")


def test_nothing_is_sent_by_hand_while_the_customer_is_on_hold(tab: Tab) -> None:
    page = by_hand(tab)
    page.click("button:has-text('Hold'):not(.talk)")
    page.click("button:has-text('Send'):visible")
    page.wait_for_timeout(200)
    assert "Sent." not in page.inner_text(".notice")
    page.click("text=Back to the call")
    page.click("button:has-text('Send'):visible")
    page.wait_for_selector(".notice:has-text('Sent.')")
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")


def test_an_open_transcript_follows_the_call(tab: Tab) -> None:
    """Its newest line is seen, unless somebody has scrolled back; by keyboard, too."""
    lines = tapped(tab)
    page = answered(tab)
    page.click("summary:has-text('Transcript')")

    def hear(first: int, last: int) -> None:
        for turn in range(first, last):
            lines[-1].send(json.dumps({"t": "event", "kind": "heard", "turn": turn, "text": f"Line {turn}. " * 20}))
        page.wait_for_selector(f".lines >> text=Line {last - 1}.", state="attached")

    inside = "document.querySelector('.inside:has(.lines)')"
    hear(900, 915)
    until(page, f"{inside}.scrollHeight - {inside}.scrollTop - {inside}.clientHeight < 2")
    assert page.evaluate(f"{inside}.scrollTop") > 500
    assert serious(page) == []
    page.focus(".inside:has(.lines)")
    page.keyboard.press("Home")
    until(page, f"{inside}.scrollTop === 0")
    hear(915, 916)
    assert page.evaluate(f"{inside}.scrollTop") == 0
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")


def test_a_copy_of_the_tab_leaves_the_call_where_it_is(tab: Tab) -> None:
    """Its browser copies what the tab knew; the call is asked for there, not taken."""
    page = answered(tab)
    with tab.context.expect_page() as opened:
        page.evaluate("() => { window.open('/'); }")
    other = opened.value
    other.wait_for_selector(".answer")
    assert page.locator("text=The call goes on in another tab.").count() == 0
    assert other.evaluate("sessionStorage.getItem('voicecoach.call')") is None
    other.close()
    before = page.inner_text(".time")
    until(page, f"document.querySelector('.time').textContent !== '{before}'")
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")


def test_a_server_that_answers_oddly_leaves_no_blank_page(browser: Any, site: Site) -> None:
    """Whatever stands in the way of the first question: the place says what is wrong."""
    tab = Tab(browser, site)
    odd = {"status": 403, "content_type": "text/html", "body": "<!DOCTYPE html><p>Unknown"}
    tab.context.route("**/api/*", lambda route: route.fulfill(**odd))
    tab.open(ready=".sorry:has-text('This browser is not known to voicecoach any more.')")
    tab.close()

    assert [one for one in tab.complaints if not one.startswith("Failed to load resource")] == []


def test_a_customer_on_hold_is_no_dead_microphone(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds on hold are no fault; back from it, the space bar is for talking again."""
    monkeypatch.setattr(session, "ZEROS_S", 1.0)
    page = by_key(tab)
    page.click("button:has-text('Hold'):not(.talk)")
    page.wait_for_timeout(2500)
    page.click("text=Back to the call")
    assert page.evaluate("document.activeElement.className") == "talk"
    page.keyboard.down("Space")
    page.wait_for_selector(".talk.on[aria-pressed=true]")
    page.keyboard.up("Space")
    page.wait_for_selector(".talk:not(.on)[aria-pressed=false]")
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")
    told = record.read(record.list_sessions(tab.site.house.sessions)[-1])

    assert [event.data["what"] for event in told.of("fault")] == []


def test_no_microphone_is_opened_once_the_call_is_over(tab: Tab) -> None:
    """The search for another one ends with the call that needed it."""
    tab.context.add_init_script(PEEK)
    page = tab.open()
    page.click(".answer")
    put_through(page)
    page.evaluate("""() => {
      window.real = navigator.mediaDevices.getUserMedia;
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotFoundError"));
      streams.at(-1).getAudioTracks()[0].dispatchEvent(new Event("ended"));
    }""")
    page.wait_for_selector(".notice button")
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")
    page.evaluate("""() => {
      navigator.mediaDevices.getUserMedia = window.real;
      navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
    }""")
    page.wait_for_timeout(500)

    assert (
        page.evaluate("streams.flatMap((one) => one.getTracks()).filter((one) => one.readyState === 'live').length")
        == 0
    )


def test_a_question_does_not_outlive_the_call(alone: Tab) -> None:
    """Back, while it is asked whether the call may be recorded: nothing stands over the page, and nothing was recorded."""
    page = alone.open()
    page.click(".answer")
    page.wait_for_selector("dialog[open]")
    page.go_back()
    page.wait_for_selector(".answer")

    assert page.locator("dialog[open]").count() == 0
    assert record.list_sessions(alone.site.house.sessions) == []


def test_a_question_that_the_end_of_the_call_answers_leaves_the_links_alive(
    tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Back is asked about, then the call ends and its notes are not waited for any more: every link works."""
    monkeypatch.setattr(calls, "NOTES_WITHIN_S", 1.0)
    page = answered(tab)
    page.go_back()
    page.wait_for_selector("dialog[open]")
    page.evaluate("""sockets.at(-1).send('{"t": "stop"}')""")
    page.wait_for_selector("h1:has-text('Your call with Dana')", timeout=20_000)
    assert page.locator("dialog[open]").count() == 0
    page.click("nav >> text=Rehearse")

    page.wait_for_selector(".answer", timeout=5000)


def test_notes_that_are_not_handed_in_are_asked_about_and_kept(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A paragraph, and then nobody presses the button: the page asks before it is left, and all of it is in the record."""
    monkeypatch.setattr(calls, "NOTES_WITHIN_S", 8.0)
    page = answered(tab)
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")
    page.click("#rest")
    paragraph = " ".join(["She gets a loan printer by ten."] * 20)
    page.fill("#rest", paragraph)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.evaluate("location.reload()")
    page.wait_for_selector("h1:has-text('Your call with Dana')")
    told = record.read(record.list_sessions(tab.site.house.sessions)[-1])

    assert asked == ["beforeunload"]
    assert " ".join(event.data["text"] for event in told.of("note")) == paragraph


def test_a_tab_that_is_loaded_again_goes_on(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a crash: the same call, within a few seconds, with its caller, its notes and its way of talking."""
    monkeypatch.setattr(port, "RESUME_WITHIN_S", 30.0)  # a busy machine may take its time to load it
    tab.context.add_init_script(PEEK)
    page = tab.open()
    page.evaluate("localStorage.setItem('voicecoach.choice', JSON.stringify({mode: 'push-to-talk', speakers: true}))")
    page.reload()
    page.click(".answer")
    put_through(page)
    page.click("summary:has-text('Notes')")
    page.fill("#pad", "Loan printer by ten")
    page.press("#pad", "Enter")
    page.wait_for_selector(".kept li")
    page.click("button:has-text('Hold'):not(.talk)")
    sessions = record.list_sessions(tab.site.house.sessions)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.wait_for_selector(".who:text-matches('Dana is on hold')")
    page.wait_for_selector(".talk:visible:has-text('Hold to talk')")
    assert page.locator(".portrait svg").count() == 1
    assert page.locator(".kept li").text_content() == "Loan printer by ten"
    assert page.evaluate("streams.at(-1).getAudioTracks()[0].getConstraints().echoCancellation") is True
    page.click("text=Back to the call")
    page.wait_for_selector(".who:text-matches('speaking|Your turn')")
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")
    told = record.read(sessions[-1])

    assert record.list_sessions(tab.site.house.sessions) == sessions
    assert [event.data["on"] for event in told.of("hold")] == [True, False]


def test_a_tab_that_is_loaded_again_too_late_is_told(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "RESUME_WITHIN_S", 0.3)
    monkeypatch.setattr(port, "SLACK_S", 0.0)
    page = answered(tab)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("about:blank")
    folder = record.list_sessions(tab.site.house.sessions)[-1]
    wait_until((folder / "debrief.html").is_file)
    page.goto(f"{tab.site.origin}/")
    page.wait_for_selector(".sorry:has-text('could not be reached again in time')")
    assert serious(page) == []
    page.click("text=To the debriefs")
    page.wait_for_selector(".session >> text=cut off")
    told = record.read(record.list_sessions(tab.site.house.sessions)[-1])
    page.goto(f"{tab.site.origin}/")
    page.reload()
    page.wait_for_selector(".answer")  # told once

    assert next(told.of("ended")).data["outcome"] == "fault"
    assert (told.folder / "debrief.html").is_file()


def test_a_browser_that_crashes_leaves_a_whole_record(browser: Any, tmp_path: Path) -> None:
    with serving(House(tmp_path / "data", FakeKit(), limit=2)) as site:
        other = browser.browser_type.launch(executable_path=chrome.CHROMIUM, args=[*chrome.QUIET, *chrome.FAKE])
        page = answered(Tab(other, site))
        page.wait_for_selector(".time:text-matches('0:0[3-9]')")
        with contextlib.suppress(Error):
            other.new_browser_cdp_session().send("Browser.crash")
        (folder,) = record.list_sessions(site.house.sessions)
        wait_until((folder / "debrief.html").is_file)
        told = record.read(folder)

    assert next(told.of("ended")).data["outcome"] == "fault"
    assert len(record.read_audio(told)) > 2 * SAMPLE_RATE_HZ
    assert told.problems == ()


def test_a_server_that_is_stopped_in_mid_call_is_told_on_the_page(browser: Any, tmp_path: Path) -> None:
    """Ctrl-C in the terminal: at once a sentence, and the record is whole."""
    house = House(tmp_path / "data", FakeKit(), limit=2)
    with serving(house) as site:
        tab = Tab(browser, site)
        page = answered(tab)
    page.wait_for_selector(".sorry:has-text('voicecoach was stopped in the terminal')")
    page.click("text=To the debriefs")
    page.wait_for_selector(".sorry:has-text('does not reach voicecoach')")
    tab.context.close()
    told = record.read(record.list_sessions(house.sessions)[-1])

    assert next(told.of("ended")).data["outcome"] == "stopped"
    assert told.problems == ()


def test_the_page_writes_down_what_was_said_and_not_what_was_cut_off(tab: Tab) -> None:
    """Its words only: a line that is interrupted ends there, a turn that is heard twice is one line, a cue is in its words."""
    lines = tapped(tab)
    page = answered(tab)
    page.evaluate(SHIFTS)

    def tell(**message: object) -> None:
        lines[-1].send(json.dumps(message))

    tell(t="event", kind="said", text="This is the third time this month.", until=1e6)
    tell(t="event", kind="interrupted", by="trainee", words="This is the third")
    tell(t="event", kind="heard", turn=900, text="Hold on a moat.")
    tell(t="event", kind="heard", turn=900, text="Hold on a moment.")
    page.wait_for_selector(".lines li.mine >> text=Hold on a moment.", state="attached")
    tell(t="tick", at=70.0, who="you", level=-30, cue="slower")
    page.wait_for_selector(".cue:has-text('slower')")
    tell(t="event", kind="fault", what="The disk is nearly full.", do="Free some space. " * 12)
    page.wait_for_selector(".notice:has-text('The disk is nearly full.')")
    tell(t="event", kind="resumed", other=True, input="A very long name of another microphone, mono", rests=True)
    page.wait_for_selector(".notice:has-text('Your microphone now rests')")
    tell(t="tick", at=71.0, who="paused", level=-120, cue="")
    page.wait_for_timeout(500)
    assert page.evaluate("window.shifts") == []
    written = page.locator(".lines li").all_text_contents()
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")

    own = ["Dana This is the third \u2026", "You Hold on a moment."]
    assert [line for line in written if line in own] == own
    assert not any("moat" in line for line in written)


def test_a_turn_is_sent_by_hand_and_the_silence_is_chosen(tab: Tab) -> None:
    """By the key and by the button; what was chosen before is in the record."""
    tab.context.add_init_script(PEEK)
    page = tab.open()
    page.click("summary:has-text('Microphone')")
    page.click("label:has-text('Long')")
    page.click("label:has-text('Speakers')")
    assert "asked to cancel the echo" in page.inner_text(".panel")
    page.click("label:has-text('Send it')")
    assert page.locator("legend:has-text('The silence that ends your turn')").is_hidden()
    page.click(".answer")
    put_through(page)
    page.evaluate(
        "(() => { window.sent = []; const line = sockets.at(-1); const real = line.send.bind(line);"
        "line.send = (data) => { if (typeof data === 'string') sent.push(data); real(data); }; return 0; })()"
    )
    page.keyboard.press("Space")
    page.click("button:has-text('Send'):visible")
    page.wait_for_selector(".notice:has-text('Sent.')")
    assert page.evaluate("window.sent") == ['{"t":"send"}'] * 2
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")
    started = record.read(record.list_sessions(tab.site.house.sessions)[-1]).first("started")
    assert started is not None

    assert (started.data["mode"], started.data["patience"]["name"]) == ("manual", "patient")
    assert (started.data["sound"]["speakers"], started.data["sound"]["echo_cancellation"]) == (True, True)
    assert (started.data["sound"]["noise_suppression"], started.data["sound"]["gain_control"]) == (False, False)


def by_hand(tab: Tab) -> Any:
    """A page with a call going on in which each turn is sent by hand."""
    tab.context.add_init_script(PEEK)
    page = tab.open()
    page.evaluate("localStorage.setItem('voicecoach.choice', JSON.stringify({mode: 'manual'}))")
    page.reload()
    page.click(".answer")
    put_through(page)
    return page


def test_what_helps_a_call_that_stands_still_is_not_written_over(tab: Tab) -> None:
    """The space bar while the sound is asleep, and a microphone that comes back before it: the button stays, and wakes it."""
    page = by_hand(tab)
    page.evaluate("contexts.at(-1).suspend()")
    page.wait_for_selector(".notice >> text=Wake the sound")
    page.keyboard.press("Space")
    page.click("button:has-text('Send'):visible")
    page.evaluate("streams.at(-1).getAudioTracks()[0].dispatchEvent(new Event('mute'))")
    page.evaluate("streams.at(-1).getAudioTracks()[0].dispatchEvent(new Event('unmute'))")
    page.wait_for_timeout(200)
    assert "Sent." not in page.inner_text(".notice")
    assert page.locator(".paused").count() == 1
    page.click(".notice >> text=Wake the sound")
    page.wait_for_selector(".stage:not(.paused)")
    assert page.locator(".notice >> text=Wake the sound").count() == 0
    page.evaluate("streams.at(-1).getAudioTracks()[0].dispatchEvent(new Event('mute'))")
    page.wait_for_selector(".notice:has-text('The system has muted your microphone.')")
    page.evaluate("contexts.at(-1).suspend()")
    page.click(".notice >> text=Wake the sound")
    page.wait_for_selector(".notice:has-text('The system has muted your microphone.')")
    page.evaluate("streams.at(-1).getAudioTracks()[0].dispatchEvent(new Event('unmute'))")
    page.wait_for_selector(".stage:not(.paused)")
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")


def tapped(tab: Tab) -> list[Any]:
    """Lines to the server, of which a test can send the page more than the server does."""
    lines: list[Any] = []

    def between(line: Any) -> None:
        server = line.connect_to_server()
        server.on_message(line.send)
        line.on_message(server.send)
        lines.append(line)

    tab.context.route_web_socket("**/call", between)
    return lines


def test_the_space_bar_opens_what_it_stands_on(tab: Tab) -> None:
    """On the heading of the notes it opens them, and neither speaks nor sends."""
    page = by_key(tab)
    page.focus("summary:has-text('Notes')")
    page.keyboard.down("Space")
    assert page.locator(".talk.on").count() == 0
    page.keyboard.up("Space")
    assert page.locator("#pad").is_visible()
    page.keyboard.press("Space")
    assert page.locator("#pad").is_hidden()
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")


def test_a_key_that_is_held_when_the_call_ends_presses_nothing(tab: Tab) -> None:
    """The space bar repeats while it is held: the form for the notes stays, and how the call ended is read out."""
    lines = tapped(tab)
    page = by_key(tab)
    page.keyboard.down("Space")
    page.wait_for_selector(".talk.on")
    lines[-1].send(json.dumps({"t": "ended", "outcome": "hung up", "session": "", "what": ""}))
    page.wait_for_selector("#rest")
    page.keyboard.down("Space")  # as a key that is held does
    page.keyboard.up("Space")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert page.locator("#rest").input_value() == ""
    assert page.evaluate("document.activeElement.tagName") == "H1"
    assert page.evaluate("document.activeElement.textContent") == "The customer hung up."
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the debrief"


def test_a_key_that_is_let_go_elsewhere_is_let_go(tab: Tab) -> None:
    """Push-to-talk: where the window loses the keyboard, nobody would hear of the key's end."""
    page = by_key(tab)
    page.keyboard.down("Space")
    page.wait_for_selector(".talk.on")
    page.evaluate("window.dispatchEvent(new Event('blur'))")
    page.wait_for_selector(".talk:not(.on)")
    page.keyboard.up("Space")
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")


def test_the_way_back_from_a_debrief_leads_past_the_call(tab: Tab) -> None:
    """To what was before it, and on to the debrief again; the call is nowhere in between."""
    page = tab.open("progress", ".drills")
    page.click("nav >> text=Rehearse")
    page.click(".answer")
    put_through(page)
    page.click("text=End the call")
    page.click("text=To the debrief")
    page.wait_for_selector("iframe.whole", timeout=20_000)
    debrief = page.url
    page.go_back()
    page.wait_for_selector(".answer")
    assert page.url.endswith("#choose")
    page.go_forward()
    page.wait_for_selector("iframe.whole", timeout=20_000)
    assert page.url == debrief
    page.go_back()
    page.wait_for_selector(".answer")
    page.go_back()
    page.wait_for_selector(".drills")


def test_an_address_of_a_call_that_is_not_there_is_no_trap(tab: Tab) -> None:
    page = tab.open("progress", ".drills")
    page.evaluate("location.hash = '#call'")
    page.wait_for_selector(".answer")
    page.go_back()
    page.wait_for_selector(".drills")


def test_a_second_tab_says_where_the_call_is(tab: Tab) -> None:
    page = answered(tab)
    other = tab.context.new_page()
    other.goto(f"{tab.site.origin}/")
    other.click(".answer")
    other.wait_for_selector("text=A call is going on in another tab of this browser.")
    other.click("button:has-text('Take it over here')")
    other.wait_for_selector(".who:text-matches('speaking|Your turn')")
    page.wait_for_selector("text=The call goes on in another tab.")
    other.click("text=End the call")
    other.wait_for_selector("text=You ended the call.")


def test_one_call_too_many_is_refused_politely(browser: Any, tmp_path: Path) -> None:
    """The machine carries two here; the third is told so, and the two go on. What was prepared is there when it tries again."""
    with serving(House(tmp_path / "data", FakeKit(), limit=2)) as site:
        tab = Tab(browser, site)
        _one_too_many(tab)
        tab.close()

        assert tab.complaints == []


def _one_too_many(tab: Tab) -> None:
    others = [FarPage(tab.site, tab.site.seat(), {"t": "call", "call": CALL}, speed=1.0) for _ in range(2)]
    for other in others:
        other.wait("event", kind="started")
    page = tab.open()
    page.click("summary:has-text('Worksheet')")
    page.fill("#goal", "Keep her")
    page.fill("input[aria-label='Add to: You can offer']", "a cake")
    page.click(".answer")
    page.wait_for_selector(".sorry:has-text('2 calls are going on'), dialog[open]")
    if page.locator("dialog[open]").count():
        page.click("text=I agree")
    page.wait_for_selector(".sorry:has-text('2 calls are going on')")
    for other in others:
        other.say(t="stop")
        other.wait("ended")
        other.vanish()
    page.click("button:has-text('Try again')")
    put_through(page)
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")
    told = [record.read(folder) for folder in record.list_sessions(tab.site.house.sessions)]
    (own,) = [one for one in told if one.events[0].data["trainee"] == "trainee"]
    sheet = next(own.of("worksheet")).data

    assert (sheet["outcome"], sheet["goal"], sheet["can"][-1]) == ("done", "Keep her", "a cake")  # nobody pressed Add


def test_the_whole_way_by_keyboard(tab: Tab, recorded: str) -> None:
    """Tab, arrows, Enter and space, and no mouse: choose, prepare, a call, its debrief, a retry, submit, comment."""
    page = tab.open()
    keys = page.keyboard

    def reach(selector: str, most: int = 400) -> None:
        for _ in range(most):
            if page.evaluate(f"document.activeElement.matches({selector!r})"):
                return
            keys.press("Tab")
        raise AssertionError(f"{selector} is not reached by Tab")

    def press(selector: str, key: str = "Enter") -> None:
        reach(selector)
        keys.press(key)

    def hang_up() -> None:
        press(".end")
        page.wait_for_selector("text=You ended the call.")

    press(".skip")
    assert page.evaluate("document.activeElement.id") == "main"
    reach("input[name=person]")
    keys.press("ArrowDown")
    assert page.inner_text(".panel h2") != "Dana Whitfield"
    press(".steps details:nth-last-of-type(3) > summary")  # counted from the end: a pause may come first
    press("[aria-label='Add to: You can offer']")
    keys.type("a cake")
    keys.press("Enter")
    press(".step[open] .first")
    press(".steps details:nth-last-of-type(2) > summary")
    press(".step[open] .body > .row > button")
    page.wait_for_selector("text=What the browser does to your voice")
    reach("input[name=mode]")
    keys.press("ArrowRight")
    press(".answer")
    page.wait_for_selector(f"dialog[open], {RUNS}")
    if page.locator("dialog[open]").count():
        keys.press("Enter")
    page.wait_for_selector(RUNS)
    keys.down("Space")
    page.wait_for_selector(".talk.on")
    keys.up("Space")
    page.wait_for_selector(".talk:not(.on)")
    press(".drawer:first-child > summary")
    reach("#pad")
    keys.type("by ten")
    keys.press("Enter")
    page.wait_for_selector(".kept >> text=by ten")
    hang_up()
    assert page.evaluate("document.activeElement.textContent") == "You ended the call."
    press(".stage .first")
    page.wait_for_selector("iframe.whole")
    told = record.read(record.list_sessions(tab.site.house.sessions)[-1])
    assert next(told.of("worksheet")).data["can"][-1] == "a cake"
    assert [event.data["text"] for event in told.of("note")] == ["by ten"]
    press(".submit")
    page.wait_for_selector("dialog[open]")
    press("dialog .first")
    page.wait_for_selector("dialog[open] >> text=/Submitted: .*zip/")
    keys.press("Escape")
    page.wait_for_selector("dialog[open]", state="detached")

    press("nav a:nth-child(2)")
    press(f"[href='#debrief/{recorded}']")
    page.wait_for_selector(".takes")
    press(".turns .play")
    page.wait_for_selector(".play[aria-pressed=true]")
    press("[aria-label='Retry turn 1']")
    page.wait_for_selector(RUNS)
    hang_up()
    press(".stage .first")
    page.wait_for_selector("iframe.whole")
    press("nav a:nth-child(4)")
    press(".session.bare")
    page.wait_for_selector(".bench")
    reach("[aria-label='Comment on the whole call']")
    keys.type("Well kept.")
    press("[aria-label='Comment on the whole call'] + button")
    page.wait_for_selector(".said >> text=Well kept.")


@pytest.fixture(scope="module")
def recorded(site: Site) -> str:
    """A recorded call with a retried turn, also on the desk; how a page calls it."""
    customer, text = prepare.choose_persona("dana-printer")
    steps, steps_text = prepare.choose_procedure("six-guidelines")
    call = session.Call(
        customer,
        text,
        steps,
        steps_text,
        FakeKit().rules(),
        seed=1,
        wall="2001-01-02T09:00:00+00:00",
        trainee="<b>Kim</b>",
    )
    folder = site.house.sessions / "20010102-090000-dana-printer"
    _held(call, folder)
    _held(
        retry.begin(call, retry.prepare_retry(folder, 1, call.rules)),
        site.house.sessions / "20010102-090500-dana-printer-take",
    )
    (site.house.data / "desk").mkdir(exist_ok=True)
    desk.submit(folder, site.house.desk)
    return key_of(folder)


def _held(call: session.Call, folder: Path) -> None:
    trainee = testing.RecordedTrainee([testing.Reply(testing.voice_like(3.0, syllables_per_s=5.0)) for _ in SAID])
    with record.Writer(folder, call.persona_text, call.procedure_text) as writer:
        session.rehearse(
            call, testing.FileDuplex(trainee), testing.ScriptedEars(SAID), None, testing.BeepVoice(), writer
        )


PLACES = [
    ("choose", ".answer"),
    ("debrief", ".sessions"),
    ("debrief/{key}", ".takes"),
    ("progress", ".whole"),
    ("desk", ".sessions"),
    ("desk/{bundle}", ".bench"),
]


@pytest.mark.parametrize(("place", "ready"), PLACES, ids=[place for place, _ in PLACES])
def test_every_place_fits_and_can_be_used_by_everybody(
    browser: Any, site: Site, recorded: str, tmp_path: Path, place: str, ready: str
) -> None:
    """At a phone's and at a large screen's width, light and dark: nothing sideways, and nothing serious for axe."""
    bundle = key_of(min(site.house.desk.glob("*.zip")))
    tab = Tab(browser, site, reduced_motion="reduce")
    page = tab.open(place.format(key=recorded, bundle=bundle), ready)
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.screenshot(path=tmp_path / f"{ready[1:]}-{width}-{scheme}.png")
            assert sideways(page) <= 0, (width, scheme)
            assert serious(page) == [], (width, scheme)
    assert "<b>Kim</b>" in page.inner_text("body") or place in ("choose", "progress", "debrief", "debrief/{key}")
    tab.close()
    assert tab.complaints == []


@pytest.mark.parametrize(("place", "ready"), PLACES, ids=[place for place, _ in PLACES])
def test_every_place_is_light(browser: Any, site: Site, recorded: str, place: str, ready: str) -> None:
    """What a first visit to it loads, without the recordings, is under 300 kB even before it is packed for the way;
    nothing comes from elsewhere."""
    bundle = key_of(min(site.house.desk.glob("*.zip")))
    tab = Tab(browser, site)
    bodies: dict[str, bytes] = {}

    def count(response: Any) -> None:
        if response.status == 200 and not response.headers.get("content-type", "").startswith("audio/"):
            bodies[response.url] = response.body()

    tab.page.goto(f"{site.origin}/?token={site.seats.issue()}")
    tab.page.goto("about:blank")
    tab.page.on("response", count)
    tab.page.goto(f"{site.origin}/#{place.format(key=recorded, bundle=bundle)}")
    tab.page.wait_for_selector(ready)
    if tab.page.locator("iframe.whole").count():
        tab.page.locator("iframe.whole").scroll_into_view_if_needed()  # it is loaded when it comes near
    tab.page.wait_for_load_state("networkidle")
    tab.close()

    assert {url.startswith(site.origin) for url in bodies} == {True}
    weight = sum(len(re.sub(rb"data:audio/[^\"']*", b"", body)) for body in bodies.values())
    assert 30_000 < weight < 300_000


INSIDE = """([inner, outer]) => {
  const [box, frame] = [inner, outer].map((one) => document.querySelector(one).getBoundingClientRect());
  return box.top >= frame.top && box.bottom <= frame.bottom && box.left >= frame.left && box.right <= frame.right;
}"""


def test_all_that_a_call_says_is_seen_on_a_phone(browser: Any, site: Site) -> None:
    """Who hears you, and the buttons that help, whole: not cut off, and not to be scrolled for."""
    tab = Tab(browser, site, WIDTHS[0])
    page = answered(tab)
    page.evaluate(SHIFTS)
    page.click("button:has-text('Hold'):not(.talk)")
    page.wait_for_selector(".who:has-text('Dana is on hold and does not hear you')")
    held = page.evaluate(
        "(({scrollWidth: w, clientWidth: W, scrollHeight: h, clientHeight: H}) => [w - W, h - H])(document.querySelector('.who'))"
    )
    page.click("text=Back to the call")
    page.evaluate("contexts.at(-1).suspend()")
    page.wait_for_selector(".notice button")
    awake = page.evaluate(INSIDE, [".notice button", ".notice-place"])
    page.click(".notice button")
    page.wait_for_selector(".stage:not(.paused)")
    page.evaluate("""() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotFoundError"));
      streams.at(-1).getAudioTracks()[0].dispatchEvent(new Event("ended"));
    }""")
    page.wait_for_selector(".notice button:has-text('Try again')")
    again = page.evaluate(INSIDE, [".notice button", ".notice-place"])
    shifts = page.evaluate("window.shifts")
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")
    tab.close()

    assert max(held) <= 0
    assert (awake, again) == (True, True)
    assert shifts == []
    assert tab.complaints == []


@pytest.mark.parametrize("width", WIDTHS)
def test_a_call_that_is_loaded_again_moves_nothing(
    browser: Any, site: Site, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the button to talk, which is there from the beginning."""
    monkeypatch.setattr(port, "RESUME_WITHIN_S", 30.0)  # a busy machine may take its time to load it
    tab = Tab(browser, site, width)
    page = by_key(tab)
    page.on("dialog", lambda dialog: dialog.accept())
    tab.context.add_init_script(f"({SHIFTS})()")
    page.reload()
    page.wait_for_selector(".who:text-matches('speaking|Your turn|paused')")
    page.wait_for_timeout(700)
    shifts = page.evaluate("window.shifts")
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")
    tab.close()

    assert shifts == []
    assert tab.complaints == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_call_fits_and_can_be_used_by_everybody(browser: Any, site: Site, width: int) -> None:
    tab = Tab(browser, site, width, reduced_motion="reduce", color_scheme="light" if width > 1000 else "dark")
    page = answered(tab)
    page.wait_for_timeout(400)
    assert sideways(page) <= 0
    assert serious(page) == []
    page.click("summary:has-text('Notes')")
    page.click("summary:has-text('Transcript')")
    page.evaluate("streams.at(-1).getAudioTracks()[0].dispatchEvent(new Event('mute'))")
    page.wait_for_selector(".paused")
    assert serious(page) == []
    page.evaluate("streams.at(-1).getAudioTracks()[0].dispatchEvent(new Event('unmute'))")
    assert page.evaluate("getComputedStyle(document.querySelector('.portrait')).transitionProperty") == "none"
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")
    assert serious(page) == []
    tab.close()
    assert tab.complaints == []


def test_submit_comment_and_the_way_home(tab: Tab, recorded: str) -> None:
    """The trainee submits, the trainer comments, marks, decides and assigns; the trainee reads it and takes the call."""
    page = tab.open(f"debrief/{recorded}", ".turns")
    page.click("text=Submit to my trainer")
    page.wait_for_selector("dialog[open] >> text=What you would share")
    page.click("dialog[open] label:has-text('With the recording')")
    page.wait_for_selector("dialog[open] >> text=no recording")
    page.click("dialog[open] button:has-text('Submit')")
    page.wait_for_selector("dialog[open] >> text=/Submitted: .*zip/")
    (submitted,) = re.findall(r"\S+\.zip", page.inner_text("dialog[open]"))
    page.click("dialog[open] >> text=Keep it")
    page.click("nav >> text=Desk")
    page.click(f".sessions a[href='#desk/{key_of(Path(submitted))}']")
    page.wait_for_selector(".bench")
    page.fill("#trainer", "Robin")
    page.dispatch_event("#trainer", "change")
    page.fill("textarea[aria-label='Comment on turn 1']", "Good: <script>alert(1)</script>")
    page.click(".turns li:first-child button:has-text('Keep')")
    page.wait_for_selector(".said >> text=alert(1)")
    page.select_option("label:has-text('What') select", "code:empathise")
    page.select_option("label:has-text('I hear it as') select", "done")
    page.fill("label:has-text('Why') textarea", "The tone.")
    page.click("section:has-text('Mark it as I hear it') button")
    page.wait_for_selector(".said >> text=The tone.")
    page.fill("label:has-text('Per cent') input", "60")
    page.click("text=Send it along")
    page.click("button:has-text('Again')")
    page.wait_for_selector(".said >> text=Once more")
    page.click("nav >> text=Debriefs")
    page.click("text=Look for answers from my trainer")
    page.wait_for_selector("text=your trainer answered")
    page.goto(f"{tab.site.origin}/#debrief/{recorded}")
    page.wait_for_selector(".trainer >> text=alert(1)")
    page.evaluate("localStorage.setItem('voicecoach.choice', JSON.stringify({trainee: '<b>Kim</b>'}))")
    page.click("nav >> text=Progress")
    page.wait_for_selector("text=From your trainer")
    page.click("text=Take this call")
    put_through(page)
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")
    told = record.read(record.list_sessions(tab.site.house.sessions)[-1])

    assert next(told.of("assignment")).data["assignment"]["pass_mark"] == 60


def test_what_a_trainer_says_is_said_once(browser: Any, site: Site, recorded: str) -> None:
    """However often it is pressed; and it is said although the page cannot show it."""
    bundle = key_of(min(site.house.desk.glob("*.zip")))
    path = next(one for one in desk.sessions_in(site.house.desk) if key_of(one) == bundle)
    before = len(record.read_lines(bundles.trainer_file(path))[0])
    tab = Tab(browser, site)
    page = tab.open(f"desk/{bundle}", ".bench")
    box = "textarea[aria-label='Comment on the whole call']"
    page.fill(box, "Well done.")
    page.dblclick(f"{box} + button")
    page.wait_for_selector(".said >> text=Well done.")
    page.dblclick("button:has-text('Again')")
    page.wait_for_selector(".said >> text=Once more")
    tab.context.route(f"**/api/desk/{bundle}", lambda route: route.abort())
    page.fill(box, "Go on.")
    page.click(f"{box} + button")
    page.wait_for_selector("[role=alert]:has-text('The page does not reach voicecoach any more.')")
    until(page, f'document.querySelector("{box}").value === ""')
    tab.close()
    lines = record.read_lines(bundles.trainer_file(path))[0][before:]

    assert [line.get("text") for line in lines if line["kind"] == "comment"] == ["Well done.", "Go on."]
    assert sum(line["kind"] == "verdict" for line in lines) == 1
    assert [one for one in tab.complaints if not one.startswith("Failed to load resource")] == []


def test_what_is_asked_goes_with_its_place_and_gives_the_focus_back(tab: Tab, recorded: str) -> None:
    """By Escape to the button that asked; by Back with the whole place."""
    page = tab.open("debrief", ".sessions")
    page.click(f".sessions a[href='#debrief/{recorded}']")
    for name in ("Submit to my trainer", "Delete this call"):
        page.wait_for_selector(".turns")
        page.focus(f"text={name}")
        page.keyboard.press("Enter")
        page.wait_for_selector("dialog[open]")
        page.keyboard.press("Escape")
        page.wait_for_selector(f"button:focus:has-text('{name}')")
        page.keyboard.press("Enter")
        page.wait_for_selector("dialog[open]")
        page.go_back()
        page.wait_for_selector(".sessions")
        assert page.locator("dialog[open]").count() == 0
        page.go_forward()


def test_copies_that_cannot_be_deleted_are_named_where_it_is_seen(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else knows of them once the call has gone; then the list, without it."""
    monkeypatch.setattr(copies, "remove", lambda _: False)
    key = key_of(sessions.write(tab.site.house.sessions))
    page = tab.open(f"debrief/{key}", ".turns")
    page.click("text=Submit to my trainer")
    page.click("dialog[open] button:has-text('Submit')")
    page.wait_for_selector("dialog[open] >> text=/Submitted: .*zip/")
    page.keyboard.press("Escape")
    page.click("text=Delete this call")
    page.check("dialog[open] >> text=Delete these too")
    page.click("dialog[open] >> text=Delete this call")
    page.wait_for_selector("dialog[open] [role=alert] >> text=1 copy could not be deleted")

    assert ".zip" in page.inner_text("dialog[open] li")
    page.keyboard.press("Escape")
    page.wait_for_selector("h1:has-text('Debriefs')")
    assert page.locator(f"a[href='#debrief/{key}']").count() == 0


def _asks_to_submit(page: Any) -> None:
    page.click(".submit")
    page.wait_for_selector("dialog[open]")


def _asks_to_delete(page: Any) -> None:
    page.click("button:has-text('Delete this call')")


def _checks(page: Any) -> None:
    page.click("summary:has-text('Microphone')")
    page.click("text=Check the microphone")
    page.wait_for_selector("button:has-text('Louder')")


ASKED = {
    "collect": ("debrief", ".sessions", "POST", "**/api/collect", None, "button:has-text('Look for answers')"),
    "preview": ("debrief/{key}", ".turns", "GET", "**/submit?*", None, ".submit"),
    "submit": ("debrief/{key}", ".turns", "POST", "**/submit?*", _asks_to_submit, "dialog[open] .first"),
    "delete": ("debrief/{key}", ".turns", "DELETE", "**/api/sessions/{key}", _asks_to_delete, "dialog[open] .end"),
    "compare": ("desk", ".sessions", "GET", "**/api/desk/agreement", None, "button:has-text('Compare')"),
    "volume": ("choose", ".answer", "POST", "**/api/volume", _checks, "button:has-text('Louder')"),
    "hear": ("choose", ".answer", "GET", "**/api/volume.wav*", _checks, "button:has-text('Hear the loudest')"),
}


@pytest.mark.parametrize("asked", ASKED)
def test_what_cannot_be_done_is_a_sentence_where_it_was_asked_for(
    browser: Any, site: Site, recorded: str, asked: str
) -> None:
    """Refused, and not reached: a visible sentence, and the button can be pressed again."""
    place, ready, method, path, first, button = ASKED[asked]
    tab = Tab(browser, site)
    page = tab.open(place.format(key=recorded), ready)
    refusal: dict[str, Any] = {
        "status": 400,
        "json": {"what": "It is still being recorded.", "do": "Wait for its end."},
    }
    answers = [lambda route: route.fulfill(**refusal), lambda route: route.abort()]

    def answer(route: Any) -> None:
        if route.request.method == method:
            answers[0](route)
        else:
            route.continue_()

    tab.context.route(path.format(key=recorded), answer)
    if first:
        first(page)
    page.click(button)
    page.wait_for_selector("[role=alert]:has-text('It is still being recorded. Wait for its end.')")
    assert page.locator(button).first.is_enabled()
    answers.pop(0)
    page.click(button)
    page.wait_for_selector("[role=alert]:has-text('The page does not reach voicecoach any more.')")
    assert page.locator(button).first.is_enabled()
    tab.close()

    assert [one for one in tab.complaints if not one.startswith("Failed to load resource")] == []


def test_a_bundle_that_is_too_large_is_a_sentence(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the same file can be chosen again."""
    monkeypatch.setattr("voicecoach.web.desk.MAX_BUNDLE_BYTES", 2 * 1024**2)
    (tmp_path / "large.zip").write_bytes(bytes(20 * 1024**2))
    with serving(House(tmp_path / "data", FakeKit())) as site:
        tab = Tab(browser, site)
        page = tab.open("desk", "#bundle + label")
        for _ in range(2):
            page.set_input_files("#bundle", tmp_path / "large.zip")
            page.wait_for_selector("[role=alert]:has-text('That is more than is taken here. At most 2 MB are.')")
            until(page, "!document.querySelector('#bundle').disabled")
            assert page.input_value("#bundle") == ""  # or the browser would say nothing of the same file
            page.evaluate("document.querySelector('[role=alert]').textContent = ''")
        tab.close()

    assert [one for one in tab.complaints if not one.startswith("Failed to load resource")] == []


def test_a_debrief_is_read_before_its_recording_is_there(tab: Tab, recorded: str) -> None:
    """What is pressed meanwhile plays once it is; the page waits for nothing."""
    waiting: list[Any] = []
    tab.context.route(f"**/api/sessions/{recorded}/sound", lambda route: waiting.append(route))
    page = tab.open(f"debrief/{recorded}", ".turns .play")
    page.click(".turns .play >> nth=0")
    page.wait_for_selector(".play[aria-pressed=true]")
    assert waiting
    for route in waiting:
        route.continue_()

    page.wait_for_selector(".play[aria-pressed=true]", state="detached")  # played to its end


def test_a_recording_that_never_comes_is_a_sentence(tab: Tab, recorded: str) -> None:
    """And nothing can be pressed that would play nothing."""
    tab.context.route(f"**/api/sessions/{recorded}/sound", lambda route: route.fulfill(body=b""))
    page = tab.open(f"debrief/{recorded}", ".turns")

    page.wait_for_selector("text=The recording is missing, so nothing can be played.")
    until(page, "document.querySelectorAll('.turns .play:not(:disabled)').length === 0")
    assert serious(page) == []


def test_a_moment_is_retried_and_heard_beside_the_first(tab: Tab, recorded: str) -> None:
    page = tab.open(f"debrief/{recorded}", ".takes")
    page.click(".take:nth-child(2) .play")
    page.wait_for_selector(".take:nth-child(2) .play[aria-pressed=true]")
    page.click("button[aria-label='Retry turn 1']")
    put_through(page)
    page.click("text=End the call")
    page.wait_for_selector("text=You ended the call.")
    told = record.read(record.list_sessions(tab.site.house.sessions)[-1])
    started = told.first("started")
    assert started is not None

    assert started.data["retry"]["turn"] == 1
    assert started.data["retry"]["take"] >= 3


def test_every_word_that_is_used_is_there_and_every_one_that_is_there_is_used(tab: Tab) -> None:
    """The uses of strings.js in the other modules against what it holds, as the browser reads it."""
    page = tab.open()
    flat = """async () => {
      const {S} = await import("/static/strings.js");
      const walk = (value, path) => typeof value === "object" ? Object.entries(value).flatMap(([key, one]) => walk(one, [...path, key])) : [path];
      return walk(S, []);
    }"""
    there = {".".join(path) for path in page.evaluate(flat)}
    used: set[str] = set()
    for module in STATIC.glob("*.js"):
        code = module.read_text("utf-8")
        group = re.search(r"const T = S\.(\w+);", code)
        used |= set(re.findall(r"\bS((?:\.\w+)+)", code))
        used |= {f".{group[1]}{path}" for path in re.findall(r"\bT((?:\.\w+)+)", code)} if group else set()
    used = {path.lstrip(".") for path in used}
    whole = {path for path in used if any(one == path or one.startswith(f"{path}.") for one in there)}
    methods = {path.rpartition(".")[0] for path in used - whole}

    assert methods <= there | whole
    assert [
        one for one in sorted(there) if not any(one == path or one.startswith(f"{path}.") for path in used | methods)
    ] == []


MARKED = """() => {
  const mark = (value) => typeof value === "string" ? `\u27e6${value}\u27e7` : typeof value === "function" ? (...all) => mark(value(...all)) : Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mark(one)]));
  return mark;
}"""
WORDS = """() => {
  const shown = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.nodeType === 3) { if (!node.parentElement.closest("svg, script, noscript")) shown.push(node.textContent); continue; }
    for (const name of ["aria-label", "placeholder", "title", "alt"]) if (node.getAttribute(name)) shown.push(node.getAttribute(name));
  }
  return [...shown, document.title];
}"""


DATE = re.compile(r"[A-Z][a-z]{2} \d+, \d{4}, \d+:\d\d [AP]M")
"""Written by the browser, in its own language."""


def _texts(value: Any) -> Iterator[str]:
    """All that a JSON answer says."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def test_every_visible_word_is_in_one_place_or_is_data(browser: Any, site: Site, recorded: str) -> None:
    """With strings.js translated, each text on each place is translated, or came from the server as data."""
    tab = Tab(browser, site)
    code = (STATIC / "strings.js").read_text("utf-8").replace("export const S =", "const words =")
    marked = f"{code}\nexport const S = ({MARKED})()(words);"
    tab.context.route("**/strings.js", lambda route: route.fulfill(body=marked, content_type="text/javascript"))
    data: list[str] = []

    def keep(response: Any) -> None:
        if "/api/" in response.url and "json" in response.headers.get("content-type", ""):
            data.extend(_texts(response.json()))

    def overhear(line: Any) -> None:
        line.on("framereceived", lambda sent: isinstance(sent, str) and data.extend(_texts(json.loads(sent))))

    tab.page.on("response", keep)
    tab.page.on("websocket", overhear)
    bundle = key_of(min(site.house.desk.glob("*.zip")))
    page = tab.open()
    page.click("summary:has-text('Microphone')")
    page.click(".step[open] .first")
    page.wait_for_selector(".after:not([hidden])")
    foreign = set(page.evaluate(WORDS))
    for place, ready in PLACES:
        page.goto(f"{site.origin}/#{place.format(key=recorded, bundle=bundle)}")
        page.wait_for_selector(ready)
        page.wait_for_timeout(700)  # a recording that is loaded bit by bit keeps the line busy for as long as it likes
        foreign |= set(page.evaluate(WORDS))
    page.goto(f"{site.origin}/#choose")
    page.click(".answer")
    page.wait_for_selector(f"dialog[open], {RUNS}")
    foreign |= set(page.evaluate(WORDS))
    if page.locator("dialog[open]").count():
        page.click("dialog .first")
    page.wait_for_selector(RUNS)
    foreign |= set(page.evaluate(WORDS))
    page.click(".end")
    page.wait_for_selector("#rest")
    foreign |= set(page.evaluate(WORDS))
    tab.close()
    told = " ".join(" ".join(data).split())
    rest = {
        one.strip(" :,.") for text in foreign for one in re.split(r"\u27e6[^\u27e7]*\u27e7", " ".join(text.split()))
    }

    alien = {one for one in rest if re.search("[A-Za-z]{2}", one) and one not in told}

    assert {one for one in alien if not DATE.fullmatch(one) and "Fake" not in one} == set()
