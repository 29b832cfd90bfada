"""Calls through the server: whole ones, and pages that go away, come back, or are one too many."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from tests import sessions
from tests.waiting import wait_until
from tests.web.site import CALL, HELLO, SAID, Page, Site, SlowKit, serving
from voicecoach import copies, desk, prepare, record, session, testing
from voicecoach.measure.activity import FRAME
from voicecoach.nouns import SAMPLE_RATE_HZ, Baseline
from voicecoach.report.desk import Assignment
from voicecoach.web import calls, places, wire
from voicecoach.web import sound as port
from voicecoach.web.calls import House, Room, Rooms, info_of
from voicecoach.web.gate import Seat
from voicecoach.web.names import found
from voicecoach.web.sound import BrowserDuplex, BrowserInfo


def only(site: Site) -> record.Record:
    """The one session that was recorded, once it is closed."""
    (folder,) = record.list_sessions(site.house.sessions)
    wait_until(lambda: record.read(folder).first("ended"))
    return record.read(folder)


def _duplex() -> BrowserDuplex:
    return BrowserDuplex(BrowserInfo("browser", "A microphone", "speaker", SAMPLE_RATE_HZ, 0.02, False, False, False))


def test_a_whole_call_is_recorded_as_any_other(site: Site) -> None:
    """Turns, notes, hold and preparation are in the record, and both channels hold what was heard and played."""
    sheet = {"goal": "Keep her", "can": ["a cake\nfor <b>her</b>"], "cannot": [], "problems": [], "win_wins": []}
    page = Page(site, site.seat(), {"t": "call", "call": {**CALL, "worksheet": sheet, "focus": True}}, replies=2)
    page.wait("event", kind="heard", text=SAID[0])
    page.say(t="note", text="Loan printer\x07 by ten")
    page.say(t="hold", on=True)
    page.say(t="hold", on=False)
    page.wait("event", kind="heard", text=SAID[1])
    page.wait("event", kind="note")
    page.say(t="stop")
    ended = page.wait("ended")
    page.say(t="done", notes=["Call back at ten", "", "x" * 500])
    over = page.wait("over")
    page.closed.wait(60)
    told = only(site)
    both = record.read_audio(told)
    started = told.first("started")
    assert started is not None

    assert ended["outcome"] == "stopped"
    assert ended["session"] == over["session"]
    assert [event.data["text"] for event in told.of("heard")] == SAID[:2]
    assert [event.data["text"] for event in told.of("note")] == [
        "Loan printer by ten",
        "Call back at ten",
        *("x" * n for n in (240, 240, 20)),
    ]
    assert [event.data["on"] for event in told.of("hold")] == [True, False]
    assert next(told.of("worksheet")).data["can"][-1] == "a cake for <b>her</b>"
    assert next(told.of("focus")).data["outcome"] == "done"
    assert started.data["sound"]["port"] == "browser"
    assert started.data["sound"]["gain_control"] is False
    assert started.data["trainee"] == "Sam"
    assert told.problems == ()
    assert (told.folder / "audio.flac").is_file()
    assert (told.folder / "debrief.html").is_file()
    said = next(told.of("said")).data
    line = both[said["start"] : said["end"], 1]
    assert np.mean(np.abs(line.astype(int)) > 0) > 0.9
    spoke = next(told.of("spoke")).data
    assert np.abs(both[spoke["start"] : spoke["end"], 0].astype(int)).max() > 1000


def test_notes_are_waited_for_while_they_are_typed_and_kept_if_they_are_never_handed_in(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each draft begins the waiting anew; the last one is in the record, its long lines in pieces."""
    monkeypatch.setattr(calls, "NOTES_WITHIN_S", 3.0)
    page = Page(site, site.seat(), {"t": "call", "call": CALL})
    page.wait("event", kind="started")
    page.say(t="stop")
    page.wait("ended")
    paragraph = " ".join(["She gets a loan printer by ten."] * 20)
    for typed in ("She", "She gets", paragraph):
        page.say(t="draft", notes=[typed, "", "Ask Kim"])
        time.sleep(1.2)
    assert not [message for message in page.told if message["t"] == "over"]
    page.wait("over")
    notes = [event.data["text"] for event in only(site).of("note")]

    assert " ".join(notes) == f"{paragraph} Ask Kim"
    assert max(map(len, notes)) <= 240


