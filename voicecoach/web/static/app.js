// The frame of the page: which place is shown, and the way between them.
import { Failure, button, h, prose, put } from "./dom.js";
import { S } from "./strings.js";
import { choose } from "./choose.js";

const PLACES = ["choose", "debrief", "progress", "desk"];
const MODULES = {
  call: () => import("./call.js").then((one) => one.call),
  debrief: () => import("./debrief.js").then((one) => one.debrief),
  progress: () => import("./progress.js").then((one) => one.progress),
  desk: () => import("./desk.js").then((one) => one.desk),
};

const CALL = "voicecoach.call"; // see call.js
const GONE = "voicecoach.gone";

const main = h("main", { id: "main", tabindex: "-1" });
const nav = h("nav", { "aria-label": S.placesLabel });
const live = h("p", { class: "vh", role: "status", "aria-live": "polite" });
let left = null; // what the shown place does when it is left, and whether it may be: {may, leave}
let shown = "";
let handed = null; // what one place hands to the next

const page = {
  say: (text) => {
    live.textContent = text;
  },
  // instead: the place that is left is none to go back to.
  go: (place, more = null, instead = false) => {
    handed = more;
    left?.leave();
    left = null;
    const to = `#${place}`;
    if (location.hash === to) show();
    else if (instead) location.replace(to);
    else location.hash = to;
  },
  sorry: (failure, ways = []) =>
    h("div", { class: "sorry", role: "alert" }, h("p", {}, h("strong", {}, prose(failure.what))), failure.todo && h("p", {}, prose(failure.todo)), ways.length > 0 && h("p", { class: "row" }, ways)),
};

// Which place the address asks for, and what of it.
const addressed = () => {
  const [place, ...rest] = (location.hash.slice(1) || "choose").split("/");
  return [place === "call" || PLACES.includes(place) ? place : "choose", rest];
};
const point = (here) => put(nav, ...PLACES.map((one) => h("a", { href: `#${one}`, "aria-current": one === here ? "page" : undefined }, S.places[one])));

let shows = 0;
const show = async () => {
  const number = ++shows; // a place that is slow to come must not overwrite the one that was asked for after it
  const [known, rest] = addressed();
  const more = handed;
  handed = null;
  left?.leave();
  left = null;
  shown = location.hash;
  document.body.dataset.place = known;
  document.title = `${S.places[known] || S.title} \u00b7 ${S.title}`;
  point(known);
  const room = h("div", { class: "room" });
  put(main, room);
  try {
    const make = known === "choose" ? choose : await MODULES[known]().catch(() => { throw new Failure(S.sorry.away, S.sorry.restart); });
    const made = await make(room, page, rest, more);
    const here = typeof made === "function" ? { leave: made } : made;
    if (number === shows) left = here;
    else here?.leave();
  } catch (failure) {
    put(room, page.sorry({ what: failure.what || S.sorry.odd, todo: failure.todo || String(failure.message || "") }, [button(S.sorry.retry, show, "first")]));
  }
  if (number === shows && (document.activeElement === document.body || !document.body.contains(document.activeElement))) main.focus({ preventScroll: true });
};

point(addressed()[0]); // at once, so that nothing moves when the place comes
document.body.prepend(
  h("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); main.focus(); } }, S.skip),
  h("header", { class: "top" }, h("a", { class: "brand", href: "#choose" }, S.title), nav),
  main,
  live,
);
// The back button and the links: a place may want to be asked first. It stays where it was until it is answered.
let asked = null; // the place that is being asked; what it says does not matter any more once it was left
addEventListener("hashchange", async () => {
  if (location.hash === shown || (asked && asked === left)) return;
  if (left?.may) {
    asked = left;
    const gone = await left.may();
    asked = null;
    if (!gone) {
      history.pushState(null, "", shown);
      return;
    }
  }
  show();
});

// What this tab knows of a call, and whether its page has gone: a tab that is a copy of another has the one and not the other.
const [cut, gone] = [CALL, GONE].map((key) => sessionStorage.getItem(key));
const back = () => sessionStorage.removeItem(GONE);
back();
addEventListener("pageshow", ({ persisted }) => persisted && back());
addEventListener("pagehide", () => sessionStorage.setItem(GONE, "yes"));

// A call that this tab was in, or that no tab is in any more, goes on; one that is over says so.
const state = await fetch("/api/state").then((answer) => answer.json()).catch(() => ({})); // what is wrong is told by the place
if (state.call && (state.away || (gone && state.call === cut))) page.go("call", { resume: state.call });
else if (cut && !state.call) page.go("call", { resume: cut });
else {
  if (cut) sessionStorage.removeItem(CALL); // another tab's
  if (!shows) show(); // unless the address has changed meanwhile
}
