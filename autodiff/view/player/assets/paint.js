// The appearance of the picture in a state: colors, numbers, marks.

/** Show `state` and mark the events of the current step; only changed parts are touched. */
function paint(scene, state, current, isAtEnd) {
  const acting = new Set(current.map((event) => event.node));
  const crossed = new Set(
    current.filter((event) => event.kind === "contribution").map((event) => event.edge),
  );
  const computed = new Set(
    current.filter((event) => event.kind === "forward").map((event) => event.node),
  );
  const receiving = new Set([...crossed].map((edge) => EDGES[edge].operand));
  for (const part of scene.boxes) {
    const appearance =
      part.item.node === null
        ? appearanceOfModule(part.item, state, isAtEnd)
        : appearanceOfNode(part.item.node, state, isAtEnd);
    const members = part.item.members ?? [part.item.node];
    const marks = [acting, receiving]
      .map((set, k) => (members.some((i) => set.has(i)) ? [" acting", " receiving"][k] : ""))
      .join("");
    const { kind, data, grad, term, words } = appearance;
    const seen = `${kind}${marks}|${data}|${grad}|${term}`;
    if (seen === part.seen) continue;
    part.seen = seen;
    part.box.setAttribute("class", `box ${kind}${marks}`);
    part.data.textContent = data;
    part.grad.textContent = grad;
    part.term.textContent = term;
    part.box.setAttribute("aria-label", words());
  }
  for (const part of scene.lines) {
    const { edges } = part.line;
    const isCurrent = edges.some((edge) => crossed.has(edge));
    const isEntering = edges.some((edge) => computed.has(EDGES[edge].node));
    const style = isCurrent
      ? edges.some(
          (edge) =>
            state.carried[edge] &&
            isWrong({ kind: "contribution", node: EDGES[edge].node, ...state.carried[edge] }),
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
    const seen = style + (edges.length > 1 ? " many" : "");
    if (part.seen !== seen) part.path.setAttribute("class", `line ${seen}`);
    if (part.seen !== seen && style.startsWith("now")) part.path.parentNode.append(part.path);
    part.seen = seen;
  }
  paintChip(scene, current);
}

/** Whether the cotangent of node `i` is passed on or complete, and wrong. */
function isBad(i, { cotangent, passed, arrived }, isAtEnd) {
  const isSettled =
    isAtEnd || passed[i] !== null || (cotangent[i] !== null && arrived[i] === EXPECTED[i]);
  return isSettled && !agree(cotangent[i] ?? 0, NODES[i].grad);
}

function appearanceOfNode(i, state, isAtEnd) {
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
    `${shown.grad ? `, gradient ${shown.grad}` : ""}${isPartly ? ` from ${arrived} of ${expected} contributions` : ""}${isWrongHere ? `, wrong: ${digits(grad)} is correct` : ""}`;
  return {
    kind,
    words,
    ...shown,
    term: `grad${isPartly ? ` ${arrived}/${expected}` : ""}${isWrongHere ? " ✗" : ""}`,
  };
}

function appearanceOfModule({ module, members }, state, isAtEnd) {
  const count = (holds) => members.filter(holds).length;
  const [known, graded] = [count((i) => state.known[i]), count((i) => state.cotangent[i] !== null)];
  const bad = count((i) => isBad(i, state, isAtEnd));
  const kind = `module${known === members.length ? " known" : ""}${graded ? " graded" : ""}${bad ? " wrong" : ""}`;
  const fraction = (part) => (part ? `${part} of ${members.length}` : "");
  return {
    kind,
    term: bad ? "grad ✗" : "grad",
    data: fraction(known),
    grad: fraction(graded),
    words: () =>
      `Module ${isolated(short(MODULES[module].path, 80))}, closed: ${known} of ${members.length} values, ${graded} gradients${bad ? `, ${bad} wrong` : ""}. Enter opens it.`,
  };
}

/** Write the partial on the line that carries the current contribution. */
function paintChip(scene, current) {
  const event = current.length === 1 && current[0].kind === "contribution" ? current[0] : null;
  const part = event && scene.lines.find(({ line }) => line.edges.includes(event.edge));
  chip.setAttribute("visibility", part ? "visible" : "hidden");
  if (!part) return;
  const words = event.product === null ? "nothing" : `× ${digits(EDGES[event.edge].partial)}`;
  const { x, y } = part.path.getPointAtLength(part.path.getTotalLength() / 2);
  const [back, label] = chip.children;
  label.textContent = words;
  const width = 7 * words.length + 14;
  back.setAttribute("width", width);
  back.setAttribute("x", -width / 2);
  chip.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
}