def test_notes_of_a_tab_that_is_closed_are_kept(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "RESUME_WITHIN_S", 0.3)
    page = Page(site, site.seat(), {"t": "call", "call": CALL})
    page.wait("event", kind="started")
    page.say(t="stop")
    page.wait("ended")
    page.say(t="draft", notes=["Call back at ten"])
    page.vanish()
    told = only(site)
    wait_until(lambda: (told.folder / "debrief.html").is_file())

    assert [event.data["text"] for event in record.read(told.folder).of("note")] == ["Call back at ten"]


def test_notes_outlive_a_line_that_breaks_while_they_are_typed(site: Site) -> None:
    """The page comes back, is told how the call ended, and hands in what was typed meanwhile."""
    page = Page(site, site.seat(), {"t": "call", "call": CALL})
    call = page.wait("ready")["call"]
    page.wait("event", kind="started")
    page.say(t="stop")
    ended = page.wait("ended")
    page.say(t="draft", notes=["Call ba"])
    page.socket.close()
    page.open({**HELLO, "t": "resume", "call": call, "have": page.got})
    page.wait("resumed")
    wait_until(lambda: page.told.count(ended) == 2)
    page.say(t="done", notes=["Call back at ten"])
    page.wait("over")
    (note,) = only(site).of("note")

    assert note.data["text"] == "Call back at ten"
    with site.line(page.headers) as line:
        line.send(json.dumps({**HELLO, "t": "resume", "call": call}))
        assert json.loads(line.recv(10)) == {"t": "refused", "why": "gone"}


def test_a_note_that_the_end_of_the_call_overtakes_is_kept(site: Site) -> None:
    """Both are there at the next block, which is the last: the end is not the note's."""
    typed = [f"Note {number}" for number in range(20)]
    page = Page(site, site.seat(), {"t": "call", "call": CALL}, speed=1.0)
    page.wait("event", kind="started")
    for text in typed:
        page.say(t="note", text=text)
    page.say(t="stop")
    page.wait("ended")
    page.say(t="done", notes=["Call back at ten"])
    page.wait("over")

    assert [event.data["text"] for event in only(site).of("note")] == [*typed, "Call back at ten"]


def test_holding_twice_is_holding_once() -> None:
    """A page that was loaded again may not know yet that the customer is on hold."""
    room = Room(Seat(""), _duplex(), lambda room: None, {"name": "Dana"})
    room.attach(send := [].append, SAMPLE_RATE_HZ, None)
    for on in (True, True, False, False):
        room.told(send, {"t": "hold", "on": on})

    assert [room.held() for _ in range(4)] == [True, False, None, None]


def test_who_leaves_before_the_call_begins_leaves_nothing_behind(tmp_path: Path) -> None:
    """No session of no turns, no place that is taken, and no call in "another tab": the next one begins at once."""
    kit = SlowKit()
    with serving(House(tmp_path / "data", kit, limit=1, customers=("dana-printer",))) as site:
        page = Page(site, site.seat(), {"t": "call", "call": CALL})
        page.wait("ready")
        page.leave()
        wait_until(lambda: json.loads(site.ask("/api/state", headers=page.headers)[2])["call"] is None)
        other = Page(site, page.headers, {"t": "call", "call": CALL}, speed=1.0)
        other.wait("ready")
        kit.loaded.set()
        other.wait("event", kind="started")
        other.say(t="stop")
        other.wait("ended")
        other.vanish()

        assert next(only(site).of("ended")).data["outcome"] == "stopped"


def test_who_leaves_for_good_ends_the_call_at_once(site: Site) -> None:
    """Nobody is waited for: the record is whole, and the same browser may call again."""
    page = Page(site, site.seat(), {"t": "call", "call": CALL}, speed=1.0)
    page.wait("tick")
    page.leave()

    assert next(only(site).of("ended")).data["outcome"] == "stopped"
    again = Page(site, page.headers, {"t": "call", "call": CALL}, speed=1.0)
    again.wait("ready")
    again.leave()


