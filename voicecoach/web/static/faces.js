// A face for each caller, drawn: who it is, never how angry. The anger is to be heard.
import { h, s } from "./dom.js";

const SKIN = { light: ["#f3cfb3", "#e4b493"], tan: ["#dfae85", "#c98f63"], brown: ["#a86f4a", "#8a5637"], dark: ["#7a4a30", "#5f3722"] };
const HAIR = { auburn: "#8c4a2f", black: "#2b2422", white: "#e4e1db", blond: "#d8b26a", brown: "#5b4030", grey: "#8d8880" };

const CAST = {
  dana: { skin: "light", hair: "auburn", cut: "bun", shirt: "#5d7f74", apron: true },
  amara: { skin: "dark", hair: "black", cut: "crown", shirt: "#4f79a6", neck: "v", studs: true },
  gordon: { skin: "light", hair: "white", cut: "bald", shirt: "#7b6b57", glasses: "round", tie: "#8f3f3a" },
  helen: { skin: "brown", hair: "black", cut: "bob", shirt: "#3f4756", glasses: "square", collar: true },
  kelly: { skin: "light", hair: "blond", cut: "ponytail", shirt: "#b5657a", hoops: true },
  marcus: { skin: "dark", hair: "black", cut: "fade", shirt: "#3d5a50", beard: "full" },
  ray: { skin: "tan", hair: "grey", cut: "cap", shirt: "#9a4f42", beard: "stubble", cap: "#44566b" },
  tom: { skin: "light", hair: "brown", cut: "messy", shirt: "#5b6472", beard: "short", strap: true },
};

const STRANGERS = [
  { skin: "tan", hair: "brown", cut: "bob", shirt: "#6d7f8f" },
  { skin: "brown", hair: "black", cut: "fade", shirt: "#7f735c" },
  { skin: "light", hair: "brown", cut: "ponytail", shirt: "#6f7f66" },
  { skin: "light", hair: "grey", cut: "messy", shirt: "#75687f" },
];

const look = (id, sex) => {
  if (CAST[id]) return CAST[id];
  const sum = [...id].reduce((total, letter) => total + letter.codePointAt(0), 0);
  return STRANGERS[(sum % 2) * 2 + (sex === "female" ? 0 : 1)] || STRANGERS[0];
};

const p = (d, fill, more = {}) => s("path", { d, fill, ...more });
const line = (d, stroke, width, more = {}) =>
  s("path", { d, fill: "none", stroke, "stroke-width": width, "stroke-linecap": "round", "stroke-linejoin": "round", ...more });

const behind = (cut, hair) => {
  if (cut === "bob") return [p("M32 54c-2-26 10-38 28-38s30 12 28 38c-.5 12 1 20-2 26H34c-3-6-1.5-14-2-26z", hair)];
  if (cut === "bun") return [s("circle", { cx: 60, cy: 16, r: 11, fill: hair }), p("M33 54c-3-24 9-35 27-35s30 11 27 35l-3 12H36z", hair)];
  if (cut === "ponytail") return [p("M84 30c16 2 18 22 14 40-2 9-8 14-12 12 6-14 4-30-4-40z", hair), p("M33 52c-2-23 9-34 27-34s29 11 27 34l-4 10H37z", hair)];
  if (cut === "crown") return [s("circle", { cx: 60, cy: 38, r: 31, fill: hair })];
  return [];
};

const before = (cut, hair, cap) => {
  switch (cut) {
    case "bun":
      return [p("M35 50c0-18 10-28 25-28s25 10 25 28c-4-9-9-15-15-18-8 6-21 9-31 10-2 2-3 5-4 8z", hair)];
    case "crown":
      return [p("M35 50c-1-20 9-32 25-32s26 12 25 32c-3-9-11-15-25-15s-22 6-25 15z", hair)];
    case "bald":
      return [p("M34 56c-3-8-2-16 2-20 1 6 1 12 1 18zM86 56c3-8 2-16-2-20-1 6-1 12-1 18z", hair), line("M50 25c6-2 14-2 20 0", hair, 1.6)];
    case "bob":
      return [p("M35 52c-1-20 10-30 25-30s26 10 25 30c-3-7-5-12-7-15-12 3-26 1-32-4-5 5-9 11-11 19z", hair)];
    case "ponytail":
      return [p("M35 50c0-18 10-27 25-27s25 9 25 27c-5-9-14-15-25-15s-20 6-25 15z", hair)];
    case "fade":
      return [p("M36 44c0-16 9-23 24-23s24 7 24 23c-2-5-4-8-6-9-11-4-25-4-36 0-2 1-4 4-6 9z", hair)];
    case "cap":
      return [p("M35 42c0-17 10-25 25-25s25 8 25 25z", cap), p("M33 41c12-4 42-4 54 0 3 1 4 5 1 5-14-3-42-3-56 0-3 0-2-4 1-5z", "#36465a")];
    default:
      return [p("M34 50c-2-14 2-22 8-25 4-6 12-8 18-7 8-2 17 1 21 8 6 4 8 14 5 24-2-6-4-10-7-13-4 1-8 0-11-2-6 4-16 5-23 2-5 2-8 7-11 13z", hair)];
  }
};

