/** Making elements, and the signs in them. */
type Content = Node | string | undefined | false;

export function element<N extends keyof HTMLElementTagNameMap>(name: N, attributes: Record<string, string>, ...inside: Content[]): HTMLElementTagNameMap[N] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside.filter((one): one is Node | string => Boolean(one)));
  return made;
}

export function button(label: string, press: (event: MouseEvent) => void, attributes: Record<string, string> = {}, ...inside: Content[]): HTMLButtonElement {
  const made = element("button", { type: "button", ...(inside.length && { "aria-label": label, title: label }), ...attributes }, ...(inside.length ? inside : [label]));
  made.addEventListener("click", press);
  return made;
}

/** 24 units wide; the bell's clapper is a dot. */
const SIGNS = {
  bell: ["M6 9a6 6 0 0 1 12 0c0 6 2.5 7 2.5 8h-17C3.500 16 6 15 6 9", "M12 20.500h.01"],
  gear: ["M4 7h9M17 7h3M4 17h3M11 17h9", "M15 5v4M9 15v4"],
  back: ["M19 12H5M11 6l-6 6 6 6"],
  close: ["M6 6l12 12M18 6 6 18"],
  good: ["M5 12.500l4.500 4.500L19 7.500"],
  bad: ["M12 4l9 16H3zM12 10v4", "M12 17h.01"],
} as const;

export type Sign = keyof typeof SIGNS;

export function sign(name: Sign): SVGSVGElement {
  const drawn = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const attributes = { viewBox: "0 0 24 24", "aria-hidden": "true", fill: "none", stroke: "currentColor", "stroke-linecap": "round", "stroke-linejoin": "round" };
  for (const [key, value] of Object.entries(attributes)) drawn.setAttribute(key, value);
  SIGNS[name].forEach((d, at) => {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", d);
    path.setAttribute("stroke-width", at && name !== "gear" ? "3" : "1.75");
    drawn.append(path);
  });
  return drawn;
}

export function placed(place: Element | string): Element {
  const found = typeof place === "string" ? document.querySelector(place) : place;
  if (!found) throw new Error(`There is no element ${String(place)} in the page.`);
  return found;
}
