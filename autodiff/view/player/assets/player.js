// The state of the player: its sweep, the closed modules, and how many events have happened.

const $ = (id) => document.getElementById(id);
const SWEEPS = ["topological", "depth_first", "overwriting"];
const player = {
  sweep: "topological",
  closed: new Set(GRAPH.closed),
  events: [],
  ends: [],
  at: 0,
  timer: null,
  focused: ROOT,
};
let picture = null,
  scene = null;

/** The first step that ends at or behind `at`. */
const stepOf = (at) => player.ends.findIndex((end) => end >= at);
const isCalm = matchMedia("(prefers-reduced-motion: reduce)");

/** Draw again after modules were opened or closed. */
function redraw() {
  picture = layout(player.closed);
  scene = build(picture);
  rove(world.querySelector("[role=button]"));
  player.ends = endsOf(player.events, player.closed);
  if (player.at) player.at = player.ends[stepOf(player.at)];
  fit(picture);
  if ($("follow").checked && camera.scale < ZOOM.readable) showLeftEnd(picture, ZOOM.reading);
  listModules();
  show();
}

/** Show the state after `player.at` events. */
function show() {
  const step = player.at ? stepOf(player.at) : -1;
  const start = step > 0 ? player.ends[step - 1] : 0;
  const current = player.events.slice(player.at ? start : 0, player.at);
  const isAtEnd = player.at === player.events.length;
  const state = stateAfter(player.events, player.at);
  paint(scene, state, current, isAtEnd);
  tell(current, start, state, step);
  showVerdict();
  $("position").max = player.ends.length;
  $("position").value = step + 1;
  $("position").setAttribute("aria-valuetext", `step ${step + 1} of ${player.ends.length}`);
  const forward = player.ends.findIndex((end) => end > NODES.length);
  $("position").style.setProperty("--forward-part", `${(100 * forward) / player.ends.length}%`);
  for (const id of ["first", "back"]) $(id).disabled = player.at === 0;
  for (const id of ["forward", "last"]) $(id).disabled = isAtEnd;
  if ($("follow").checked) follow(currentItems(current));
}

function currentItems(current) {
  const last = current[current.length - 1];
  if (!last) return [];
  const ends = last.kind === "contribution" ? [last.node, EDGES[last.edge].operand] : [last.node];
  return [...new Set(ends.map((i) => picture.boxOf[i]))];
}

/** Fill the panel on the right, and the line that a screen reader speaks. */
function tell(current, start, state, step) {
  const count = player.ends.length;
  const told = describe(current, start, state);
  $("where").textContent = step < 0 ? `${count} steps` : `Step ${step + 1} of ${count}`;
  $("where").className = told.phase ?? "";
  $("headline").textContent = told.headline;
  $("formula").replaceChildren(...(told.formula ? [told.formula] : []));
  $("note").textContent = told.warning ?? told.sentence;
  $("note").className = told.warning ? "warning" : "";
  const end = player.at === player.events.length ? ` ${verdict().text}` : "";
  $("live").textContent =
    `${$("where").textContent}. ${told.headline}. ${told.sentence} ${told.warning ?? ""}${end}`;
  const last = current[current.length - 1];
  $("selected").hidden = Boolean(told.isModule);
  const selected = last?.kind === "contribution" ? EDGES[last.edge].operand : last?.node;
  showNode(selected ?? ROOT, state);
}

function describe(current, start, state) {
  if (!current.length) {
    return {
      headline: "Press Play, or →",
      formula: chainRule(),
      sentence: `The forward pass computes ${many(NODES.length, "value")}, each after its operands. Then cotangents flow back from ${called(ROOT)}, edge by edge.`,
    };
  }
  const module = closedAround(current[0].node, player.closed);
  return module === null
    ? explain(current[0], stateAfter(player.events, start), player.sweep)
    : explainModule(current, module, state);
}

/** Show all that is known of node `i`, with all digits. */
function showNode(i, state) {
  const { label, path, data, grad, op } = NODES[i];
  const users = [
    ...new Set(EDGES.filter((edge) => edge.operand === i).map((edge) => called(edge.node))),
  ];
  const got = state.cotangent[i];
  const isWrongHere = got !== null && !agree(got, grad) && state.arrived[i] >= EXPECTED[i];
  const inFull = (x) => String(x).replace("-", "−");
  const shownUsers = users.slice(0, 6).join(", ");
  const entries = [
    ["node", `${path ?? (label.trim() || called(i))}${op === null ? " (leaf)" : ""}`],
    ...(op === null ? [] : [["formula", definition(i)]]),
    ["data", state.known[i] ? inFull(data) : "not computed yet"],
    ["gradient", got === null ? "no contribution yet" : inFull(got)],
    ...(isWrongHere ? [["correct", inFull(grad)]] : []),
    [
      "used by",
      users.length > 6
        ? `${shownUsers}, … ${users.length} in all`
        : shownUsers || "nothing: this is the result",
    ],
  ];
  $("selected").replaceChildren(list(entries));
}