const beard = (kind, hair, skin) => {
  if (kind === "full") return [p("M36.5 58c0 18 10 28 23.5 28s23.5-10 23.5-28c-3 6-6 9-10 10-4-3-9-4-13.5-4s-9.5 1-13.5 4c-4-1-7-4-10-10z", hair), p("M52 72c5-2.5 11-2.5 16 0-2 4-14 4-16 0z", skin)];
  if (kind === "short") return [p("M37 60c1 16 10 25 23 25s22-9 23-25c-2 6-5 10-8 11-9-4-21-4-30 0-3-1-6-5-8-11z", hair, { opacity: 0.85 })];
  if (kind === "stubble") return [p("M37 60c1 16 10 25 23 25s22-9 23-25c-2 6-5 10-8 11-9-4-21-4-30 0-3-1-6-5-8-11z", hair, { opacity: 0.35 })];
  return [];
};

const glasses = (kind) => {
  const frame = { fill: "#ffffff", "fill-opacity": 0.18, stroke: "#3b3632", "stroke-width": 1.6 };
  if (kind === "round") return [s("circle", { cx: 50.5, cy: 55, r: 7.5, ...frame }), s("circle", { cx: 69.5, cy: 55, r: 7.5, ...frame }), line("M58 54c1.3-1 2.7-1 4 0", "#3b3632", 1.6)];
  if (kind === "square") return [s("rect", { x: 42.5, y: 49, width: 15, height: 11, rx: 3.5, ...frame }), s("rect", { x: 62.5, y: 49, width: 15, height: 11, rx: 3.5, ...frame }), line("M57.5 53c1.7-1 3.3-1 5 0", "#3b3632", 1.6)];
  return [];
};

const clothes = (one) => [
  p("M14 122c1-24 17-35 46-35s45 11 46 35z", one.shirt),
  one.apron && p("M40 122V98c4 5 12 8 20 8s16-3 20-8v24z", "#f3ede2"),
  one.apron && line("M42 90l-2 10M78 90l2 10", "#f3ede2", 4),
  one.neck === "v" && p("M48 87c3 9 8 15 12 18 4-3 9-9 12-18z", SKIN[one.skin][1]),
  one.collar && p("M46 88l14 16 14-16 6 4-14 20-6-6-6 6-14-20z", "#f1eee9"),
  one.tie && p("M47 88l13 10 13-10 4 3-12 14-5-5-5 5-12-14z", "#f1eee9"),
  one.tie && p("M57 99h6l2 23H55z", one.tie),
  one.strap && line("M30 96l42 26", "#2f2b28", 4),
];

// id: the person's name in lower case, as in personas/people; sex: for callers that nobody has drawn.
export const face = (id, sex, label = "") => {
  const one = look(id, sex);
  const [skin, shade] = SKIN[one.skin];
  const hair = HAIR[one.hair];
  return s(
    "svg",
    { viewBox: "0 0 120 120", class: "face", role: label ? "img" : undefined, "aria-label": label || undefined, "aria-hidden": label ? undefined : "true" },
    behind(one.cut, hair),
    clothes(one),
    p("M50 70h20v16c0 8-20 8-20 0z", shade),
    s("circle", { cx: 35.5, cy: 57, r: 5, fill: shade }),
    s("circle", { cx: 84.5, cy: 57, r: 5, fill: shade }),
    p("M36 48c0-18 10-27 24-27s24 9 24 27c0 22-10 36-24 36S36 70 36 48z", skin),
    beard(one.beard, hair, shade),
    before(one.cut, hair, one.cap),
    one.hoops && [s("circle", { cx: 35, cy: 66, r: 4, fill: "none", stroke: "#c69a3c", "stroke-width": 1.8 }), s("circle", { cx: 85, cy: 66, r: 4, fill: "none", stroke: "#c69a3c", "stroke-width": 1.8 })],
    one.studs && [s("circle", { cx: 35, cy: 62, r: 1.8, fill: "#e9c46a" }), s("circle", { cx: 85, cy: 62, r: 1.8, fill: "#e9c46a" })],
    line("M45 47.500c3-2 7-2 10-.5M75 47.500c-3-2-7-2-10-.5", one.hair === "white" ? "#b9b4ab" : hair, 2.2),
    s("ellipse", { cx: 50.5, cy: 55, rx: 2.3, ry: 2.8, fill: "#2b2422" }),
    s("ellipse", { cx: 69.5, cy: 55, rx: 2.3, ry: 2.8, fill: "#2b2422" }),
    glasses(one.glasses),
    line("M60 57v6.500c-1 1.5-2 2-3.5 1.8", shade, 1.8),
    line("M54 73.500c4-1.2 8-1.2 12 0", one.skin === "dark" ? "#3a1f14" : "#7d4234", 2.2),
  );
};

// Three of them, where there is nothing else to show yet.
export const trio = () => h("div", { class: "trio", "aria-hidden": "true" }, face("amara"), face("dana"), face("tom"));
