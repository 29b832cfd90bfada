// The first place: who calls, how hard, what to know beforehand, the microphone, one breath; then the call.
import { ask, attempt, button, h, post, put, silence, trouble as alert } from "./dom.js";
import { face } from "./faces.js";
import { Line, Sound } from "./sound.js";
import { S } from "./strings.js";

const T = S.choose;
const KEPT = "voicecoach.choice";
const MODES = [["hands-free", T.handsFree], ["push-to-talk", T.pushToTalk], ["manual", T.manual]];
const QUIET_DBFS = -50;
const FLOOR_DBFS = -60;

const remembered = () => {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) || {};
  } catch {
    return {};
  }
};

// How this trainee takes calls in this browser, for calls that begin elsewhere: a moment again, a drill, an assignment.
export const habits = () => {
  const { trainee = "trainee", speakers = false, mode = "hands-free", patience = "normal", cues = true, deviceId = "" } = remembered();
  return { deviceId, wanted: { trainee, speakers, mode, patience, cues } };
};

export const meter = (label) => {
  const bar = h("span", { class: "bar" });
  const node = h("div", { class: "meter", role: "meter", "aria-label": label, "aria-valuemin": "-60", "aria-valuemax": "0", "aria-valuenow": "-60" }, bar);
  let told = 0;
  return {
    node,
    show: (level) => {
      const share = Math.min(1, Math.max(0, (level - FLOOR_DBFS) / -FLOOR_DBFS));
      bar.style.transform = `scaleX(${share.toFixed(3)})`;
      if (performance.now() - told > 500) {
        told = performance.now();
        node.setAttribute("aria-valuenow", String(Math.round(Math.max(FLOOR_DBFS, level))));
      }
    },
  };
};

const options = (name, label, values, chosen, onchange, hints = null) => {
  const hint = hints && h("p", { class: "hint", id: `${name}-hint` }, hints[chosen]);
  const pick = (value) => {
    if (hint) hint.textContent = hints[value];
    onchange(value);
  };
  return h("fieldset", { class: "options", "aria-describedby": hint && hint.id }, h("legend", {}, label),
    h("div", { class: "segments" }, values.map(([value, text]) =>
      h("label", {}, h("input", { type: "radio", name, value, checked: value === chosen, onchange: () => pick(value) }), h("span", {}, text)))), hint);
};

