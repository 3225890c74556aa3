/**
 * The picture as a file of its own: the drawing as it stands on the page, with every colour and letter that the page's
 * style gives it written out, on the page's surface, below a line that says what it shows.
 */
const SVG = "http://www.w3.org/2000/svg";
const CAPTION_PX = 34;
const MARGIN_PX = 16;
const written = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-opacity",
  "stroke-width",
  "stroke-dasharray",
  "stroke-linejoin",
  "opacity",
  "font-family",
  "font-size",
  "font-weight",
  "text-anchor",
  "paint-order",
];
const colours = ["fill", "stroke"];

export function pictureAsSvg(drawing: SVGSVGElement, caption: string): string {
  const copy = drawing.cloneNode(true) as SVGSVGElement;
  const originals = drawing.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((element, i) => {
    const original = originals[i];
    if (original) writeStyle(element, getComputedStyle(original));
  });
  const { width, height } = drawing.viewBox.baseVal;
  const style = getComputedStyle(drawing);
  const surface = (name: string) => style.getPropertyValue(name).trim();
  const whole = { width: width + 2 * MARGIN_PX, height: height + CAPTION_PX + MARGIN_PX };
  const root = document.createElementNS(SVG, "svg");
  root.setAttribute("viewBox", `0 0 ${whole.width} ${whole.height}`);
  root.setAttribute("width", String(whole.width));
  root.setAttribute("height", String(whole.height));
  const title = append(root, "title", {});
  title.textContent = caption;
  append(root, "rect", { width: "100%", height: "100%", fill: surface("--panel") });
  const text = append(root, "text", {
    x: String(MARGIN_PX),
    y: "22",
    fill: surface("--ink"),
    "font-family": style.fontFamily,
    "font-size": "13px",
    "font-weight": "600",
  });
  text.textContent = caption;
  const body = append(root, "g", { transform: `translate(${MARGIN_PX} ${CAPTION_PX})` });
  body.append(...copy.childNodes);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(root)}\n`;
}

function append(parent: Element, name: string, attributes: Record<string, string>): Element {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent.append(element);
  return element;
}

function writeStyle(element: Element, style: CSSStyleDeclaration): void {
  element.removeAttribute("class");
  if (element.tagName === "clipPath" || element.tagName === "defs") return;
  for (const name of written) {
    const value = style.getPropertyValue(name);
    if (value === "" || value === "normal" || value === "auto") continue;
    const translucent = colours.includes(name) ? /^rgba\((.*), ([\d.]+)\)$/.exec(value) : null;
    // Programs that know SVG 1.1 alone have no colours with transparency.
    if (translucent) {
      element.setAttribute(name, `rgb(${translucent[1]})`);
      element.setAttribute(`${name}-opacity`, translucent[2] ?? "1");
    } else if (!(name.endsWith("-opacity") && element.hasAttribute(name))) element.setAttribute(name, value);
  }
}
