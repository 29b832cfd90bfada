// Progress: the next drill, what a trainer has set, and the history as `voicecoach history` tells it.
import { habits } from "./choose.js";
import { again } from "./debrief.js";
import { ask, button, h, put } from "./dom.js";
import { S } from "./strings.js";

const T = S.progress;

export const progress = async (main, page) => {
  const whose = encodeURIComponent(habits().wanted.trainee);
  const [{ drills, tasks }, { people }] = await Promise.all(["/api/next?trainee=" + whose, "/api/choices"].map((path) => ask(path, S.sorry).then((answer) => answer.json())));
  const begin = (drill, kind) => button(T.begin, () => again(page, {}, { drill: drill.id }), kind, { "aria-label": T.beginDrill(drill.name) });
  const [first, ...others] = drills;
  const task = (one) => {
    const who = people.find((person) => person.id === one.persona);
    const take = () => again(page, { person: who.person, customer: who.name, sex: who.sex }, { persona: one.persona, level: one.level, procedure: one.procedure, assignment: one.session });
    return h("li", {}, h("div", { class: "row spread" }, h("strong", {}, one.title), who && one.offered ? button(T.take, take, one.taken ? "" : "first") : h("span", { class: "hint" }, T.elsewhere)), one.taken > 0 && h("p", { class: "hint" }, T.taken(one.taken)), h("ul", { class: "plain" }, one.lines.map((line) => h("li", {}, line))));
  };
  put(main, h("div", { class: "column wide" }, h("h1", {}, T.heading), h("p", { class: "lead" }, T.lead),
    h("div", { class: "pair" },
      h("section", { class: "card" }, h("h2", {}, T.next), h("h3", {}, first.name), h("p", {}, first.about), h("p", { class: "hint" }, first.rule), h("p", { class: "hint" }, first.when), h("p", { class: "row" }, begin(first, "first"))),
      tasks.length > 0 && h("section", { class: "card" }, h("h2", {}, T.tasks), h("ol", { class: "turns" }, tasks.map(task)))),
    h("details", { class: "drawer drills" }, h("summary", {}, T.drills), h("ol", { class: "turns" }, others.map((drill) => h("li", {}, h("div", { class: "row" }, h("span", { class: "words" }, h("strong", {}, drill.name), h("span", {}, drill.about), h("span", { class: "hint" }, drill.when)), begin(drill)))))),
    h("section", {}, h("div", { class: "row spread" }, h("h2", {}, T.history), h("a", { href: `/progress?trainee=${whose}`, target: "_blank", rel: "noopener" }, T.open)),
      h("iframe", { class: "whole", title: T.history, src: `/progress?trainee=${whose}`, sandbox: "", loading: "lazy" }))));
};