def test_a_tab_that_was_taken_over_ends_nothing() -> None:
    """It may be closed: the call is another tab's by now."""
    room = Room(Seat(""), _duplex(), lambda room: None, {"name": "Dana"})
    old, new = [], []
    room.attach(old.append, SAMPLE_RATE_HZ, None)
    room.attach(new.append, SAMPLE_RATE_HZ, None)
    room.leave(old.append)

    assert (room.talking, room.keys().stop) == (True, False)


def test_whose_call_is_going_on_can_be_asked_while_one_begins(site: Site) -> None:
    """The rooms are looked through by requests, and changed by others meanwhile."""
    rooms = Rooms(site.house)
    others: list[threading.Thread] = []

    class Asking(Seat):
        """A browser that is looked for while another one begins a reading."""

        def __eq__(self, other: object) -> bool:
            others.append(
                threading.Thread(target=rooms.calibration, args=(Seat(f"{len(others)}"), "Sam", info_of(HELLO)))
            )
            others[-1].start()
            others[-1].join(0.2)
            return False

        __hash__ = Seat.__hash__

    rooms.house = replace(site.house, limit=9)
    for number in range(2):
        rooms.calibration(Seat(f"there {number}"), "Sam", info_of(HELLO))

    assert rooms.of(Asking("")) is None
    for other in others:
        other.join(60)


def test_an_assignment_is_for_the_trainee_it_was_set_for(site: Site) -> None:
    """Nobody else reads the trainer's words, or uses up the attempts."""
    folder = sessions.write(site.house.sessions, trainee="Kim")
    task = Assignment("week-2", "dana-printer", note="Slower, Kim.")
    desk.give_next(folder, task, "Robin", "2026-11-21T12:00:00+01:00")
    seat = site.seat()
    tasks = {
        trainee: json.loads(site.ask(f"/api/next?trainee={trainee}", headers=seat)[2])["tasks"]
        for trainee in ("Kim", "Sam")
    }
    assert [task["title"] for task in tasks["Kim"]] == ["week-2"]
    assert tasks["Sam"] == []
    taken = {**CALL, "assignment": tasks["Kim"][0]["session"]}
    refused = Page(site, seat, {"t": "call", "call": {**taken, "trainee": "Sam"}}).wait("failed")
    page = Page(site, seat, {"t": "call", "call": {**taken, "trainee": "Kim"}})
    page.wait("event", kind="started")
    page.say(t="stop")
    key = page.wait("ended")["session"]
    page.vanish()

    assert refused["what"] == "This assignment is for another trainee."
    told = record.read(found(record.list_sessions(site.house.sessions), key))
    assert next(told.of("assignment")).data["assignment"]["id"] == "week-2"


def test_the_assignment_that_was_written_last_is_the_next_one(site: Site) -> None:
    """As in the debrief: the order in which they were written counts, and what is damaged counts as none."""
    folder = sessions.write(site.house.sessions, trainee="Kim")
    for name, day in (("week-3", 22), ("week-2", 21)):  # the older one came later, by mail
        desk.give_next(folder, Assignment(name, "dana-printer"), "Robin", f"2026-11-{day}T12:00:00+01:00")
    record.append_line(folder / record.TRAINER, {"kind": "next", "assignment": 7, "wall": "2026-11-23T12:00:00+01:00"})
    seat = site.seat()
    (task,) = json.loads(site.ask("/api/next?trainee=Kim", headers=seat)[2])["tasks"]
    (row,) = json.loads(site.ask("/api/sessions", headers=seat)[2])["rows"]
    told = json.loads(site.ask(f"/api/sessions/{row['key']}", headers=seat)[2])["trainer"]

    assert task["title"] == "week-3"
    assert next(part["lines"] for part in told if part["heading"] == "Your next assignment") == task["lines"]


