// The debriefs: the list of calls, and one call with what to keep, what to work on, and each moment to hear again.
import { habits } from "./choose.js";
import { ask, attempt, button, clock, h, post, put, trouble } from "./dom.js";
import { face, trio } from "./faces.js";
import { S } from "./strings.js";

const T = S.debrief;
const LEAD_S = 0.15; // word times are good to about 0.2 s

// One recording and the buttons that play parts of it. They are there before it is; `notice` says if it never comes.
export const player = (address) => {
  const audio = new Audio();
  const here = ask(address, S.sorry).then((answer) => answer.blob()).catch(() => null).then((blob) => {
    if (blob?.size) audio.src = URL.createObjectURL(blob);
    return Boolean(blob?.size);
  });
  const silent = h("p", { class: "hint", role: "status", hidden: true }, T.noSound);
  here.then((there) => { silent.hidden = there; });
  let pressed = null;
  let until = Infinity;
  const release = () => {
    pressed?.setAttribute("aria-pressed", "false");
    pressed = null;
  };
  audio.addEventListener("timeupdate", () => audio.currentTime >= until && audio.pause());
  audio.addEventListener("pause", () => audio.paused && release()); // it comes late: another part may play by then
  return {
    notice: silent,
    button: (start, end, what) => {
      if (start === null || start === undefined) return null;
      const node = button("", async () => {
        const again = pressed === node;
        audio.pause();
        release();
        if (again) return;
        pressed = node;
        node.setAttribute("aria-pressed", "true");
        if (!(await here) || pressed !== node) return; // another was pressed meanwhile
        until = end + LEAD_S;
        audio.currentTime = Math.max(0, start - LEAD_S);
        audio.play().catch(() => pressed === node && release());
      }, "play", { "aria-pressed": "false", "aria-label": T.playMoment(clock(start), what) });
      node.append(h("span", { class: "triangle", "aria-hidden": "true" }), clock(start));
      here.then((there) => {
        if (there) return;
        release();
        node.disabled = true;
        node.setAttribute("aria-label", T.noSound);
        node.title = T.noSound;
      });
      return node;
    },
    close: async () => {
      release();
      if (!(await here)) return;
      const { src } = audio;
      audio.pause();
      audio.removeAttribute("src");
      audio.load();
      URL.revokeObjectURL(src);
    },
  };
};

export const when = (wall) => {
  const at = new Date(wall);
  return Number.isNaN(at.getTime()) ? wall : at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
};

// A call that goes on from a recorded turn, or a drill, or what a trainer set; `who` is whose face is shown.
export const again = (page, who, more) => {
  const { wanted } = habits();
  page.go("call", { person: { person: who.person || "", name: who.customer || "", sex: who.sex || "" }, wanted: { ...wanted, ...more } });
};

const list = async (main, page, all) => {
  const { rows, older } = await ask(`/api/sessions${all ? "?all" : ""}`, S.sorry).then((answer) => answer.json());
  const items = rows.map((row) =>
    h("li", {}, h("a", { class: "session", href: `#debrief/${row.key}` }, face(row.person, ""), h("span", { class: "words" }, h("strong", {}, row.customer || row.key), h("span", { class: "hint" }, when(row.wall)), h("span", { class: "hint" }, T.row(row.minutes, row.turns, (S.choose.levels[row.level] || "").toLowerCase()))), h("span", { class: "signs" }, row.answered && h("span", { class: "sign mark" }, T.answered), T.kinds[row.kind] && h("span", { class: "sign" }, T.kinds[row.kind]), h("span", { class: "sign" }, T.outcomes[row.outcome] || row.outcome)))));
  const wrong = trouble();
  const collect = button(T.collect, () => attempt(collect, wrong, async () => {
    const { lines } = await post("/api/collect", S.sorry, {}).then((answer) => answer.json());
    if (!collect.isConnected) return; // the place was left
    page.say(T.collected(lines));
    collect.textContent = T.collected(lines);
    if (lines) page.go("debrief");
  }));
  put(main, h("div", { class: "column" }, h("h1", {}, T.heading), h("p", { class: "lead" }, T.lead),
    items.length ? h("ol", { class: "sessions" }, items) : h("div", { class: "card empty" }, trio(), h("p", {}, h("strong", {}, T.none)), h("p", { class: "hint" }, T.noneHint), h("a", { class: "pressable first", href: "#choose" }, T.first)),
    older > 0 && h("p", { class: "row" }, button(T.older(older), () => page.go("debrief", { all: true }))),
    items.length > 0 && h("p", { class: "row" }, collect), wrong));
};

