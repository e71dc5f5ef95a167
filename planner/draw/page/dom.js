// Nodes made by hand: strings become text nodes, so a name can never turn into markup.
const SVG = "http://www.w3.org/2000/svg";

function el(tag, attributes = {}, ...children) {
  return dress(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return dress(document.createElementNS(SVG, tag), attributes, children);
}

function dress(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "on") for (const [type, act] of Object.entries(value)) node.addEventListener(type, act);
    else if (key === "style") for (const [name, v] of Object.entries(value)) node.style.setProperty(name, v);
    else if (typeof value === "boolean") node.toggleAttribute(key, value);
    else if (value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.filter(child => child !== null && child !== undefined && child !== false));
  return node;
}

// A box over the map that keeps clicks and wheel to itself.
function makeBox(root, tag, name, attributes = {}) {
  const box = el(tag, { class: `pm-box pm-${name}`, ...attributes });
  root.append(box);
  L.DomEvent.disableClickPropagation(box);
  L.DomEvent.disableScrollPropagation(box);
  return box;
}

// Two to four numbers, large, with a word under each.
function figureList(...figures) {
  return el("dl", { class: "pm-figures pm-num" }, ...figures.filter(Boolean).map(([value, text, first]) =>
    el("div", first ? { class: "pm-first" } : {}, el("dt", {}, text), el("dd", {}, value))));
}