export const choose = async (main, page, _rest, handed) => {
  const kept = remembered();
  const offering = (trainee) => ask(`/api/choices?trainee=${encodeURIComponent(trainee)}`, S.sorry).then((answer) => answer.json());
  const offered = await offering(kept.trainee || "trainee");
  const choice = {
    person: offered.people.find((one) => one.id === (handed?.persona || kept.person)) || offered.people.find((one) => one.id === offered.person) || offered.people[0],
    level: offered.levels.includes(kept.level) ? kept.level : "medium",
    procedure: offered.procedures.some((one) => one.id === kept.procedure) ? kept.procedure : offered.procedure,
    trainee: kept.trainee || "trainee",
    speakers: Boolean(kept.speakers),
    mode: MODES.some(([mode]) => mode === kept.mode) ? kept.mode : "hands-free",
    patience: kept.patience in T.patiences ? kept.patience : "normal",
    cues: kept.cues !== false,
    deviceId: kept.deviceId || "",
  };
  const prepared = { focus: false, recovery: false };
  let sheet = () => null; // the worksheet as it stands; null where nobody has touched it
  let sound = null;
  let wish = null; // what was asked of the browser: there already, or on its way
  let line = null;
  let handedOver = false;
  const remember = () => {
    localStorage.setItem(KEPT, JSON.stringify({ ...choice, person: choice.person.id }));
  };
  const close = () => {
    wish = null;
    line?.drop();
    line = null;
    if (!handedOver) sound?.close();
    sound = null;
  };
  // A microphone as it is chosen now; null where it comes too late: the place was left, or another one was asked for.
  const opened = async () => {
    close();
    const mine = { deviceId: choice.deviceId, speakers: choice.speakers };
    wish = mine;
    try {
      const found = await Sound.open(mine);
      if (wish === mine) sound = found;
      else found.close();
    } catch (failure) {
      if (wish === mine) {
        wish = null;
        throw failure;
      }
    }
    return wish === mine ? sound : null;
  };

  // --- who ---------------------------------------------------------------------------------------
  const people = h("fieldset", { class: "people" }, h("legend", { class: "vh" }, T.heading),
    offered.people.map((one) =>
      h("label", { class: "person" },
        h("input", { type: "radio", name: "person", value: one.id, checked: one === choice.person, onchange: () => { choice.person = one; remember(); side(); } }),
        face(one.person, one.sex),
        h("span", { class: "words" }, h("strong", {}, one.name), h("span", { class: "about" }, one.title || one.about)))));

  // --- the steps before the call -------------------------------------------------------------------
  const step = (title, hint, body, done) => {
    const sign = h("span", { class: "sign" }, done ? T.done : T.optional);
    const node = h("details", { name: "before", class: done ? "step done" : "step" },
      h("summary", {}, h("span", { class: "words" }, h("strong", {}, title), h("span", { class: "hint" }, hint)), sign), h("div", { class: "body" }, body));
    const mark = (on) => { node.classList.toggle("done", on); sign.textContent = on ? T.done : T.optional; };
    return { node, mark, finish: () => { mark(true); node.open = false; node.querySelector("summary").focus(); page.say(`${title}: ${T.done}`); } };
  };

  const worksheet = () => {
    const { brief } = choice.person;
    const goal = h("textarea", { rows: 2, maxLength: offered.max_chars, id: "goal" });
    goal.value = brief.goal;
    const own = { can: [], cannot: [], problems: [], win_wins: [] };
    const adding = []; // what is typed is added, whether that was pressed or not
    let read = false;
    const part = (key, heading) => {
      const list = h("ul", {}, brief[key].map((phrase) => h("li", {}, phrase)));
      const box = h("input", { type: "text", maxLength: offered.max_chars, placeholder: T.addHint, "aria-label": T.addTo(heading) });
      const add = () => {
        const text = box.value.trim();
        if (!text) return;
        own[key].push(text);
        list.append(h("li", { class: "own" }, text));
        box.value = "";
      };
      adding.push(add);
      box.onkeydown = (event) => { if (event.key === "Enter" && !event.isComposing) { event.preventDefault(); add(); } };
      return h("div", { class: "part" }, h("h3", {}, heading), list, h("div", { class: "row add" }, box, button(T.add, add, "", { "aria-label": T.addTo(heading) })));
    };
    const made = step(T.worksheet, T.worksheetHint, [
      h("label", { for: "goal" }, h("h3", {}, T.goal)), goal,
      part("can", T.can), part("cannot", T.cannot), part("problems", T.problems), part("win_wins", T.winWins),
      h("p", { class: "row" }, button(T.keepSheet, () => { read = true; made.finish(); }, "first")),
    ], false);
    sheet = () => {
      for (const add of adding) add();
      const wanted = goal.value.trim();
      const filled = { goal: wanted === brief.goal.trim() ? "" : wanted, ...own };
      return read || Object.values(filled).some((part) => part.length) ? filled : null;
    };
    return made.node;
  };

  const breath = () => {
    const ring = h("div", { class: "ring" });
    const told = h("p", { class: "breath-told", "aria-live": "polite" }, "");
    const start = button(T.breathe, async () => {
      start.disabled = true;
      const [inS, outS] = offered.breath;
      const phase = (name, text, seconds) => new Promise((next) => {
        ring.className = `ring ${name}`;
        ring.style.transitionDuration = `${seconds}s`;
        told.textContent = text;
        setTimeout(next, seconds * 1000);
      });
      await phase("in", T.breatheIn, inS);
      await phase("out", T.breatheOut, outS);
      told.textContent = T.breathed;
      start.disabled = false;
      prepared.focus = true;
      made.finish();
    }, "first");
    const made = step(T.breath, T.breathHint, [h("p", {}, T.breathText), h("div", { class: "breath" }, ring, told), h("p", { class: "row" }, start)], prepared.focus);
    return made.node;
  };

  const recovery = () => {
    if (!offered.hard) return null;
    const made = step(T.recovery, T.recoveryHint(offered.hard), [h("p", {}, T.recoveryText), h("p", { class: "row" }, button(T.recovered, () => { prepared.recovery = true; made.finish(); }, "first"))], prepared.recovery);
    return made.node;
  };

  const processing = (settings) => {
    const say = (name, value) => (typeof value === "boolean" ? T.processing[name](value) : null);
    const list = [say("echo", settings.echoCancellation), say("noise", settings.noiseSuppression), say("gain", settings.autoGainControl)].filter(Boolean);
    return T.applied(list.length ? list.join(", ") : T.processing.unknown);
  };

  const microphone = () => {
    const bar = meter(T.yourLevel);
    const told = h("p", { class: "told", role: "status" }, "");
    const what = h("p", { class: "hint" }, "");
    const known = h("p", { class: "hint" }, "");
    const reading = h("div", { class: "reading", hidden: true });
    const after = h("div", { class: "after", hidden: true });
    const which = h("select", { "aria-label": T.which, onchange: () => { choice.deviceId = which.value; remember(); check(); } });
    const sorry = (failure) => put(reading, page.sorry(failure)) && (reading.hidden = false);
    const without = (failure) => { // there is no microphone
      after.hidden = true;
      told.textContent = "";
      sorry(failure);
    };

    const check = async () => {
      reading.hidden = true;
      read.disabled = true; // a reading that was going on is over, and there is nothing to read into yet
      let mine;
      try {
        mine = await opened();
      } catch (failure) {
        without(failure);
      } finally {
        start.textContent = T.checkAgain;
      }
      if (!mine) return;
      let loudest = FLOOR_DBFS;
      const since = performance.now();
      sound.heard = (level) => {
        bar.show(level);
        loudest = Math.max(loudest, level);
        if (loudest > QUIET_DBFS) told.textContent = T.fine;
        else if (performance.now() - since > 4000) told.textContent = T.quiet;
      };
      sound.lost = () => {
        close(); // so that nothing goes on with a dead one
        without({ what: S.mic.lost, todo: S.mic.noneDo });
      };
      told.textContent = T.say;
      what.textContent = processing(sound.describe().settings) + (choice.speakers && sound.describe().settings.echoCancellation !== true ? ` ${T.noCancel}` : "");
      after.hidden = false;
      read.disabled = false;
      const devices = await Sound.microphones();
      if (sound !== mine) return; // given up meanwhile
      const { deviceId } = sound.track.getSettings(); // two of a kind have one name
      const used = (one) => (deviceId ? one.deviceId === deviceId : one.label === sound.track.label);
      put(which, devices.map((one) => h("option", { value: one.deviceId, selected: used(one) }, one.label || S.mic.unnamed)));
      await ready().catch(sorry);
    };

    const ready = async () => {
      const { trainee } = choice;
      const answer = sound && (await post("/api/voice", S.sorry, { ...sound.describe(), trainee }).then((one) => one.json()));
      if (trainee !== choice.trainee) return; // the name has changed meanwhile
      made.mark(Boolean(answer?.calibrated));
      if (!answer) return;
      known.textContent = answer.calibrated ? T.calibrated : T.notCalibrated;
      read.textContent = answer.calibrated ? T.calibrateAgain : T.calibrate;
      read.className = answer.calibrated ? "" : "first";
      volume.set(answer.volume_db);
    };

    const refusals = {
      full: ({ limit }) => ({ what: S.call.full(limit), todo: S.call.fullDo }),
      elsewhere: () => ({ what: S.call.elsewhere, todo: T.busyDo }),
      reading: () => ({ what: T.busy, todo: T.busyDo }),
      gone: () => ({ what: T.cutOff, todo: T.cutOffDo }),
    };
    const calibrate = () => {
      const { trainee } = choice; // the name may change while it is read
      read.disabled = true;
      const state = h("p", { role: "status" }, S.working);
      const enough = button(T.haveRead, () => { enough.disabled = true; line.say({ t: "done", notes: [] }); }, "first", { disabled: true });
      put(reading, h("p", {}, T.readThis), h("blockquote", {}, offered.reading.map((sentence) => h("p", {}, sentence))), state, h("p", { class: "row" }, enough));
      reading.hidden = false;
      const end = () => { read.disabled = false; line = null; };
      line = new Line(sound, { t: "calibrate", trainee }, {
        gone: () => { end(); silence(S.sorry).then(sorry); },
        told: (message) => {
          if (message.t === "listening") { state.textContent = T.listening; enough.disabled = false; }
          if (message.t === "measuring") { state.textContent = T.measuring; enough.disabled = true; }
          if (message.t === "calibrated") { put(reading, h("p", { role: "status" }, T.calmVoice(message.f0_hz, message.wpm))); ready().then(() => trainee === choice.trainee && made.finish(), sorry); }
          if (message.t === "failed") sorry({ what: message.what, todo: message.do });
          if (message.t === "refused") sorry(refusals[message.why] ? refusals[message.why](message) : { what: S.sorry.odd, todo: S.sorry.retry });
          if (message.t === "bye" || message.t === "refused") end();
        },
      });
    };

    const volume = (() => {
      const [lowest, highest, by] = offered.volume;
      const number = h("output", {}, T.volumeNow(0));
      const player = new Audio();
      let db = 0;
      const set = (value) => { db = Math.min(highest, Math.max(lowest, value)); number.textContent = T.volumeNow(db); };
      const wrong = alert();
      const change = ({ currentTarget }, value) => attempt(currentTarget, wrong, async () => {
        await post("/api/volume", S.sorry, { ...(sound ? sound.describe() : { rate: 48000 }), db: value });
        set(value);
      });
      const hear = ({ currentTarget }) => attempt(currentTarget, wrong, async () => {
        const sample = await ask(`/api/volume.wav?db=${db}`, S.sorry).then((one) => one.blob());
        if (!currentTarget.isConnected) return; // the place was left
        URL.revokeObjectURL(player.src);
        player.src = URL.createObjectURL(sample);
        player.play().catch(() => {});
      });
      return { set, hush: () => player.pause(), node: h("div", { class: "part" }, h("h3", {}, T.volume), h("div", { class: "row" }, button(T.quieter, (event) => change(event, db - by)), number, button(T.louder, (event) => change(event, db + by)), button(T.hear, hear)), wrong) };
    })();

    const patience = options("patience", T.patience, Object.entries(T.patiences), choice.patience, (value) => { choice.patience = value; remember(); });
    patience.hidden = choice.mode !== "hands-free";
    const start = button(T.check, check, "first");
    const read = button(T.calibrate, calibrate, "first");
    const again = () => wish && check();
    put(after, h("label", { class: "part" }, h("h3", {}, T.which), which), h("div", { class: "part" }, h("h3", {}, T.yourLevel), bar.node, told, what), h("div", { class: "part" }, known, h("p", { class: "row" }, read)), volume.node);
    const made = step(T.mic, T.micHint, [
      options("sound", T.sound, [["headset", T.headset], ["speakers", T.speakers]], choice.speakers ? "speakers" : "headset", (value) => { choice.speakers = value === "speakers"; remember(); again(); }, T.soundHints),
      options("mode", T.talk, MODES, choice.mode, (value) => { choice.mode = value; patience.hidden = value !== "hands-free"; remember(); }, T.modeHints),
      patience,
      h("label", { class: "check" }, h("input", { type: "checkbox", checked: choice.cues, onchange: (event) => { choice.cues = event.target.checked; remember(); } }), T.cues),
      h("p", { class: "row" }, start), after, reading,
    ], false);
    return { node: made.node, ready, hush: volume.hush };
  };

  // --- the side: this call ---------------------------------------------------------------------------
  const panel = h("aside", { class: "panel" });
  const trouble = h("div", {});
  const mic = microphone();
  const breathing = breath();
  let pausing = recovery();

  const answer = async () => {
    trouble.replaceChildren();
    go.disabled = true;
    try {
      line?.drop();
      line = null;
      if (!sound && !(await opened())) return;
    } catch (failure) {
      put(trouble, page.sorry(failure, [button(S.mic.retry, answer, "first")]));
      return;
    } finally {
      go.disabled = false;
    }
    handedOver = true;
    page.go("call", {
      sound,
      person: choice.person,
      wanted: { persona: choice.person.id, level: choice.level, procedure: choice.procedure, mode: choice.mode, patience: choice.patience, trainee: choice.trainee, cues: choice.cues, speakers: choice.speakers, worksheet: sheet(), ...prepared },
    });
  };
  const go = button("", answer, "first answer");

  // Another trainee: with a calm voice, and a hard call before this one, of their own.
  const called = async (trainee) => {
    if (trainee === choice.trainee) return;
    choice.trainee = trainee;
    remember();
    try {
      const [{ hard }] = await Promise.all([offering(trainee), mic.ready()]);
      if (trainee !== choice.trainee) return;
      const old = pausing;
      Object.assign(offered, { hard });
      prepared.recovery = false;
      pausing = recovery();
      old?.remove();
      if (pausing) panel.querySelector(".steps").prepend(pausing);
    } catch (failure) {
      put(trouble, page.sorry(failure));
    }
  };

  const side = () => {
    go.textContent = T.answer(choice.person.name);
    const name = h("input", { type: "text", maxLength: 60, autocomplete: "name", id: "trainee", onchange: () => called(name.value.trim() || "trainee") });
    name.value = choice.trainee;
    put(panel,
      h("div", { class: "caller" }, face(choice.person.person, choice.person.sex), h("div", {}, h("h2", {}, choice.person.full_name), choice.person.title && h("p", { class: "title" }, choice.person.title))),
      h("p", { class: "story" }, choice.person.about),
      options("level", T.level, offered.levels.map((one) => [one, T.levels[one]]), choice.level, (value) => { choice.level = value; remember(); }),
      h("div", { class: "two" },
        h("label", {}, h("span", { class: "label" }, T.procedure),
          h("select", { onchange: (event) => { choice.procedure = event.target.value; remember(); } }, offered.procedures.map((one) => h("option", { value: one.id, selected: one.id === choice.procedure }, one.name)))),
        h("label", { for: "trainee" }, h("span", { class: "label" }, T.you), name)),
      h("h3", { class: "label" }, T.before),
      h("div", { class: "steps" }, pausing, worksheet(), mic.node, breathing),
      h("div", { class: "foot" }, trouble, go), h("p", { class: "hint" }, T.private));
  };
  side();
  put(main, h("div", { class: "choose" }, h("div", {}, h("h1", {}, T.heading), h("p", { class: "lead" }, T.lead), people), panel));
  return () => {
    mic.hush();
    close();
  };
};