/** The outcome of the whole sweep: the nodes with wrong gradients, and a sentence. */
function verdict() {
  const nodes = player.sweep === "topological" ? [] : wrongNodes(player.events);
  if (player.sweep === "topological") {
    return {
      nodes,
      text: "Every gradient is complete: each node passed on its cotangent after all of its uses had sent theirs.",
    };
  }
  const how =
    player.sweep === "overwriting"
      ? "With = instead of +="
      : "Depth-first, without a topological sort";
  const lucky =
    player.sweep === "overwriting"
      ? "no node has more than one contribution, so there is nothing to add up."
      : "no node passed on its cotangent before its last contribution arrived. That can change where a computed value is used twice.";
  const text = nodes.length
    ? `${how}, ${nodes.length} of ${NODES.length} gradients ${nodes.length === 1 ? "is" : "are"} wrong.`
    : `${how}, this graph is lucky: ${lucky}`;
  return { nodes, text };
}

function showVerdict() {
  const isWrongSweep = player.sweep !== "topological";
  if ($("verdict").dataset.sweep === player.sweep) return;
  $("verdict").dataset.sweep = player.sweep;
  $("verdict").hidden = !isWrongSweep;
  $("verdict").replaceChildren();
  if (!isWrongSweep) return;
  const { nodes, text: words } = verdict();
  const title = document.createElement("h3");
  title.textContent = words;
  title.className = nodes.length ? "wrong" : "";
  const entries = nodes.slice(0, 40).map(({ node, got, right }) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `${isolated(short(NODES[node].path ?? name(node), 40))}: ${digits(got)} instead of ${digits(right)}`;
    button.addEventListener("click", () => goTo(node, true));
    const item = document.createElement("li");
    item.append(button);
    return item;
  });
  const made = document.createElement("ul");
  made.append(...entries);
  const start = document.createElement("button");
  start.type = "button";
  start.className = "main";
  start.textContent = "Show where it goes wrong";
  start.addEventListener("click", () => moveTo(firstWarning()));
  $("verdict").replaceChildren(title, ...(nodes.length ? [start, made] : []));
}

function firstWarning() {
  const state = beginning();
  return player.events.findIndex((event) => {
    if (event.kind === "contribution" && warn(event, state, player.sweep)) return true;
    advance(state, event);
    return false;
  });
}

/** Go to the end of the step with event `k`. */
function moveTo(k) {
  stop();
  player.at = player.ends[stepOf(k + 1)];
  show();
}

function step(by) {
  const now = player.at ? stepOf(player.at) : -1;
  const next = Math.max(-1, Math.min(player.ends.length - 1, now + by));
  player.at = next < 0 ? 0 : player.ends[next];
  show();
}

/** Go to the step that computes node `i`, or in the backward pass to the one that completes its
 * gradient. */
function goTo(i, isBackward = player.at > NODES.length) {
  const receiver = ({ kind, edge }) =>
    kind === "contribution" ? EDGES[edge].operand : kind === "seed" ? ROOT : -1;
  const last = player.events.findLastIndex((event) => receiver(event) === i);
  moveTo(isBackward && last >= 0 ? last : i);
}

function play() {
  if (player.timer !== null) return stop();
  if (player.at === player.events.length) player.at = 0;
  const tick = () => {
    step(1);
    if (player.at === player.events.length) return stop();
    player.timer = setTimeout(tick, 1000 / Number($("speed").value));
  };
  $("play").textContent = "Pause";
  player.timer = setTimeout(tick, 0);
}

function stop() {
  clearTimeout(player.timer);
  player.timer = null;
  $("play").textContent = "Play";
}

function setSweep(sweep) {
  stop();
  player.sweep = sweep;
  $("sweep").value = sweep;
  player.events = eventsOf(sweep);
  player.ends = endsOf(player.events, player.closed);
  player.at = player.at ? player.ends[stepOf(Math.min(player.at, player.events.length))] : 0;
  document.body.dataset.sweep = sweep;
  show();
}
