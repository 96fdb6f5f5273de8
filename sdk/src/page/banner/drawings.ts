/** The banner's own drawings: the sign of Tidings, and what to press on an iPhone. */
const SVG = "http://www.w3.org/2000/svg";

/** One shape: its element, its attributes, and whether it is what the eye should find. */
type Shape = [name: string, attributes: Record<string, string | number>, hot?: boolean];

function drawing(width: number, height: number, shapes: Shape[], stroke: number, className: string): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  const around = { viewBox: `0 0 ${width} ${height}`, fill: "none", stroke: "currentColor", "stroke-width": stroke };
  const whole = { ...around, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true", focusable: "false", class: className };
  for (const [key, value] of Object.entries(whole)) svg.setAttribute(key, String(value));
  for (const [name, attributes, hot] of shapes) {
    const shape = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, String(value));
    if (hot) shape.setAttribute("class", "hot");
    svg.append(shape);
  }
  return svg;
}

export type Sign = "bell" | "good" | "bad";

const SIGNS: Record<Sign, Shape[]> = {
  // A small bell whose clapper is a dot.
  bell: [
    ["path", { d: "M5 16.5h14c-1.6-1.7-2-3.6-2-6.5a5 5 0 0 0-10 0c0 2.9-.4 4.8-2 6.5z" }],
    ["circle", { cx: 12, cy: 20, r: 1.7, fill: "currentColor", stroke: "none" }],
    ["path", { d: "M12 3v1.5" }],
  ],
  good: [
    ["circle", { cx: 12, cy: 12, r: 9 }],
    ["path", { d: "m8 12.3 2.8 2.8L16 9.5" }],
  ],
  bad: [
    ["circle", { cx: 12, cy: 12, r: 9 }],
    ["path", { d: "M12 7.5v5" }],
    ["circle", { cx: 12, cy: 16.2, r: 1.1, fill: "currentColor", stroke: "none" }],
  ],
};

export const sign = (name: Sign): SVGElement => drawing(24, 24, SIGNS[name], 1.8, `sign ${name}`);

/** A square with an arrow that leaves it upwards, 12 wide around a point. */
const share = (x: number, y: number): Shape[] => [
  ["path", { d: `M${x - 3} ${y - 1}h-3v10h12v-10h-3M${x} ${y + 4}v-11m-3.5 3.2 3.5-3.5 3.5 3.5` }, true],
];
const ring = (x: number, y: number, r = 14): Shape => ["circle", { cx: x, cy: y, r, "stroke-dasharray": "3 4", "stroke-width": 1.5 }, true];
const line = (x: number, y: number, length: number): Shape => ["path", { d: `M${x} ${y}h${length}`, "stroke-opacity": 0.5 }];
const box = (x: number, y: number, size: number): Shape => ["rect", { x, y, width: size, height: size, rx: size / 4, "stroke-opacity": 0.5 }];

/** The browser's bar with its button for sharing: below the page on a phone, above it on a tablet. */
function shareBar(above: boolean): Shape[] {
  const y = above ? 24 : 84;
  return [
    ["path", { d: above ? "M0 46h144" : "M0 62h144", "stroke-opacity": 0.5 }],
    line(18, y, 8),
    line(40, y, 8),
    ...share(72, y),
    ring(72, y + 1, 17),
    line(96, y, 8),
    line(118, y, 8),
    ...[0, 1, 2].map((row) => line(24, (above ? 62 : 16) + 14 * row, row === 2 ? 52 : 96)),
  ];
}

/** The sheet that opens, with the row to press. */
const SHEET: Shape[] = [
  ["path", { d: "M12 108V26a10 10 0 0 1 10-10h100a10 10 0 0 1 10 10v82", "stroke-opacity": 0.5 }],
  line(30, 32, 56),
  box(106, 25, 14),
  ["rect", { x: 20, y: 46, width: 104, height: 30, rx: 7, "stroke-width": 1.5, "stroke-dasharray": "3 4" }, true],
  ["path", { d: "M30 61h46" }, true],
  ["rect", { x: 99, y: 52, width: 18, height: 18, rx: 4.5 }, true],
  ["path", { d: "M108 56.5v9m-4.5-4.5h9" }, true],
  line(30, 92, 40),
  box(106, 85, 14),
];

/** The Home Screen with the new icon among the others. */
const HOME: Shape[] = [
  ...[0, 1, 2, 3].flatMap((column): Shape[] => [0, 1, 2].map((row) => box(16 + 30 * column, 12 + 30 * row, 22))).filter((_, at) => at !== 7),
  ["rect", { x: 76, y: 42, width: 22, height: 22, rx: 5.5 }, true],
  ["path", { d: "M82 56h10c-1.2-1.3-1.5-2.6-1.5-4.5a3.5 3.5 0 0 0-7 0c0 1.9-.3 3.2-1.5 4.5z" }, true],
  ["circle", { cx: 87, cy: 59.4, r: 1.4, fill: "currentColor", stroke: "none" }, true],
  ring(87, 53, 19),
];

/** The three pictures of "Add to Home Screen". */
export const installPictures = (tablet: boolean): SVGElement[] =>
  [shareBar(tablet), SHEET, HOME].map((shapes) => drawing(144, 108, shapes, 2, "picture"));
