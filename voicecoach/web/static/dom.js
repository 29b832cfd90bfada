// Making elements: text is always text, never markup.
import { S } from "./strings.js";

const SVG = "http://www.w3.org/2000/svg";

const fill = (node, props, children) => {
  for (const [name, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && typeof value !== "string" && !(node instanceof SVGElement)) node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) node.append(child);
  }
  return node;
};

export const h = (tag, props, ...children) => fill(document.createElement(tag), props, children);
export const s = (tag, props, ...children) => fill(document.createElementNS(SVG, tag), props, children);
export const put = (node, ...children) => {
  node.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
};
// A sentence of the server's: what stands between backticks is to be typed.
export const prose = (text) => String(text || "").split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));
export const button = (text, onclick, kind = "", props = {}) =>
  h("button", { type: "button", class: kind, onclick, ...props }, text);
export const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};

export class Failure extends Error {
  constructor(what, todo = "") {
    super([what, todo].filter(Boolean).join(" "));
    this.what = what;
    this.todo = todo;
  }
}

// Ask the server; what goes wrong is a Failure with a sentence.
export const ask = async (path, sorry, options = {}) => {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Failure(sorry.away, sorry.restart);
  }
  if (answer.status === 403) throw new Failure(sorry.stranger, sorry.strangerDo);
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    throw new Failure(told.what || sorry.odd, told.do || "");
  }
  return answer;
};
// Why the server does not talk to this page, as a Failure.
export const silence = (sorry) => ask("/api/state", sorry).then(() => new Failure(sorry.odd), (failure) => failure);
export const post = (path, sorry, body) =>
  ask(path, sorry, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

// Where it is told that something could not be done: beside what was pressed, and read out.
export const trouble = () => h("p", { class: "trouble", role: "alert" });
// Do what was asked for by `node`, which rests meanwhile; what goes wrong is a sentence in `place`. True where it was done.
export const attempt = async (node, place, act) => {
  const focused = document.activeElement === node;
  node.disabled = true;
  put(place);
  try {
    await act();
    return true;
  } catch (failure) {
    put(place, prose(failure instanceof Failure ? failure.message : S.sorry.odd));
    return false;
  } finally {
    node.disabled = false;
    if (focused && document.activeElement === document.body) node.focus(); // what rests loses it
  }
};
