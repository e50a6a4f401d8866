// The picture in SVG: boxes, frames and lines.

const SVG = "http://www.w3.org/2000/svg";

function drawn(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const world = drawn("g", { id: "world" });
const tip = drawn(
  "marker",
  {
    id: "tip",
    orient: "auto-start-reverse",
    markerWidth: 4,
    markerHeight: 4,
    refX: 8,
    refY: 5,
    viewBox: "0 0 10 10",
  },
  drawn("path", { d: "M0 0L10 5L0 10z" }),
);
const chip = drawn(
  "g",
  { class: "chip" },
  drawn("rect", { rx: 9, height: 18, y: -9 }),
  drawn("text", { "text-anchor": "middle", y: 4 }),
);

/** Fill the world with `picture`; returns the parts that `paint` changes. */
function build(picture) {
  const frames = picture.frames.map(drawFrame);
  const lines = picture.lines.map((line) => ({
    line,
    path: drawn("path", { class: "line", d: curve(line.points) }),
  }));
  const boxes = picture.boxes.map(drawBox);
  world.replaceChildren(
    drawn("g", {}, ...frames),
    drawn("g", { "aria-hidden": "true" }, ...lines.map(({ path }) => path)),
    drawn("g", {}, ...boxes.map(({ box }) => box)),
    chip,
  );
  chip.setAttribute("visibility", "hidden");
  narrow([...world.querySelectorAll(".name, .title")]);
  return { lines, boxes };
}

/** Shorten each text that is wider than its room: letters differ in width. */
function narrow(texts) {
  const widths = texts.map((made) => made.getComputedTextLength());
  for (const [k, made] of texts.entries()) {
    let length = 24;
    while (widths[k] > made.dataset.room && length > 1) {
      const { text: whole = made.textContent, rest = "" } = made.dataset;
      made.textContent = isolated(short(whole, length)) + rest;
      widths[k] = made.getComputedTextLength();
      length -= 2;
    }
  }
}

function drawFrame({ module, x, y, width, height }) {
  const { path } = MODULES[module];
  const button = drawn(
    "g",
    {
      class: "handle",
      role: "button",
      tabindex: -1,
      "data-module": module,
      "aria-expanded": "true",
      "aria-label": `Module ${isolated(short(path, 80))}: close`,
      transform: `translate(${x + 10} ${y + 8})`,
    },
    drawn("rect", { width: 16, height: 16, rx: 4 }),
    drawn("path", { d: "M4 8h8" }),
  );
  const title = drawn(
    "text",
    { class: "title", x: x + 33, y: y + 20.5, "data-room": width - 42 },
    isolated(short(MODULES[module].name, 60)),
  );
  return drawn(
    "g",
    { class: "frame" },
    drawn("rect", { x, y, width, height, rx: 12 }),
    title,
    button,
  );
}

function drawBox(item) {
  const isModule = item.node === null;
  const box = drawn("g", {
    role: "button",
    tabindex: -1,
    transform: `translate(${item.x} ${item.y})`,
    ...(isModule
      ? { "data-module": item.module, "aria-expanded": "false" }
      : { "data-node": item.node }),
  });
  const head = drawn(
    "text",
    { class: "name", x: 10, y: 18, "data-room": BOX.width - 18 },
    isModule ? isolated(short(MODULES[item.module].name, 30)) : caption(item.node),
  );
  head.dataset.text = isModule ? MODULES[item.module].name : name(item.node, 30);
  head.dataset.rest = isModule ? "" : opOf(item.node);
  const entry = (key, y) => {
    const number = drawn("text", { class: "number", x: BOX.width - 10, y, "text-anchor": "end" });
    const term = drawn("text", { class: "key", x: 10, y }, key);
    box.append(term, number);
    return [number, term];
  };
  box.append(
    drawn("title", {}, isModule ? short(MODULES[item.module].path, 200) : tooltip(item.node)),
  );
  if (isModule)
    box.append(
      drawn("rect", { class: "behind", x: 4, y: 4, width: BOX.width, height: BOX.height, rx: 9 }),
    );
  box.append(drawn("rect", { class: "body", width: BOX.width, height: BOX.height, rx: 9 }));
  box.append(head);
  const [[data], [grad, term]] = [entry("data", 36), entry("grad", 52)];
  return { item, box, data, grad, term, seen: "" };
}

const tooltip = (i) => `${short(NODES[i].path ?? NODES[i].label, 300)}\n${inWords(i)}`.trim();

/** The name of a node and its formula, as far as they fit into the head of a box. */
function caption(i) {
  if (NODES[i].op === null) return isolated(name(i, 30));
  const whole = inWords(i);
  return whole.length <= 40 ? whole : isolated(name(i, 10)) + opOf(i);
}

/** The text behind the name of a node whose formula is too long. */
const opOf = (i) => (NODES[i].op === null ? "" : `: ${isolated(short(NODES[i].op, 8))}`);

/** A smooth path: straight between the points of a pair, a curve from pair to pair. */
function curve(points) {
  const at = ([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  let path = `M${at(points[0])}`;
  for (let k = 1; k < points.length; k += 1) {
    const [a, b] = [points[k - 1], points[k]];
    const reach = b[0] > a[0] ? (b[0] - a[0]) / 2 : 60 + Math.abs(b[0] - a[0]) / 4;
    path +=
      k % 2 === 0
        ? `L${at(b)}`
        : `C${at([a[0] + reach, a[1]])} ${at([b[0] - reach, b[1]])} ${at(b)}`;
  }
  return path;
}