def test_what_is_due_and_not_taken_comes_first(site: Site) -> None:
    """Each says how often it was taken; one that this machine does not have is not on offer."""
    tasks = [
        Assignment("taken", "dana-printer", due="2026-11-25"),
        Assignment("some-day", "dana-printer"),
        Assignment("later", "dana-printer", due="2026-12-24"),
        Assignment("soon", "dana-printer", due="2026-12-01", procedure="own.yaml"),
    ]
    for at, task in enumerate(tasks):
        folder = sessions.write(site.house.sessions, f"20261121-10000{at}-dana-printer", trainee="Kim")
        desk.give_next(folder, task, "Robin", "2026-11-21T12:00:00+01:00")
    for at, trainee in enumerate(("Kim", "Kim", "Sam")):
        asked = {"assignment": asdict(tasks[0]), "attempt": 1}
        sessions.write(site.house.sessions, f"20261121-12000{at}-dana-printer", trainee=trainee, assignment=asked)
    found_ = json.loads(site.ask("/api/next?trainee=Kim", headers=site.seat())[2])["tasks"]

    assert [task["title"] for task in found_] == ["soon", "later", "some-day", "taken"]
    assert [task["taken"] for task in found_] == [0, 0, 0, 2]
    assert [task["offered"] for task in found_] == [False, True, True, True]


def test_older_sessions_are_listed_when_they_are_asked_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "LISTED", 1)
    for at in range(3):
        sessions.write(site.house.sessions, f"20261121-10000{at}-dana-printer", said=())
    newest, all_ = (
        json.loads(site.ask(path, headers=site.seat())[2]) for path in ("/api/sessions", "/api/sessions?all")
    )

    assert (len(newest["rows"]), newest["older"]) == (1, 2)
    assert (len(all_["rows"]), all_["older"]) == (3, 0)
    assert all_["rows"][0] == newest["rows"][0]


