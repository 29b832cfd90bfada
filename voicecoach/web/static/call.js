// The call: almost nothing to look at. Nothing on this page moves its place while the call goes on.
import { button, clock, h, prose, put, silence } from "./dom.js";
import { face } from "./faces.js";
import { habits, meter } from "./choose.js";
import { Line, Sound } from "./sound.js";
import { S } from "./strings.js";

const T = S.call;
const DRAFT_MS = 500; // after the last letter
const NEAR_PX = 8; // of the end of the transcript: whoever is there sees each new line
const KEPT = "voicecoach.call"; // in this tab: the call that is going on, so that one that is cut off is told of
const REASONS = ["line", "sleep", "mic"]; // for a call that stands still; what helps with the first comes first

export const call = async (main, page, _rest, handed) => {
  const go = (place, more = null) => page.go(place, more, true); // a call that is over is no place to go back to
  if (!handed) {
    go("choose");
    return null;
  }
  let { sound, person, wanted } = handed;
  let line = null;
  const early = handed.early || []; // what was pressed before there was a line
  const say = (message) => (line ? line.say(message) : early.push(message));
  let live = false;
  let name = person?.name || "";
  let held = false;
  let chosen = false; // on hold or not is what was pressed here
  let stopped = false;
  let ended = false;
  let session = "";
  let ticked = false; // the call has begun
  let another = ""; // what is told of the microphone that has just taken the lost one's place
  let seeking = () => {}; // ends the search for another microphone
  const pauses = new Map(); // why there is no sound (one of REASONS), and what is said of it
  let last = null; // what was told last, for when there is sound

  // --- what is shown -------------------------------------------------------------------------------
  // Not a live region: a screen reader would talk over the customer. The cue and the notices are.
  const who = h("p", { class: "who" }, name ? T.connecting(name) : T.coming);
  const time = h("p", { class: "time", role: "timer", "aria-label": T.time }, "0:00");
  const cue = h("p", { class: "cue", role: "status", "aria-label": T.cue }, "");
  const notice = h("div", { class: "notice", role: "status" });
  const bar = meter(T.level);
  const portrait = h("div", { class: "portrait" }, person ? face(person.person, person.sex) : "");
  let mode = (wanted || habits().wanted).mode; // of a call that goes on, most likely; it says itself when it is there
  const talk = h("button", { type: "button", class: "talk", hidden: mode !== "push-to-talk" }, h("span", {}, T.talk), h("small", {}, T.talkHint));
  const sendNow = () => {
    if (pauses.size || held) return;
    say({ t: "send" });
    tell(T.sent);
  };
  const send = h("button", { type: "button", class: "talk", hidden: mode !== "manual", onclick: sendNow }, h("span", {}, T.send), h("small", {}, T.sendHint));
  const hold = button(T.hold, () => { chosen = true; setHeld(!held); }, "", { "aria-pressed": "false" });
  const end = button(T.end, () => { stopped = true; if (sound && !sound.awake) sound.wake(); say({ t: "stop" }); end.disabled = true; }, "end");
  const lines = h("ol", { class: "lines" });
  const kept = h("ul", { class: "kept" });
  const pad = h("textarea", { rows: 3, id: "pad", maxLength: 240, placeholder: T.notesHint });
  pad.value = handed.typed || "";
  let sheet = pad; // the notes that are not handed in yet
  let rest = null; // where they are written after the call
  const keep = () => {
    const text = pad.value.trim();
    pad.value = "";
    pad.focus();
    if (!text) return;
    say({ t: "note", text });
    page.say(T.kept);
  };
  pad.onkeydown = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      keep();
    }
  };
  const drawer = (title, ...inside) => h("details", { class: "drawer" }, h("summary", {}, title), h("div", { class: "inside" }, inside));
  const notes = drawer(T.notes, h("label", { for: "pad", class: "vh" }, T.notes), pad, h("p", { class: "row" }, button(T.keep, keep)), kept);
  notes.open = pad.value !== "";
  const transcript = drawer(T.transcript, lines);
  // It follows the call, unless somebody has scrolled back in it; by keyboard, too.
  const tail = transcript.querySelector(".inside");
  for (const [key, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", T.transcript]]) tail.setAttribute(key, value);
  const toTheEnd = () => { tail.scrollTop = tail.scrollHeight; };
  const following = (change) => {
    const follow = tail.scrollHeight - tail.scrollTop - tail.clientHeight < NEAR_PX;
    change();
    if (follow) toTheEnd();
  };
  transcript.addEventListener("toggle", toTheEnd);
  const heading = h("h1", { class: "vh" }, T.with(name));
  const stage = h("div", { class: "stage" }, heading, portrait, who, time, h("div", { class: "cue-place" }, cue), bar.node, h("div", { class: "notice-place" }, notice), h("div", { class: "controls" }, talk, send, hold, end));
  put(main, h("div", { class: "call" }, stage, h("div", { class: "drawers" }, notes, transcript)));

  const setHeld = (on, tell = true) => {
    if (on) setTalk(false); // whoever is on hold hears nothing
    held = on;
    sound?.hold(on);
    if (tell) say({ t: "hold", on });
    hold.textContent = on ? T.resume : T.hold;
    hold.setAttribute("aria-pressed", String(on));
    if (on) who.textContent = name ? T.onHold(name) : T.coming;
    else if (live && mode !== "hands-free") (mode === "manual" ? send : talk).focus(); // so that the space bar speaks
  };
  // One box for all that is told. While the call stands still it has the reason, and what to do, and nothing else.
  let noticed = null;
  const notify = () => {
    const what = pauses.get(REASONS.find((why) => pauses.has(why))) || last;
    if (what !== noticed) put(notice, (noticed = what));
  };
  const tell = (...what) => {
    last = what;
    notify();
  };
  // The call stands still: shown at once and as long as it lasts, so that nobody takes it for the customer's silence.
  const pause = (why, ...what) => {
    if (!pauses.has(why)) last = null; // what was told before is old by the time that the call goes on
    pauses.set(why, what);
    notify();
    stage.classList.add("paused");
    portrait.classList.remove("speaking");
    who.textContent = T.who.paused(name);
    bar.show(-120);
    setTalk(false);
  };
  // The next word of the server says who has the floor, and takes the sign of the pause away with its sentence.
  const unpause = (why) => {
    pauses.delete(why);
    notify();
    if (pauses.size || ticked) return;
    stage.classList.remove("paused"); // before the call nobody has the floor
    who.textContent = name ? T.connecting(name) : T.coming;
  };

  const heard = new Map(); // turn: its line; a turn is heard twice, the second time with care
  const write = (speaker, text, mine) => {
    const words = h("span", {}, text);
    following(() => lines.append(h("li", { class: mine ? "mine" : "" }, h("strong", {}, speaker), " ", words)));
    return words;
  };
  const spoken = []; // lines of the customer that are still being spoken: nobody should read ahead

  const setTalk = (on) => {
    if (talk.hidden || talk.classList.contains("on") === on || (on && (pauses.size || held))) return;
    talk.classList.toggle("on", on);
    talk.firstChild.textContent = on ? T.talking : T.talk;
    talk.setAttribute("aria-pressed", String(on));
    say({ t: "talk", on });
  };
  talk.onpointerdown = (event) => { if (event.button) return; talk.setPointerCapture(event.pointerId); setTalk(true); };
  talk.onpointerup = talk.onpointercancel = () => setTalk(false);
  talk.onclick = (event) => { if (event.detail === 0) setTalk(!talk.classList.contains("on")); }; // Enter, voice control
  let pressed = false; // the space bar, from when it was meant for the call until it is let go, whatever comes meanwhile
  const typing = () => document.activeElement instanceof HTMLTextAreaElement || document.activeElement instanceof HTMLInputElement;
  const down = (event) => {
    const here = document.activeElement;
    if (event.repeat && pressed && event.code === "Space") event.preventDefault();
    if (event.repeat || event.code !== "Space" || !live || mode === "hands-free" || typing() || (here !== talk && here?.closest("button, summary, a, select"))) return;
    event.preventDefault();
    pressed = true;
    if (mode === "manual") sendNow();
    else setTalk(true);
  };
  const up = (event) => {
    if (event.code !== "Space" || !pressed) return;
    event.preventDefault();
    pressed = false;
    setTalk(false);
  };
  const drop = () => { pressed = false; setTalk(false); }; // the key is let go where this page does not see it
  addEventListener("keydown", down);
  addEventListener("keyup", up);
  addEventListener("blur", drop);

  // --- the end ---------------------------------------------------------------------------------------
  const over = () => {
    live = false;
    seeking();
    sessionStorage.removeItem(KEPT);
  };
  // The server keeps what is being written after the call: it waits as long as somebody writes, and a page that is gone loses nothing.
  let drafting = 0;
  const written = () => sheet.value.split("\n");
  const draft = () => { if (sheet) line.say({ t: "draft", notes: written() }); };
  const handIn = () => {
    if (!sheet) return;
    line?.say({ t: "done", notes: written() });
    sheet.disabled = true;
    sheet = null;
  };
  const finish = (message) => {
    if (ended) return; // told again after the line broke
    ended = true;
    over();
    setTalk(false);
    stage.classList.remove("paused");
    for (const one of spoken.splice(0)) write(name, one.text, false);
    session = message.session || session;
    rest = h("textarea", { rows: 4, id: "rest", maxLength: 2000, oninput: () => { clearTimeout(drafting); drafting = setTimeout(draft, DRAFT_MS); } });
    rest.value = pad.value;
    sheet = rest;
    draft();
    const done = button(T.toDebrief, () => {
      done.disabled = true;
      done.textContent = T.making;
      handIn();
    }, "first");
    const ending = h("h1", { tabindex: "-1" }, T.over[message.outcome] || T.over.fault);
    put(stage, ending, message.what && h("p", {}, prose(message.what)), message.what && h("p", { class: "hint" }, T.keptSafe),
      h("label", { for: "rest" }, h("strong", {}, T.after), h("span", { class: "hint" }, T.afterHint)), rest, h("p", { class: "row" }, done));
    stage.classList.add("after");
    notes.hidden = true;
    sound.close();
    ending.focus(); // it is read out, and a key that is held or typed presses nothing
  };
  const stuck = (what, todo, ways) => {
    over();
    sheet = null;
    sound?.close();
    notes.hidden = true;
    stage.classList.remove("paused");
    stage.classList.add("after");
    const unsent = rest?.value.trim() && h("textarea", { rows: 4, id: "unsent", readOnly: true }, rest.value);
    put(stage, heading, page.sorry({ what, todo }, ways), unsent && [h("label", { for: "unsent" }, T.unsent), unsent]);
    stage.querySelector("button")?.focus();
  };
  const toChoose = () => button(T.toChoose, () => go("choose"));

  // --- what is told ----------------------------------------------------------------------------------
  const event = (one) => {
    switch (one.kind) {
      case "started":
        name = one.name;
        heading.textContent = T.with(name);
        live = true;
        break;
      case "said":
        spoken.push({ ...one });
        break;
      case "held":
        for (const said of spoken) said.until += one.longer;
        break;
      case "interrupted": // the rest of the line was never heard
        if (one.by === "trainee" && spoken.length) Object.assign(spoken.at(-1), { text: T.cutOff(one.words), until: 0 });
        break;
      case "resumed":
        tell(one.other ? S.mic.found(one.input) : another || T.resumed, one.other && one.rests && ` ${T.rests}`);
        another = "";
        break;
      case "moved":
        tell(S.mic.found(one.input), one.rests && ` ${T.rests}`);
        break;
      case "heard":
        if (heard.has(one.turn)) {
          following(() => { heard.get(one.turn).textContent = one.text; });
          break;
        }
        for (const said of spoken.splice(0)) write(name, said.text, false);
        heard.set(one.turn, write(T.you, one.text, true));
        break;
      case "note":
        kept.append(h("li", {}, one.text));
        break;
      case "marked":
        tell(one.text);
        break;
      case "fault":
        if (!pauses.size) tell(prose(`${one.what} ${one.do}`)); // the page has said why it stands still, and it may be over by then
        break;
      default:
    }
  };
  // A page that was loaded again, or takes the call over, learns what the other one knew.
  const catchUp = (call) => {
    name = call.name;
    mode = call.mode;
    heading.textContent = T.with(name);
    talk.hidden = mode !== "push-to-talk";
    send.hidden = mode !== "manual";
    put(portrait, face(call.person, call.sex));
    for (const one of call.past) event(one);
    if (call.hold && !chosen) setHeld(true, false);
    live = true;
  };
  const told = (message) => {
    switch (message.t) {
      case "ready":
        sessionStorage.setItem(KEPT, message.call);
        break;
      case "resumed":
        if (ended) break;
        sessionStorage.setItem(KEPT, message.call);
        if (!live) catchUp(message);
        break;
      case "tick":
        ticked = true;
        time.textContent = clock(message.at);
        if (!pauses.size) {
          who.textContent = held ? T.onHold(name) : T.who[message.who](name);
          stage.classList.toggle("paused", message.who === "paused");
          portrait.classList.toggle("speaking", message.who === "customer");
        }
        if (cue.dataset.cue !== message.cue) {
          cue.dataset.cue = message.cue;
          cue.textContent = message.cue && (T.cues[message.cue] || message.cue);
        }
        while (spoken.length && spoken[0].until <= message.at) write(name, spoken.shift().text, false);
        break;
      case "event":
        event(message);
        break;
      case "ended":
        finish(message);
        break;
      case "over":
        go(`debrief/${message.session}`);
        break;
      case "failed":
        stuck(message.what, message.do, [toChoose()]);
        break;
      case "moved":
        stuck(T.moved, "", [toChoose()]);
        break;
      case "refused":
        if (message.why === "consent") consent(message.line);
        else if (message.why === "full") stuck(T.full(message.limit), T.fullDo, [button(T.again, () => afresh({ sound: null, wanted }), "first"), toChoose()]);
        else if (message.why === "reading") stuck(S.choose.busy, S.choose.busyDo, [toChoose()]);
        else if (message.why === "elsewhere") stuck(T.elsewhere, T.elsewhereDo, [button(T.takeOver, () => go("call", { resume: message.call }), "first"), toChoose()]);
        else cutOff("late");
        break;
      default:
    }
  };
  const cutOff = (why) => {
    const toDebriefs = button(T.toDebriefs, () => go("debrief"), "first");
    if (why === "never") silence(S.sorry).then(({ what, todo }) => stuck(what, todo, [toChoose()]));
    else if (why === "stopped") stuck(T.shut, T.shutDo, [toDebriefs]);
    else if (ended) stuck(T.gone, T.goneAfter, [button(T.toDebrief, () => go(`debrief/${session}`), "first")]);
    else stuck(T.gone, T.goneDo, [toDebriefs, toChoose()]);
  };
  const consent = (words) => {
    const box = h("dialog", { "aria-labelledby": "consent-h" }, h("h2", { id: "consent-h" }, T.consent), h("p", {}, prose(words)),
      h("p", { class: "row" }, button(T.agree, () => box.close("agree"), "first"), button(T.leaveIt, () => box.close())));
    box.onclose = () => {
      box.remove();
      if (box.returnValue === "agree") {
        wanted = { ...wanted, consent: true };
        dial({ t: "call", call: wanted });
      } else go("choose");
    };
    document.body.append(box);
    box.showModal();
  };
  const ways = {
    told,
    away: () => { if (!ended) pause("line", T.away); },
    back: () => { tell(T.back); unpause("line"); },
    gone: cutOff,
  };
  const waiting = () => (line ? line.unsaid : early); // what was pressed and not said yet
  // The same call from its beginning: with hold and notes as they were, spoken and sent is nothing of it.
  const afresh = (more = {}) => go("call", { ...handed, ...more, held, typed: pad.value, early: waiting().filter(({ t }) => t === "note") });
  // What was pressed before there was this line goes with it; it would begin without hold.
  const dial = (hello) => {
    const said = waiting();
    line = new Line(sound, hello, ways);
    for (const message of said) line.say(message);
    sound.hold(held);
  };

  const wire = () => {
    sound.heard = (level) => { if (!pauses.size) bar.show(level); };
    sound.lost = async () => {
      pause("mic", `${S.mic.lost} ${S.mic.lostDo}`);
      let busy = false; // one plug makes several events
      let found = false; // or nobody needs one any more
      const again = async () => {
        if (busy || found) return;
        busy = true;
        try {
          another = S.mic.found(await sound.replace());
          seeking();
          tell(another);
          line?.say({ t: "sound", ...sound.describe() });
          unpause("mic");
        } catch {
          if (!found) pause("mic", `${S.mic.lost} ${S.mic.lostDo} `, button(S.mic.retry, again));
        } finally {
          busy = false;
        }
      };
      seeking();
      seeking = () => {
        found = true;
        navigator.mediaDevices.removeEventListener("devicechange", again);
      };
      navigator.mediaDevices.addEventListener("devicechange", again);
      await again();
    };
    sound.muted = (muted) => {
      if (muted) pause("mic", `${S.mic.muted} ${S.mic.mutedDo}`);
      else unpause("mic");
    };
    sound.asleep = (asleep) => {
      if (asleep) pause("sleep", `${S.mic.suspended} ${S.mic.suspendedDo} `, button(S.mic.wake, () => sound.wake(), "first"));
      else unpause("sleep");
    };
  };

  const begin = async () => {
    try {
      const { deviceId, wanted: usual } = habits();
      sound = sound || (await Sound.open({ speakers: (wanted || usual).speakers, deviceId }));
    } catch (failure) {
      stuck(failure.what || S.sorry.odd, failure.todo || "", [button(S.mic.retry, () => afresh(), "first"), toChoose()]);
      return;
    }
    wire();
    // What happened to the microphone on its way here is not told again.
    if (sound.track.readyState === "ended") await sound.lost();
    else if (sound.track.muted) {
      sound.deafen(true);
      sound.muted(true);
    }
    if (!sound.awake) sound.asleep(true);
    dial(handed.resume ? { t: "resume", call: handed.resume, have: null } : { t: "call", call: wanted });
  };

  // --- leaving ---------------------------------------------------------------------------------------
  const unload = (event) => {
    const writing = sheet && sheet !== pad && sheet.value.trim();
    if (writing) draft();
    if (live || writing) event.preventDefault();
  };
  addEventListener("beforeunload", unload);
  if (handed.held) { chosen = true; setHeld(true); }
  await begin();

  return {
    // Asked before the place is left by the back button or a link: true lets it go.
    async may() {
      if (!live || stopped) return true;
      return new Promise((answer) => {
        const box = h("dialog", { "aria-labelledby": "leave-h" }, h("h2", { id: "leave-h" }, T.leave), h("p", {}, T.leaveText),
          h("p", { class: "row" }, button(T.stay, () => box.close("stay"), "first"), button(T.end, () => box.close("end"), "end")));
        box.onclose = () => { box.remove(); answer(box.returnValue === "end"); };
        document.body.append(box);
        box.showModal();
      });
    },
    leave() {
      removeEventListener("beforeunload", unload);
      removeEventListener("keydown", down);
      removeEventListener("keyup", up);
      removeEventListener("blur", drop);
      sessionStorage.removeItem(KEPT);
      seeking();
      for (const box of document.querySelectorAll("body > dialog")) box.remove(); // a question about a call that is left
      if (live) line?.say({ t: "stop" });
      handIn();
      line?.drop();
      sound?.close();
    },
  };
};
