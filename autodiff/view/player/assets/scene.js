// The picture: boxes, frames and lines in SVG, and how they look in a state.

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

/** Fill the world with `picture`; the parts that `paint` changes. */
function build(picture) {
  const frames = picture.frames.map(drawFrame);
  const lines = picture.lines.map((line) => ({
    line,
    path: drawn("path", { class: "line", d: curve(line.points) }),
  }));
  const boxes = picture.atoms.map(drawBox);
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

/** Shorten the texts that are wider than their place: letters differ in width. */
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

function drawFrame({ group, x, y, width, height }) {
  const { path } = GROUPS[group];
  const button = drawn(
    "g",
    {
      class: "handle",
      role: "button",
      tabindex: -1,
      "data-group": group,
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
    isolated(short(GROUPS[group].name, 60)),
  );
  return drawn(
    "g",
    { class: "frame" },
    drawn("rect", { x, y, width, height, rx: 12 }),
    title,
    button,
  );
}

function drawBox(atom) {
  const isModule = atom.node === null;
  const box = drawn("g", {
    role: "button",
    tabindex: -1,
    transform: `translate(${atom.x} ${atom.y})`,
    ...(isModule
      ? { "data-group": atom.group, "aria-expanded": "false" }
      : { "data-node": atom.node }),
  });
  const head = drawn(
    "text",
    { class: "name", x: 10, y: 18, "data-room": BOX.width - 18 },
    isModule ? isolated(short(GROUPS[atom.group].name, 30)) : caption(atom.node),
  );
  head.dataset.text = isModule ? GROUPS[atom.group].name : name(atom.node, 30);
  head.dataset.rest = isModule ? "" : opOf(atom.node);
  const row = (key, y) => {
    const number = drawn("text", { class: "number", x: BOX.width - 10, y, "text-anchor": "end" });
    const term = drawn("text", { class: "key", x: 10, y }, key);
    box.append(term, number);
    return [number, term];
  };
  box.append(
    drawn("title", {}, isModule ? short(GROUPS[atom.group].path, 200) : tooltip(atom.node)),
  );
  if (isModule)
    box.append(
      drawn("rect", { class: "behind", x: 4, y: 4, width: BOX.width, height: BOX.height, rx: 9 }),
    );
  box.append(drawn("rect", { class: "body", width: BOX.width, height: BOX.height, rx: 9 }));
  box.append(head);
  const [[data], [grad, term]] = [row("data", 36), row("grad", 52)];
  return { atom, box, data, grad, term, seen: "" };
}

const tooltip = (i) => `${short(NODES[i].path ?? NODES[i].label, 300)}\n${inWords(i)}`.trim();

/** What fits the head of a box: the name, and what it is. */
function caption(i) {
  if (NODES[i].op === null) return isolated(name(i, 30));
  const whole = inWords(i);
  return whole.length <= 40 ? whole : isolated(name(i, 10)) + opOf(i);
}

/** What stands behind the name of a node where its formula is too long. */
const opOf = (i) => (NODES[i].op === null ? "" : `: ${isolated(short(NODES[i].op, 8))}`);

/** A smooth path: straight inside each pair of points, with level ends between the pairs. */
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

/** Show `state`, with the events of the current step marked. Touches only what changed. */
function paint(scene, state, current, isAtEnd) {
  const acting = new Set(current.map((event) => event.node));
  const crossed = new Set(
    current.filter((event) => event.kind === "share").map((event) => event.edge),
  );
  const computed = new Set(
    current.filter((event) => event.kind === "forward").map((event) => event.node),
  );
  const receiving = new Set([...crossed].map((edge) => EDGES[edge].operand));
  for (const part of scene.boxes) {
    const look =
      part.atom.node === null
        ? lookOfModule(part.atom, state, isAtEnd)
        : lookOfNode(part.atom.node, state, isAtEnd);
    const members = part.atom.members ?? [part.atom.node];
    const marks = [acting, receiving]
      .map((set, k) => (members.some((i) => set.has(i)) ? [" acting", " receiving"][k] : ""))
      .join("");
    const seen = `${look.kind}${marks}|${look.data}|${look.grad}|${look.term}`;
    if (seen === part.seen) continue;
    part.seen = seen;
    part.box.setAttribute("class", `box ${look.kind}${marks}`);
    part.data.textContent = look.data;
    part.grad.textContent = look.grad;
    part.term.textContent = look.term;
    part.box.setAttribute("aria-label", look.words());
  }
  for (const part of scene.lines) {
    const { edges } = part.line;
    const isCurrent = edges.some((edge) => crossed.has(edge));
    const isEntering = edges.some((edge) => computed.has(EDGES[edge].node));
    const look = isCurrent
      ? edges.some(
          (edge) =>
            state.carried[edge] &&
            isWrong({ kind: "share", node: EDGES[edge].node, ...state.carried[edge] }),
        )
        ? "now back wrong"
        : "now back"
      : isEntering
        ? "now ahead"
        : edges.some((edge) => state.carried[edge])
          ? "back"
          : edges.some((edge) => state.known[EDGES[edge].node])
            ? "ahead"
            : "";
    const seen = look + (edges.length > 1 ? " many" : "");
    if (part.seen !== seen) part.path.setAttribute("class", `line ${seen}`);
    if (part.seen !== seen && look.startsWith("now")) part.path.parentNode.append(part.path);
    part.seen = seen;
  }
  paintChip(scene, current);
}

/** Whether the cotangent of node `i`, passed on or complete, is not the right one. */
function isBad(i, { cotangent, passed, arrived }, isAtEnd) {
  const isSettled =
    isAtEnd || passed[i] !== null || (cotangent[i] !== null && arrived[i] === EXPECTED[i]);
  return isSettled && !agree(cotangent[i] ?? 0, NODES[i].grad);
}

function lookOfNode(i, state, isAtEnd) {
  const { data, grad } = NODES[i];
  const [arrived, expected, cotangent] = [state.arrived[i], EXPECTED[i], state.cotangent[i]];
  const isWrongHere = isBad(i, state, isAtEnd);
  const isPartly = cotangent !== null && arrived < expected;
  const kind = [
    NODES[i].op === null ? "leaf" : "op",
    state.known[i] ? "known" : "",
    cotangent !== null ? (isPartly ? "partly" : "graded") : "",
    isWrongHere ? "wrong" : "",
  ]
    .filter(Boolean)
    .join(" ");
  const shown = {
    data: state.known[i] ? digits(data) : "",
    grad: cotangent !== null ? digits(cotangent) : isAtEnd ? "0" : "",
  };
  const words = () =>
    `${inWords(i)}, ${shown.data ? `data ${shown.data}` : "not computed yet"}` +
    `${shown.grad ? `, gradient ${shown.grad}` : ""}${isPartly ? ` from ${arrived} of ${expected} shares` : ""}${isWrongHere ? `, wrong: ${digits(grad)} is right` : ""}`;
  return {
    kind,
    words,
    ...shown,
    term: `grad${isPartly ? ` ${arrived}/${expected}` : ""}${isWrongHere ? " ✗" : ""}`,
  };
}

function lookOfModule({ group, members }, state, isAtEnd) {
  const count = (holds) => members.filter(holds).length;
  const [known, graded] = [count((i) => state.known[i]), count((i) => state.cotangent[i] !== null)];
  const bad = count((i) => isBad(i, state, isAtEnd));
  const kind = `module${known === members.length ? " known" : ""}${graded ? " graded" : ""}${bad ? " wrong" : ""}`;
  const share = (part) => (part ? `${part} of ${members.length}` : "");
  return {
    kind,
    term: bad ? "grad ✗" : "grad",
    data: share(known),
    grad: share(graded),
    words: () =>
      `Module ${isolated(short(GROUPS[group].path, 80))}, closed: ${known} of ${members.length} values, ${graded} gradients${bad ? `, ${bad} wrong` : ""}. Enter opens it.`,
  };
}

/** The partial, written on the line that carries the current share. */
function paintChip(scene, current) {
  const share = current.length === 1 && current[0].kind === "share" ? current[0] : null;
  const part = share && scene.lines.find(({ line }) => line.edges.includes(share.edge));
  chip.setAttribute("visibility", part ? "visible" : "hidden");
  if (!part) return;
  const words = share.product === null ? "nothing" : `× ${digits(EDGES[share.edge].partial)}`;
  const { x, y } = part.path.getPointAtLength(part.path.getTotalLength() / 2);
  const [back, label] = chip.children;
  label.textContent = words;
  const width = 7 * words.length + 14;
  back.setAttribute("width", width);
  back.setAttribute("x", -width / 2);
  chip.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
}
