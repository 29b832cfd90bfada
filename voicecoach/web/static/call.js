// The call: almost nothing to look at. Nothing on this page moves its place while the call goes on.
import { button, clock, h, put } from "./dom.js";
import { face } from "./faces.js";
import { meter } from "./choose.js";
import { Line, Sound } from "./sound.js";
import { S } from "./strings.js";

const T = S.call;
const ASLEEP_MS = 8000; // without a word from the server, which is this machine

export const call = async (main, page, _rest, handed) => {
  if (!handed) {
    page.go("choose");
    return null;
  }
  let { sound, person, wanted } = handed;
  let line = null;
  let live = false;
  let name = person?.name || "";
  let held = false;
  let stopped = false;
  let session = "";
  let ticked = 0;

  // --- what is shown -------------------------------------------------------------------------------
  // Not a live region: a screen reader would talk over the customer. The cue and the notices are.
  const who = h("p", { class: "who" }, T.connecting(name));
  const time = h("p", { class: "time", role: "timer", "aria-label": T.time }, "0:00");
  const cue = h("p", { class: "cue", role: "status", "aria-label": T.cue }, "");
  const notice = h("div", { class: "notice", role: "status" });
  const bar = meter(T.level);
  const portrait = h("div", { class: "portrait" }, person ? face(person.person, person.sex) : "");
  const mode = wanted?.mode || "hands-free";
  const talk = h("button", { type: "button", class: "talk", hidden: mode !== "push-to-talk" }, h("span", {}, T.talk), h("small", {}, T.talkHint));
  const send = h("button", { type: "button", class: "talk", hidden: mode !== "manual", onclick: () => line?.say({ t: "send" }) }, h("span", {}, T.send), h("small", {}, T.sendHint));
  const hold = button(T.hold, () => { setHeld(!held); }, "", { "aria-pressed": "false" });
  const end = button(T.end, () => { stopped = true; line?.say({ t: "stop" }); end.disabled = true; }, "end");
  const lines = h("ol", { class: "lines" });
  const kept = h("ul", { class: "kept" });
  const pad = h("textarea", { rows: 3, id: "pad", maxLength: 240, placeholder: T.notesHint });
  const keep = () => {
    const text = pad.value.trim();
    pad.value = "";
    pad.focus();
    if (!text) return;
    line?.say({ t: "note", text });
    kept.append(h("li", {}, text));
    page.say(T.kept);
  };
  pad.onkeydown = (event) => {
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      keep();
    }
  };
  const drawer = (title, ...inside) => h("details", { class: "drawer" }, h("summary", {}, title), h("div", { class: "inside" }, inside));
  const notes = drawer(T.notes, h("label", { for: "pad", class: "vh" }, T.notes), pad, h("p", { class: "row" }, button(T.keep, keep)), kept);
  const transcript = drawer(T.transcript, lines);
  const stage = h("div", { class: "stage" }, h("h1", { class: "vh" }, T.with(name)), portrait, who, time, h("div", { class: "cue-place" }, cue), bar.node, h("div", { class: "notice-place" }, notice), h("div", { class: "controls" }, talk, send, hold, end));
  put(main, h("div", { class: "call" }, stage, h("div", { class: "drawers" }, notes, transcript)));

  const setHeld = (on) => {
    held = on;
    sound.hold(on);
    line?.say({ t: "hold", on });
    hold.textContent = on ? T.resume : T.hold;
    hold.setAttribute("aria-pressed", String(on));
    if (on) who.textContent = T.onHold(name);
  };

  const write = (speaker, text, mine) => lines.append(h("li", { class: mine ? "mine" : "" }, h("strong", {}, speaker), " ", text));
  const spoken = []; // lines of the customer that are still being spoken: nobody should read ahead

  const setTalk = (on) => {
    if (talk.hidden || talk.classList.contains("on") === on) return;
    talk.classList.toggle("on", on);
    talk.firstChild.textContent = on ? T.talking : T.talk;
    line?.say({ t: "talk", on });
  };
  talk.onpointerdown = (event) => { talk.setPointerCapture(event.pointerId); setTalk(true); };
  talk.onpointerup = talk.onpointercancel = () => setTalk(false);
  const typing = () => document.activeElement instanceof HTMLTextAreaElement || document.activeElement instanceof HTMLInputElement;
  const down = (event) => {
    const here = document.activeElement;
    if (event.code !== "Space" || !live || mode === "hands-free" || typing() || (here !== talk && here instanceof HTMLButtonElement)) return;
    event.preventDefault();
    if (event.repeat) return;
    if (mode === "manual") line?.say({ t: "send" });
    else setTalk(true);
  };
  const up = (event) => {
    if (event.code === "Space" && talk.classList.contains("on")) {
      event.preventDefault();
      setTalk(false);
    }
  };
  addEventListener("keydown", down);
  addEventListener("keyup", up);

  // --- the end ---------------------------------------------------------------------------------------
  const finish = (message) => {
    live = false;
    setTalk(false);
    for (const one of spoken.splice(0)) write(name, one.text, false);
    session = message.session || session;
    const rest = h("textarea", { rows: 4, id: "rest", maxLength: 2000 });
    rest.value = pad.value;
    const done = button(T.toDebrief, () => {
      done.disabled = true;
      done.textContent = T.making;
      line.say({ t: "done", notes: rest.value.split("\n") });
    }, "first");
    put(stage, h("h1", {}, T.over[message.outcome] || T.over.fault), message.what && h("p", {}, message.what), message.what && h("p", { class: "hint" }, T.keptSafe),
      h("label", { for: "rest" }, h("strong", {}, T.after), h("span", { class: "hint" }, T.afterHint)), rest, h("p", { class: "row" }, done));
    stage.classList.add("after");
    notes.hidden = true;
    sound.close();
    done.focus();
  };
  const stuck = (what, todo, ways) => {
    live = false;
    sound?.close();
    put(stage, page.sorry({ what, todo }, ways));
  };
  const toChoose = () => button(T.toChoose, () => page.go("choose"));

  // --- what is told ----------------------------------------------------------------------------------
  const told = (message) => {
    switch (message.t) {
      case "resumed":
        live = true;
        break;
      case "tick":
        if (ticked && Date.now() - ticked > ASLEEP_MS) put(notice, T.slept);
        ticked = Date.now();
        time.textContent = clock(message.at);
        if (!held) who.textContent = T.who[message.who](name);
        portrait.classList.toggle("speaking", message.who === "customer");
        if (cue.textContent !== message.cue) cue.textContent = message.cue;
        while (spoken.length && spoken[0].until <= message.at) write(name, spoken.shift().text, false);
        break;
      case "event":
        if (message.kind === "started") { name = message.name; live = true; }
        if (message.kind === "said") spoken.push(message);
        if (message.kind === "held") for (const one of spoken) one.until += message.longer;
        if (message.kind === "resumed") put(notice, T.resumed);
        if (message.kind === "heard") {
          for (const one of spoken.splice(0)) write(name, one.text, false);
          write(T.you, message.text, true);
        }
        if (message.kind === "marked") put(notice, message.text);
        if (message.kind === "fault") put(notice, `${message.what} ${message.do}`);
        break;
      case "ended":
        finish(message);
        break;
      case "over":
        page.go(`debrief/${message.session}`);
        break;
      case "failed":
        stuck(message.what, message.do, [toChoose()]);
        break;
      case "moved":
        stuck(T.moved, "", [toChoose()]);
        break;
      case "refused":
        if (message.why === "consent") consent(message.line);
        else if (message.why === "full") stuck(T.full(message.limit), T.fullDo, [button(T.again, () => page.go("choose", { again: {} }), "first")]);
        else if (message.why === "elsewhere") stuck(T.elsewhere, T.elsewhereDo, [button(T.takeOver, () => page.go("call", { resume: message.call }), "first"), toChoose()]);
        else stuck(T.gone, T.goneDo, [button(S.places.debrief, () => page.go("debrief"), "first"), toChoose()]);
        break;
      default:
    }
  };
  const consent = (words) => {
    const box = h("dialog", { "aria-labelledby": "consent-h" }, h("h2", { id: "consent-h" }, T.consent), h("p", {}, words),
      h("p", { class: "row" }, button(T.agree, () => box.close("agree"), "first"), button(T.leaveIt, () => box.close())));
    box.onclose = () => {
      box.remove();
      if (box.returnValue === "agree") {
        wanted = { ...wanted, consent: true };
        line = new Line(sound, { t: "call", call: wanted }, ways);
      } else page.go("choose");
    };
    document.body.append(box);
    box.showModal();
  };
  const ways = {
    told,
    away: () => put(notice, T.away),
    back: () => put(notice, T.back),
    gone: () => stuck(T.gone, T.goneDo, [button(S.places.debrief, () => page.go("debrief"), "first"), toChoose()]),
  };

  const wire = () => {
    sound.heard = (level) => bar.show(level);
    sound.lost = async () => {
      put(notice, `${S.mic.lost} ${S.mic.lostDo}`);
      const again = async () => {
        try {
          put(notice, S.mic.found(await sound.replace()));
          navigator.mediaDevices.removeEventListener("devicechange", again);
        } catch {
          put(notice, `${S.mic.lost} ${S.mic.lostDo} `, button(S.mic.retry, again));
        }
      };
      navigator.mediaDevices.addEventListener("devicechange", again);
      await again();
    };
    sound.asleep = (asleep) => {
      if (asleep) put(notice, `${S.mic.suspended} ${S.mic.suspendedDo} `, button(S.mic.wake, () => sound.wake(), "first"));
      else put(notice);
    };
  };

  const begin = async () => {
    try {
      sound = sound || (await Sound.open(handed.resume ? {} : { speakers: wanted.speakers, deviceId: handed.deviceId || "" }));
    } catch (failure) {
      stuck(failure.what || S.sorry.odd, failure.todo || "", [button(S.mic.retry, () => page.go("call", handed), "first"), toChoose()]);
      return;
    }
    wire();
    if (!sound.awake) sound.asleep(true);
    line = new Line(sound, handed.resume ? { t: "resume", call: handed.resume, have: null } : { t: "call", call: wanted }, ways);
  };

  // --- leaving ---------------------------------------------------------------------------------------
  const unload = (event) => {
    if (live) event.preventDefault();
  };
  addEventListener("beforeunload", unload);
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
      if (live) line?.say({ t: "stop" });
      line?.say({ t: "done", notes: [] });
      line?.drop();
      sound?.close();
    },
  };
};