def test_a_call_whose_sound_sleeps_can_be_ended(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is there and sends nothing: its word is enough, and the record is whole."""
    monkeypatch.setattr(port, "STILL_S", 0.05)
    page = Page(site, site.seat(), {"t": "call", "call": CALL})
    page.wait("event", kind="started")
    page.mute = True
    time.sleep(0.6)
    page.say(t="stop")

    assert page.wait("ended")["outcome"] == "stopped"
    page.say(t="done", notes=[])
    page.wait("over")
    page.vanish()


def test_push_to_talk_ends_a_turn_when_it_is_let_go(site: Site) -> None:
    page = Page(site, site.seat(), {"t": "call", "call": {**CALL, "mode": "push-to-talk"}})
    page.wait("tick", who="customer")
    wait_until(lambda: page.told[-1].get("who") == "nobody")
    page.say(t="talk", on=True)
    said = [testing.voice_like(2.0, syllables_per_s=5.0, level_dbfs=-20), testing.noise(60.0, -70)]
    page.trainee = testing.PlainRecording(np.concatenate(said))
    page.wait("tick", who="you")
    enough = page.first + 3 * SAMPLE_RATE_HZ
    wait_until(lambda: page.first > enough)
    page.say(t="talk", on=False)
    page.wait("event", kind="heard")
    page.say(t="stop")
    page.wait("ended")
    page.vanish()

    assert [event.data["text"] for event in only(site).of("heard")] == SAID[:1]


def test_a_turn_that_is_sent_by_hand_ends_there(site: Site) -> None:
    """Manual: however long the trainee pauses, only the button ends the turn."""
    page = Page(site, site.seat(), {"t": "call", "call": {**CALL, "mode": "manual"}}, replies=1)
    page.wait("tick", who="you")
    wait_until(lambda: page.told[-1].get("who") not in ("you", "customer"))
    time.sleep(0.5)
    assert not [message for message in page.told if message.get("kind") == "heard"]
    page.say(t="send")
    page.wait("event", kind="heard")
    page.say(t="stop")
    page.wait("ended")
    page.vanish()

    assert [event.data["text"] for event in only(site).of("heard")][:1] == SAID[:1]


def test_a_tab_that_vanishes_leaves_a_whole_record(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "RESUME_WITHIN_S", 0.3)
    monkeypatch.setattr(port, "SLACK_S", 0.0)
    page = Page(site, site.seat(), {"t": "call", "call": CALL}, replies=1)
    page.wait("event", kind="heard")
    page.vanish()
    told = only(site)
    ended = told.first("ended")
    assert ended is not None

    assert ended.data["outcome"] == "fault"
    assert "page in the browser" in ended.data["why"]
    assert [problem for problem in told.problems if "missing" in problem] == []
    assert [event.data["text"] for event in told.of("heard")] == SAID[:1]
    wait_until((told.folder / "debrief.html").is_file)


def test_a_broken_line_goes_on_and_loses_nothing_of_the_clock(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same page, a new connection: one record, one clock, and what was not sent is silence."""
    monkeypatch.setattr(port, "BOOTTIME", None)  # the clock of this page is four times as fast
    page = Page(site, site.seat(), {"t": "call", "call": CALL}, replies=1)
    call = page.wait("ready")["call"]
    page.wait("tick", who="customer")
    page.mute = True
    before = page.first
    page.socket.close()
    wait_until(lambda: page.first - before > 0.6 * SAMPLE_RATE_HZ)
    page.open({**HELLO, "t": "resume", "call": call, "have": page.got})
    page.wait("resumed")
    least = page.first - before
    page.mute = False
    most = page.first - before
    page.wait("event", kind="heard")
    page.say(t="stop")
    page.wait("ended")
    page.vanish()
    told = only(site)
    both = record.read_audio(told)
    (resumed,) = told.of("resumed")
    start, end = resumed.data["start"], resumed.data["end"]

    assert least - 3 * FRAME <= end - start <= most + 3 * FRAME
    assert not both[start + FRAME : end - FRAME, 0].any()  # the edges share a block with sound
    assert next(told.of("ended")).data["outcome"] == "stopped"
    assert len(record.list_sessions(site.house.sessions)) == 1


def test_two_tabs_of_one_browser_hold_one_call(site: Site) -> None:
    """The second tab is told where the call is, and may take it over; the first is told that it was."""
    seat = site.seat()
    first = Page(site, seat, {"t": "call", "call": CALL}, speed=1.0)
    call = first.wait("ready")["call"]
    first.wait("event", kind="started")
    second = Page(site, seat, {"t": "call", "call": CALL}, speed=1.0)
    refused = second.wait("refused")

    assert (refused["why"], refused["call"]) == ("elsewhere", call)
    third = Page(site, seat, {"t": "resume", "call": call, "have": None}, speed=1.0)
    third.wait("resumed")
    first.wait("moved")
    third.wait("tick")
    third.say(t="stop")
    third.wait("ended")
    third.vanish()
    assert next(only(site).of("ended")).data["outcome"] == "stopped"


def test_what_the_old_tab_still_sends_is_not_taken_for_the_new_one() -> None:
    """A frame that was on its way when the call was taken over counts by another clock, and nothing it says counts."""
    sound = _duplex()
    room = Room(Seat(""), sound, lambda room: None, {"name": "Dana"})
    old, new = [], []

    def frame(first: int, level: int) -> wire.Frame:
        return wire.Frame(first, 0, (0, 0), 0, np.full(FRAME, level, np.int16), np.zeros(FRAME, np.int16))

    room.attach(old.append, SAMPLE_RATE_HZ, None)
    room.frame(old.append, frame(60 * SAMPLE_RATE_HZ, 1000))
    room.attach(new.append, SAMPLE_RATE_HZ, None)
    room.frame(old.append, frame(60 * SAMPLE_RATE_HZ + FRAME, 1000))
    room.told(old.append, {"t": "stop"})
    for number in range(50):
        room.frame(new.append, frame(number * FRAME, 9000))
    heard = np.concatenate([sound.read().mic for _ in range(45)])

    assert old == [{"t": "moved"}]
    assert not sound.gone
    assert not room.keys().stop
    assert np.mean(heard > 8000) > 0.9


def test_another_trainee_has_a_call_of_their_own(site: Site) -> None:
    """Two browsers: two calls at once, two records; nobody can take over somebody else's."""
    one = Page(site, site.seat(), {"t": "call", "call": CALL}, speed=1.0)
    other_seat = site.seat()
    other = Page(site, other_seat, {"t": "call", "call": {**CALL, "trainee": "Kim"}}, speed=1.0)
    call = one.wait("ready")["call"]
    other.wait("event", kind="started")
    one.wait("event", kind="started")
    thief = Page(site, other_seat, {"t": "resume", "call": call, "have": None})

    assert thief.wait("refused")["why"] == "gone"
    for page in (one, other):
        page.say(t="stop")
        page.wait("ended")
        page.say(t="done", notes=[])
        page.wait("over")
    names = {record.read(folder).events[0].data["trainee"] for folder in record.list_sessions(site.house.sessions)}
    assert names == {"Sam", "Kim"}


def test_a_hard_call_is_for_the_trainee_who_had_it(site: Site) -> None:
    """Kim's hard call is neither shown to Sam nor in Sam's record, whatever the page says."""
    folder = record.new_folder(site.house.sessions, prepare.now(), "x")
    with record.Writer(folder, "", "") as writer:
        writer.event("started", wall=prepare.now(), trainee="Kim")
        writer.event("ended", outcome="hung up", why="")
    recovered = {}
    for trainee in ("Sam", "Kim"):
        seat = site.seat()
        hard = json.loads(site.ask(f"/api/choices?trainee={trainee}", headers=seat)[2])["hard"]
        page = Page(site, seat, {"t": "call", "call": {**CALL, "trainee": trainee, "recovery": True}})
        page.wait("event", kind="started")
        page.say(t="stop")
        key = page.wait("ended")["session"]
        page.vanish()
        told = record.read(found(record.list_sessions(site.house.sessions), key))
        recovered[trainee] = hard, [event.data["after"] for event in told.of("recovery")]

    assert recovered == {"Sam": ("", []), "Kim": ("the customer hung up", ["the customer hung up"])}


def test_one_call_too_many_is_refused_and_the_others_go_on(site: Site) -> None:
    """The limit holds for calls that are going on; one that ends makes room."""
    pages = [Page(site, site.seat(), {"t": "call", "call": CALL}, speed=1.0) for _ in range(2)]
    for page in pages:
        page.wait("event", kind="started")
    late = Page(site, site.seat(), {"t": "call", "call": CALL}, speed=1.0)

    assert late.wait("refused") == {"t": "refused", "why": "full", "limit": 2}
    pages[0].say(t="stop")
    pages[0].wait("ended")
    again = Page(site, site.seat(), {"t": "call", "call": CALL}, speed=1.0)
    again.wait("event", kind="started")
    for page in (pages[1], again):
        page.say(t="stop")
        page.wait("ended")
    for page in (*pages, again):
        page.vanish()


@pytest.mark.parametrize("wrong", [b"\xff" * 100, "{"], ids=["no frame", "no JSON"])
def test_what_is_no_sound_ends_the_connection_and_not_the_record(
    site: Site, monkeypatch: pytest.MonkeyPatch, wrong: bytes | str
) -> None:
    monkeypatch.setattr(port, "RESUME_WITHIN_S", 0.3)
    monkeypatch.setattr(port, "SLACK_S", 0.0)
    page = Page(site, site.seat(), {"t": "call", "call": CALL}, speed=1.0)
    page.wait("event", kind="started")
    page.socket.send(wrong)

    assert page.closed.wait(60)
    assert next(only(site).of("ended")).data["outcome"] == "fault"


@pytest.mark.parametrize("rate", [3, 1e12, "48000", True, None])
def test_a_sound_that_is_none_is_refused(rate: object) -> None:
    with pytest.raises(ValueError, match="rate"):
        info_of({**HELLO, "rate": rate})


def test_a_page_that_is_loaded_again_learns_what_the_other_one_knew(site: Site) -> None:
    """Who calls, how the trainee talks, what was said and noted, and that the customer is on hold."""
    page = Page(site, site.seat(), {"t": "call", "call": {**CALL, "mode": "manual"}}, replies=1, speed=2.0)
    call = page.wait("ready")["call"]
    page.wait("event", kind="said")
    page.say(t="note", text="Printer")
    page.wait("event", kind="note")
    page.say(t="hold", on=True)
    page.vanish()
    again = Page(site, page.headers, {"t": "resume", "call": call})
    told = again.wait("resumed")
    again.say(t="stop")
    again.wait("ended")

    assert (told["name"], told["person"], told["mode"], told["hold"]) == ("Dana", "dana", "manual", True)
    assert [one["kind"] for one in told["past"]] == ["said", "note"]
    assert told["past"][1]["text"] == "Printer"


def test_a_call_without_a_microphone_stands_still(site: Site) -> None:
    """Unplugged in mid-call: paused at once, told in the record with the microphone it goes on with; nobody is kept waiting."""
    page = Page(site, site.seat(), {"t": "call", "call": CALL})
    page.wait("tick", who="customer")
    page.deaf = True
    enough_s = page.wait("tick", who="paused")["at"] + session.SILENCE_S + 3  # the customer would have asked by then
    wait_until(lambda: page.told[-1].get("at", 0) > enough_s)
    page.say(**{**HELLO, "t": "sound", "input": "Another microphone"})
    page.deaf = False
    back = page.wait("event", kind="resumed")
    page.say(t="stop")
    page.wait("ended")
    page.vanish()
    told = only(site)
    resumed = next(told.of("resumed")).data

    assert (back["other"], back["input"], back["rests"]) == (True, "Another microphone", True)
    assert resumed["input"] == "Another microphone"
    assert resumed["end"] - resumed["start"] > (session.SILENCE_S + 2) * SAMPLE_RATE_HZ
    assert "nothing but zeros" in next(told.of("fault")).data["what"]
    assert len(list(told.of("said"))) == 1


def test_closing_the_server_ends_calls_with_their_records(house: House) -> None:
    """Ctrl-C in the middle of a call: it is stopped, not lost."""
    with serving(house) as site:
        page = Page(site, site.seat(), {"t": "call", "call": CALL}, speed=1.0)
        page.wait("tick")
    page.gone = True
    told = only(site)

    assert next(told.of("ended")).data["outcome"] == "stopped"
    assert (told.folder / "audio.flac").is_file()


def test_a_reading_becomes_a_calm_voice(site: Site) -> None:
    """Calibrating through the page: kept for this trainee and this microphone as the browser has it."""
    page = Page(site, site.seat(), {"t": "calibrate", "trainee": "Sam"}, speed=8.0)
    page.trainee = testing.PlainRecording(testing.voice_like(14.0, syllables_per_s=4.0))
    page.wait("listening")
    wait_until(lambda: page.trainee.done)
    page.say(t="done", notes=[])
    found = page.wait("calibrated")
    page.wait("bye")
    asked = json.dumps({**HELLO, "trainee": "Sam"}).encode()
    other = json.dumps({**HELLO, "trainee": "Sam", "input": "Another"}).encode()
    seat = site.seat()

    assert found["f0_hz"] == pytest.approx(120, abs=8)
    assert json.loads(site.ask("/api/voice", "POST", seat, asked)[2])["calibrated"] is True
    assert json.loads(site.ask("/api/voice", "POST", seat, other)[2])["calibrated"] is False


def test_a_reading_without_a_voice_is_refused_with_its_reason(site: Site) -> None:
    page = Page(site, site.seat(), {"t": "calibrate", "trainee": "Sam"}, speed=8.0)
    page.wait("listening")
    time.sleep(0.5)
    page.say(t="done", notes=[])

    assert "at least 6 s are needed" in page.wait("failed")["what"]


def test_a_drill_is_marked_at_once(site: Site) -> None:
    """The page hears how each turn was marked, and the record says which drill it was."""
    page = Page(site, site.seat(), {"t": "call", "call": {**CALL, "drill": "apologise"}}, replies=1)
    marked = page.wait("event", kind="marked")
    page.say(t="stop")
    page.wait("ended")
    page.vanish()
    started = only(site).first("started")
    assert started is not None

    assert marked["text"]
    assert started.data["drill"]["id"] == "apologise"


def test_nobody_is_recorded_who_has_not_agreed(site: Site) -> None:
    """The page has to show the sentence first; agreeing once is enough."""
    page = Page(site, site.seat(), {"t": "call", "call": {**CALL, "consent": False}})
    refused = page.wait("refused")

    assert refused["why"] == "consent"
    assert "recorded" in refused["line"]
    assert record.list_sessions(site.house.sessions) == []
    for consent in (True, False):
        page = Page(site, site.seat(), {"t": "call", "call": {**CALL, "consent": consent}})
        page.wait("event", kind="started")
        page.say(t="stop")
        page.wait("ended")
        page.say(t="done", notes=[])
        page.wait("bye")
    told = [next(record.read(folder).of("consent")).data["how"] for folder in record.list_sessions(site.house.sessions)]
    assert told == ["asked", "earlier"]


def test_a_reading_that_is_left_is_over_at_once(site: Site) -> None:
    """No call is gone back to, and the next one is not kept waiting."""
    page = Page(site, site.seat(), {"t": "calibrate", "trainee": "Sam"}, speed=1.0)
    page.wait("listening")
    other = Page(site, page.headers, {"t": "call", "call": CALL}, speed=1.0)
    assert other.wait("refused")["why"] == "reading"
    page.vanish()

    def asked_again() -> Page:
        found = Page(site, page.headers, {"t": "call", "call": CALL}, speed=1.0)
        wait_until(lambda: found.told)
        return found

    again = asked_again()
    while again.told[0]["t"] != "ready":
        again = asked_again()
    assert json.loads(site.ask("/api/state", headers=page.headers)[2])["call"] == again.wait("ready")["call"]
    again.say(t="stop")
    again.wait("ended")


def test_a_recording_is_what_it_says_it_is(site: Site) -> None:
    """The page plays it by its type: Opus in WebM, and nothing where there is no recording."""
    page = Page(site, site.seat(), {"t": "call", "call": CALL})
    page.wait("tick", who="customer")
    page.say(t="stop")
    key = page.wait("ended")["session"]
    page.say(t="done", notes=[])
    page.wait("over")
    status, headers, data = site.ask(f"/api/sessions/{key}/sound", headers=page.headers)
    assert (status, headers["content-type"], data[:4]) == (200, "audio/webm;codecs=opus", b"\x1aE\xdf\xa3")
    for file in only(site).folder.glob("audio.*"):
        file.unlink()

    assert site.ask(f"/api/sessions/{key}/sound", headers=page.headers)[0] == 204


def test_a_deleted_session_takes_its_copies_along_where_that_is_asked(site: Site) -> None:
    """The page is told of them first; without the box they stay, and what is no copy any more does, too."""
    seat = site.seat()
    for asked, left in (("", 2), ("?copies=yes", 1)):
        folder = sessions.write(site.house.sessions)
        (row,) = json.loads(site.ask("/api/sessions", headers=seat)[2])["rows"]
        place = f"/api/sessions/{row['key']}"
        names = [
            json.loads(site.ask(f"{place}/submit?sound={sound}", "POST", seat, b"{}")[2]) for sound in ("no", "yes")
        ]
        first, second = (site.house.desk / told["name"] for told in names)
        first.write_bytes(b"another file by now")

        assert all(told["noted"] for told in names)
        assert json.loads(site.ask(f"{place}/copies", headers=seat)[2]) == {"copies": [f"submitted: {second}"]}
        assert json.loads(site.ask(f"{place}{asked}", "DELETE", seat)[2]) == {"left": []}
        assert not folder.exists()
        assert sorted(site.house.desk.iterdir()) == sorted([first, second][:left])
        for path in (first, second):
            path.unlink(missing_ok=True)


def test_copies_that_stay_are_named(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else knows where they are once the session has gone."""
    folder, seat = sessions.write(site.house.sessions), site.seat()
    (row,) = json.loads(site.ask("/api/sessions", headers=seat)[2])["rows"]
    place = f"/api/sessions/{row['key']}"
    told = json.loads(site.ask(f"{place}/submit?sound=no", "POST", seat, b"{}")[2])
    monkeypatch.setattr(copies, "remove", lambda _: False)

    assert json.loads(site.ask(f"{place}?copies=yes", "DELETE", seat)[2]) == {
        "left": [str(site.house.desk / told["name"])]
    }
    assert not folder.exists()


def test_the_calm_voice_of_a_moment_is_for_its_microphone() -> None:
    """Provisional ones carry the microphone's name alone, others also what the browser does to it."""
    info = BrowserInfo("browser", "A microphone", "speaker", SAMPLE_RATE_HZ, 0.02, False, False, False)
    persona, text = prepare.choose_persona("dana-printer")
    steps, steps_text = prepare.choose_procedure("six-guidelines")
    call = session.Call(persona, text, steps, steps_text, prepare.rules(cues_only=True))
    for device, kept in ((calls.device_of(info), True), (info.input, True), ("A headset", False)):
        calm = Baseline(200.0, 1500.0, -26.0, 4.0, device)
        assert calls._of_that_day(replace(call, baseline=calm), info) == (calm if kept else None)
