// The trainer's desk: what was submitted; and one of it, with comments, other marks, a verdict and the next assignment.
import { ask, attempt, button, h, post, put, trouble } from "./dom.js";
import { player, when } from "./debrief.js";
import { trio } from "./faces.js";
import { S } from "./strings.js";

const T = S.desk;
const KEPT = "voicecoach.trainer";
const SIGNS = { done: "sign mark", shown: "sign fault" };
const json = (path) => ask(path, S.sorry).then((answer) => answer.json());
const select = (label, groups, props = {}) =>
  h("label", {}, h("span", { class: "label" }, label), h("select", props, groups.map(([name, values]) => {
    const choices = values.map(([value, text]) => h("option", { value }, text));
    return name ? h("optgroup", { label: name }, choices) : choices;
  })));
const field = (label, node) => h("label", {}, h("span", { class: "label" }, label), node);

const list = async (main, page) => {
  const rows = await json("/api/desk");
  const file = h("input", { type: "file", accept: ".zip", class: "vh", id: "bundle" });
  const refused = trouble();
  file.onchange = async () => {
    const [bundle] = file.files;
    file.value = ""; // so that the same one can be chosen again
    if (!bundle) return;
    await attempt(file, refused, async () => {
      await ask("/api/desk/received", S.sorry, { method: "POST", body: bundle });
      page.say(T.received);
      if (file.isConnected) page.go("desk"); // else the place was left
    });
  };
  const lines = h("ul", { class: "plain", role: "status" });
  const wrong = trouble();
  const compare = button(T.compare, () => attempt(compare, wrong, async () => {
    const told = await json("/api/desk/agreement");
    put(lines, [...told.lines, ...told.problems].map((line) => h("li", {}, line)));
  }));
  const item = (row) => h("li", {}, h("a", { class: "session bare", href: `#desk/${row.key}` }, h("span", { class: "words" }, h("strong", {}, row.trainee ? T.row(row.trainee, row.customer, row.turns) : row.name), h("span", { class: "hint" }, when(row.wall)), row.problems.map((problem) => h("span", { class: "hint" }, problem))), h("span", { class: row.state === "new" ? "sign mark" : "sign" }, T.states[row.state] || row.state)));
  put(main, h("div", { class: "column" }, h("h1", {}, T.heading), h("p", { class: "lead" }, T.lead),
    rows.length ? h("ol", { class: "sessions" }, rows.map(item)) : h("div", { class: "card empty" }, trio(), h("p", {}, h("strong", {}, T.none)), h("p", { class: "hint" }, T.noneHint)),
    h("p", { class: "row" }, file, h("label", { for: "bundle", class: "pressable" }, T.receive)), refused,
    rows.length > 0 && h("section", { class: "card" }, h("h2", {}, T.agreement), h("p", { class: "row" }, compare), wrong, lines)));
};

