// The debriefs: the list of calls, and one call with what to keep, what to work on, and each moment to hear again.
import { ask, button, clock, h, put } from "./dom.js";
import { face } from "./faces.js";
import { S } from "./strings.js";

const T = S.debrief;
const LEAD_S = 0.15; // word times are good to about 0.2 s

// One recording and the buttons that play parts of it.
export const player = async (address) => {
  const blob = await ask(address, S.sorry).then((answer) => answer.blob(), () => null);
  if (!blob) return null;
  const audio = new Audio(URL.createObjectURL(blob));
  let pressed = null;
  let until = Infinity;
  const release = () => {
    pressed?.setAttribute("aria-pressed", "false");
    pressed = null;
  };
  audio.addEventListener("timeupdate", () => audio.currentTime >= until && audio.pause());
  audio.addEventListener("pause", release);
  return {
    button: (start, end, what) => {
      if (start === null || start === undefined) return null;
      const node = button("", () => {
        const again = pressed === node;
        audio.pause();
        release();
        if (again) return;
        pressed = node;
        node.setAttribute("aria-pressed", "true");
        until = end + LEAD_S;
        audio.currentTime = Math.max(0, start - LEAD_S);
        audio.play().catch(release);
      }, "play", { "aria-pressed": "false", "aria-label": T.playMoment(clock(start), what) });
      node.append(h("span", { class: "triangle", "aria-hidden": "true" }), clock(start));
      return node;
    },
    close: () => {
      audio.pause();
      URL.revokeObjectURL(audio.src);
    },
  };
};

export const when = (wall) => {
  const at = new Date(wall);
  return Number.isNaN(at.getTime()) ? wall : at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
};

const list = async (main) => {
  const rows = await ask("/api/sessions", S.sorry).then((answer) => answer.json());
  const items = rows.map((row) =>
    h("li", {}, h("a", { class: "session", href: `#debrief/${row.key}` }, face(row.person, ""), h("span", { class: "words" }, h("strong", {}, row.customer || row.key), h("span", { class: "hint" }, when(row.wall)), h("span", { class: "hint" }, T.row(row.minutes, row.turns))), h("span", { class: "sign" }, T.outcomes[row.outcome] || row.outcome))));
  put(main, h("div", { class: "column" }, h("h1", {}, T.heading), h("p", { class: "lead" }, T.lead),
    items.length ? h("ol", { class: "sessions" }, items) : h("p", { class: "empty" }, T.none, " ", h("a", { href: "#choose" }, T.first))));
};

const one = async (main, page, key) => {
  put(main, h("p", { class: "waiting", role: "status" }, S.loading));
  const [told, sound] = await Promise.all([ask(`/api/sessions/${key}`, S.sorry).then((answer) => answer.json()), player(`/api/sessions/${key}/sound`)]);
  const play = (start, end, what) => sound?.button(start, end, what);
  const point = (item) =>
    h("li", {}, h("div", { class: "row" }, h("h3", {}, item.title), play(item.start, item.end, item.title)), item.quote && h("blockquote", {}, item.quote), item.evidence && h("p", { class: "hint" }, item.evidence), item.advice && h("p", { class: "advice" }, item.advice));
  const points = (heading, items, none) => h("section", { class: "card" }, h("h2", {}, heading), items.length ? h("ol", { class: "points" }, items.map(point)) : h("p", { class: "hint" }, none));
  const turns = h("ol", { class: "turns" }, told.turns.map((turn) => h("li", {}, h("div", { class: "row" }, h("strong", {}, T.turn(turn.number)), play(turn.start, turn.end, T.turn(turn.number))), h("p", {}, turn.text))));
  const sure = h("dialog", { "aria-labelledby": "sure-h" }, h("h2", { id: "sure-h" }, T.removeSure), h("p", { class: "row" },
    button(T.keepIt, () => sure.close(), "first"),
    button(T.remove, async () => { await ask(`/api/sessions/${key}`, S.sorry, { method: "DELETE" }); sure.close(); page.say(T.removed); page.go("debrief"); }, "end")));
  put(main, h("div", { class: "column wide" },
    h("p", {}, h("a", { href: "#debrief" }, T.back)),
    h("h1", {}, told.title), h("p", { class: "hint" }, told.subtitle), h("p", { class: "lead" }, told.ending),
    told.problems.length > 0 && h("ul", { class: "problems" }, told.problems.map((problem) => h("li", {}, problem))),
    !sound && h("p", { class: "hint" }, T.noSound),
    h("div", { class: "pair" }, points(T.well, told.well, T.nothingWell), points(T.work, told.work, T.nothingWork)),
    h("section", { class: "card" }, h("h2", {}, T.turns), turns),
    h("section", {}, h("div", { class: "row spread" }, h("h2", {}, T.whole), h("a", { href: `/sessions/${key}/debrief`, target: "_blank", rel: "noopener" }, T.open)),
      h("iframe", { class: "whole", title: T.wholeLabel, src: `/sessions/${key}/debrief`, sandbox: "allow-scripts", loading: "lazy" })),
    h("p", { class: "row" }, button(T.remove, () => sure.showModal(), "quiet")), sure));
  return () => sound?.close();
};

export const debrief = (main, page, [key]) => (key ? one(main, page, key) : list(main));