const one = async (main, page, key) => {
  put(main, h("p", { class: "waiting", role: "status" }, S.loading));
  const json = (path) => ask(path, S.sorry).then((answer) => answer.json());
  const sound = player(`/api/sessions/${key}/sound`);
  const [told, moments] = await Promise.all([json(`/api/sessions/${key}`), json(`/api/sessions/${key}/takes`)]);
  const retry = (number) => told.person && told.kind !== "drill" && button(T.retry, () => again(page, told, { retry: { session: key, turn: number } }), "small", { "aria-label": T.retryTurn(number) });
  const play = sound.button;
  const point = (item, kind) =>
    h("li", {}, h("div", { class: "row" }, h("h3", {}, item.title), h("span", { class: "row" }, kind === "work" && item.turn !== null && retry(item.turn), play(item.start, item.end, item.title))), item.quote && h("blockquote", {}, item.quote), item.evidence && h("p", { class: "hint" }, item.evidence), item.advice && h("p", { class: "advice" }, item.advice));
  const points = (heading, items, none, kind) => h("section", { class: "card" }, h("h2", {}, heading), items.length ? h("ol", { class: "points" }, items.map((item) => point(item, kind))) : h("p", { class: "hint" }, none));
  const turns = h("ol", { class: "turns" }, told.turns.map((turn) => h("li", {}, h("div", { class: "row" }, h("strong", {}, T.turn(turn.number)), h("span", { class: "row" }, retry(turn.number), play(turn.start, turn.end, T.turn(turn.number)))), h("p", {}, turn.text))));
  const others = new Map(); // recordings of other sessions, fetched when one of them is to be heard
  const listen = (take) => {
    if (take.key === key) return play(take.start, take.end, T.take(take.number));
    const node = button(T.play, () => {
      if (!others.has(take.key)) others.set(take.key, player(`/api/sessions/${take.key}/sound`));
      const real = others.get(take.key).button(take.start, take.end, T.take(take.number));
      node.replaceWith(real);
      real.focus();
      real.click();
    }, "play", { "aria-label": T.playMoment(clock(take.start), T.take(take.number)) });
    return node;
  };
  const take = (one) => h("li", { class: "take" }, h("div", { class: "row" }, h("strong", {}, T.take(one.number)), listen(one)), h("p", {}, one.text),
    one.marks.length > 0 && h("ul", { class: "signs" }, one.marks.map((mark) => h("li", { class: mark.kind === "fault" ? "sign fault" : "sign mark" }, mark.code))),
    one.before !== null && one.after !== null && h("p", { class: "hint" }, T.anger(one.before.toFixed(1), one.after.toFixed(1))), one.answer && h("p", { class: "hint" }, `${T.customerSaid}: ${one.answer}`));
  const takes = moments.length > 0 && h("section", { class: "card" }, h("h2", {}, T.takes), moments.map((moment) => [h("h3", {}, T.takesOf(moment.turn)), h("ol", { class: "takes" }, moment.takes.map(take)), moment.missing.map((line) => h("p", { class: "hint" }, line))]));
  const wrong = trouble();
  const submit = button(T.submit, () => attempt(submit, wrong, submitting), "submit");
  const submitting = async () => {
    const list = h("ul", { class: "plain" });
    const sounds = h("input", { type: "checkbox", checked: true });
    const show = async () => put(list, (await json(`/api/sessions/${key}/submit?sound=${sounds.checked ? "yes" : "no"}`)).lines.map((line) => h("li", {}, line)));
    const outcome = h("p", { role: "status" });
    const refused = trouble();
    sounds.onchange = () => attempt(sounds, refused, show);
    const send = button(T.submitNow, async () => {
      const sent = await attempt(send, refused, async () => {
        const { name, noted } = await post(`/api/sessions/${key}/submit?sound=${sounds.checked ? "yes" : "no"}`, S.sorry, {}).then((answer) => answer.json());
        outcome.textContent = noted ? T.submitted(name) : `${T.submitted(name)} ${T.unnoted}`;
      });
      send.disabled = sent; // once
    }, "first");
    const box = h("dialog", { "aria-labelledby": "submit-h" }, h("h2", { id: "submit-h" }, T.submitHow), list, h("label", { class: "check" }, sounds, T.withSound), outcome, refused, h("p", { class: "row" }, send, button(T.keepIt, () => box.close())));
    box.onclose = () => {
      box.remove();
      submit.focus();
    };
    await show();
    if (!submit.isConnected) return; // the place was left
    main.append(box); // it goes with the place
    box.showModal();
  };
  const copies = h("div", {});
  const these = h("input", { type: "checkbox" });
  const kept = trouble();
  const removing = button(T.remove, () => attempt(removing, wrong, async () => {
    const made = (await json(`/api/sessions/${key}/copies`)).copies;
    these.checked = false;
    put(kept);
    put(copies, made.length > 0 && [h("p", {}, T.copies), h("ul", { class: "plain" }, made.map((line) => h("li", {}, line))), h("label", { class: "check" }, these, T.copiesToo)]);
    sure.showModal();
  }), "quiet");
  const remove = button(T.remove, () => attempt(remove, kept, async () => {
    const { left } = await ask(`/api/sessions/${key}${these.checked ? "?copies=yes" : ""}`, S.sorry, { method: "DELETE" }).then((answer) => answer.json());
    if (!remove.isConnected) return;
    page.say(T.removed);
    if (!left.length) return page.go("debrief");
    put(copies, h("p", { role: "alert" }, T.copiesLeft(left.length)), h("ul", { class: "plain" }, left.map((path) => h("li", {}, path))));
    remove.hidden = true;
    stay.textContent = T.back;
    sure.onclose = () => page.go("debrief");
  }), "end");
  const stay = button(T.keepIt, () => sure.close(), "first");
  const sure = h("dialog", { "aria-labelledby": "sure-h" }, h("h2", { id: "sure-h" }, T.removeSure), copies, kept, h("p", { class: "row" }, stay, remove));
  sure.onclose = () => removing.focus();
  put(main, h("div", { class: "column wide" },
    h("p", {}, h("a", { href: "#debrief" }, T.back)),
    h("h1", {}, told.title), h("p", { class: "hint" }, told.subtitle), h("p", { class: "lead" }, told.ending),
    told.problems.length > 0 && h("ul", { class: "problems" }, told.problems.map((problem) => h("li", {}, problem))),
    sound.notice,
    h("div", { class: "pair" }, points(T.well, told.well, T.nothingWell, "well"), points(T.work, told.work, T.nothingWork, "work")),
    told.trainer.length > 0 && h("section", { class: "card trainer" }, h("h2", {}, T.trainer), told.trainer.map((part) => [h("h3", {}, part.heading), h("ul", { class: "plain" }, part.lines.map((line) => h("li", {}, line)))])),
    takes,
    told.turns.length > 0 && h("section", { class: "card" }, h("h2", {}, T.turns), turns),
    h("section", {}, h("div", { class: "row spread" }, h("h2", {}, T.whole), h("a", { href: `/sessions/${key}/debrief`, target: "_blank", rel: "noopener" }, T.open)),
      h("iframe", { class: "whole", title: T.wholeLabel, src: `/sessions/${key}/debrief`, sandbox: "allow-scripts", loading: "lazy" })),
    h("p", { class: "row spread" }, submit, removing), wrong, sure));
  return () => {
    sound.close();
    for (const other of others.values()) other.close();
  };
};

export const debrief = (main, page, [key], more) => (key ? one(main, page, key) : list(main, page, Boolean(more?.all)));