const one = async (main, page, key) => {
  put(main, h("p", { class: "waiting", role: "status" }, S.loading));
  const sound = player(`/api/desk/${key}/sound`);
  const [told, offered] = await Promise.all([json(`/api/desk/${key}`), json("/api/choices")]);
  const you = h("input", { type: "text", maxLength: 80, id: "trainer", autocomplete: "name" });
  you.value = localStorage.getItem(KEPT) || "";
  you.onchange = () => localStorage.setItem(KEPT, you.value.trim());
  const outcome = trouble();
  const say = async (node, what) => {
    const kept = await attempt(node, outcome, async () => {
      await post(`/api/desk/${key}/say`, S.sorry, { ...what, trainer: you.value.trim() || undefined });
      page.say(T.kept);
      await shown().catch((failure) => put(outcome, failure.message)); // it is kept all the same
    });
    if (!kept) outcome.scrollIntoView({ block: "center" });
    return kept;
  };
  const said = h("div", { class: "said" });
  const shown = async () => {
    const { trainer } = await json(`/api/desk/${key}`);
    put(said, trainer.length ? trainer.map((part) => [h("h3", {}, part.heading), h("ul", { class: "plain" }, part.lines.map((line) => h("li", {}, line)))]) : h("p", { class: "hint" }, T.nothing));
  };
  const comment = (turn) => {
    const label = turn === null ? T.commentAll : T.commentOn(turn);
    const box = h("textarea", { rows: 1, maxLength: 2000, "aria-label": label, placeholder: T.comment });
    const send = button(T.send, async () => { if (await say(send, { kind: "comment", turn, text: box.value })) box.value = ""; });
    return h("div", { class: "row add" }, box, send);
  };
  const turn = (entry) => {
    const marks = told.marks.filter((mark) => mark.turn === entry.number);
    return h("li", {}, h("div", { class: "row" }, h("strong", {}, T.turn(entry.number)), sound.button(entry.start, entry.end, T.turn(entry.number))), h("p", {}, entry.text),
      marks.length > 0 && h("ul", { class: "signs", "aria-label": T.machine }, marks.map((mark) => h("li", { class: SIGNS[mark.outcome] || "sign" }, `${mark.name}: ${T.marks[mark.outcome] || mark.outcome}`))), comment(entry.number));
  };

  const what = select(T.what, [[T.aCode, told.codes.map((code) => [`code:${code.code}`, code.name])], [T.aStep, told.steps.map((step) => [`step:${step.id}`, step.name])]]);
  const where = select(T.where, [["", told.turns.map((entry) => [String(entry.number), String(entry.number)])]]);
  const verdict = select(T.verdictOf, [["", []]]);
  const reason = h("textarea", { rows: 2, maxLength: 2000 });
  const [whatBox, whereBox, verdictBox] = [what, where, verdict].map((label) => label.querySelector("select"));
  const fit = () => {
    const [kind, id] = whatBox.value.split(":");
    where.hidden = kind === "step";
    const allowed = kind === "step" ? told.step_verdicts : told.codes.find((code) => code.code === id).verdicts;
    put(verdictBox, allowed.map((value) => h("option", { value }, T.marks[value])));
  };
  whatBox.onchange = fit;
  fit();
  const mark = button(T.send, async () => {
    const [kind, id] = whatBox.value.split(":");
    const about = kind === "step" ? { step: id } : { code: id, turn: Number(whereBox.value) };
    if (await say(mark, { kind: "mark", verdict: verdictBox.value, reason: reason.value, ...about })) reason.value = "";
  });

  const words = h("textarea", { rows: 2, maxLength: 2000 });
  const verdicts = Object.entries(T.verdicts).map(([value, text]) => button(text, ({ currentTarget }) => say(currentTarget, { kind: "verdict", verdict: value, text: words.value })));

  const scenario = select(T.scenario, [["", offered.people.map((person) => [person.id, person.name])]]);
  const level = select(T.level, [["", offered.levels.map((value) => [value, S.choose.levels[value]])]]);
  const procedure = select(T.procedure, [["", offered.procedures.map((entry) => [entry.id, entry.name])]]);
  const due = h("input", { type: "date" });
  const pass = h("input", { type: "number", min: "0", max: "100" });
  const note = h("textarea", { rows: 2, maxLength: 2000 });
  const give = button(T.give, () => {
    const [who, hard, scored] = [scenario, level, procedure].map((label) => label.querySelector("select").value);
    // Attempts are counted by the id, so the same task set again is another one.
    const assignment = { id: `${`${who}-${hard}`.slice(0, 33)}-${crypto.randomUUID().slice(0, 6)}`, scenario: who, level: hard, procedure: scored, due: due.value, note: note.value, ...(pass.value === "" ? {} : { pass_mark: Number(pass.value) }) };
    return say(give, { kind: "next", assignment });
  });

  put(main, h("div", { class: "column wide" },
    h("p", {}, h("a", { href: "#desk" }, T.back)), h("h1", {}, told.title), h("p", { class: "hint" }, told.subtitle), h("p", { class: "lead" }, told.ending),
    told.problems.length > 0 && h("ul", { class: "problems" }, told.problems.map((problem) => h("li", {}, problem))),
    sound.notice,
    outcome,
    h("div", { class: "bench" },
      h("section", { class: "card" }, h("h2", {}, T.turns), h("ol", { class: "turns" }, told.turns.map(turn)), h("h3", {}, T.commentAll), comment(null)),
      h("div", { class: "side" },
        h("section", { class: "card form" }, field(T.you, you), h("h2", {}, T.said), said, h("a", { href: `/api/desk/${key}/answer`, download: "" }, T.answer)),
        h("section", { class: "card form" }, h("h2", {}, T.mark), what, where, verdict, field(T.reason, reason), h("p", { class: "row" }, mark)),
        h("section", { class: "card form" }, h("h2", {}, T.verdict), field(T.words, words), h("p", { class: "row" }, verdicts)),
        h("section", { class: "card form" }, h("h2", {}, T.next), scenario, level, procedure, field(T.due, due), field(T.passMark, pass), field(T.note, note), h("p", { class: "row" }, give)))),
    h("section", {}, h("h2", {}, T.whole), h("iframe", { class: "whole", title: T.whole, src: `/desk/${key}/debrief`, sandbox: "allow-scripts", loading: "lazy" }))));
  await shown();
  return () => sound.close();
};

export const desk = (main, page, [key]) => (key ? one(main, page, key) : list(main, page));
