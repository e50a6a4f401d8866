// The player: which sweep, which modules are closed, how many events have happened.

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

const stepOf = (at) => player.ends.findIndex((end) => end >= at); // the step that ends at or behind `at`
const isCalm = matchMedia("(prefers-reduced-motion: reduce)");

/** Draw anew, after modules were opened or closed. */
function redraw() {
  picture = layout(player.closed);
  scene = build(picture);
  rove(world.querySelector("[role=button]"));
  player.ends = endsOf(player.events, player.closed);
  if (player.at) player.at = player.ends[stepOf(player.at)];
  fit(picture);
  if ($("follow").checked && camera.scale < ZOOM.readable) look(picture, ZOOM.reading);
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
  if ($("follow").checked) follow(currentAtoms(current));
}

function currentAtoms(current) {
  const last = current[current.length - 1];
  if (!last) return [];
  const ends = last.kind === "share" ? [last.node, EDGES[last.edge].operand] : [last.node];
  return [...new Set(ends.map((i) => picture.atomOf[i]))];
}

/** The panel on the right, and the line that a screen reader speaks. */
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
  $("facts").hidden = Boolean(told.isModule);
  showFacts(last ? (last.kind === "share" ? EDGES[last.edge].operand : last.node) : ROOT, state);
}

function describe(current, start, state) {
  if (!current.length) {
    return {
      headline: "Press Play, or →",
      formula: chainRule(),
      sentence: `${many(NODES.length, "value")} first, each after its operands; then cotangents flow back from ${called(ROOT)}, edge by edge.`,
    };
  }
  const group = closedAround(current[0].node, player.closed);
  return group === null
    ? explain(current[0], stateAfter(player.events, start), player.sweep)
    : explainModule(current, group, state);
}

function showFacts(i, state) {
  const { label, path, data, grad, op } = NODES[i];
  const users = new Set(
    EDGES.filter((edge) => edge.operand === i).map((edge) => called(edge.node)),
  );
  const rows = [
    ["node", `${path ?? (label.trim() || called(i))}${op === null ? " (leaf)" : ""}`],
    ...(op === null ? [] : [["is", definition(i)]]),
    ["data", state.known[i] ? String(data).replace("-", "−") : "not computed yet"],
    [
      `gradient`,
      state.cotangent[i] === null
        ? "nothing has arrived"
        : String(state.cotangent[i]).replace("-", "−"),
    ],
    [
      "used by",
      users.size
        ? [...users].slice(0, 6).join(", ") + (users.size > 6 ? `, … ${users.size} in all` : "")
        : "nothing: it is the result",
    ],
  ];
  if (
    state.cotangent[i] !== null &&
    !agree(state.cotangent[i], grad) &&
    state.arrived[i] >= EXPECTED[i]
  )
    rows.splice(4, 0, ["right", String(grad).replace("-", "−")]);
  $("facts").replaceChildren(list(rows));
}

/** What the whole sweep of a wrong mode comes to. */
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
      ? "with = instead of +="
      : "depth-first, without a topological sort";
  const lucky =
    player.sweep === "overwriting"
      ? "no node has more than one share, so there is nothing to add up."
      : "no node passed on its cotangent before the last share had come. A value that is computed and then used twice can change that.";
  const text = nodes.length
    ? `Swept ${how}, ${nodes.length} of ${NODES.length} gradients ${nodes.length === 1 ? "is" : "are"} wrong.`
    : `Swept ${how}, this graph is lucky: ${lucky}`;
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
  const rows = nodes.slice(0, 40).map(({ node, got, right }) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `${isolated(short(NODES[node].path ?? name(node), 40))}: ${digits(got)} instead of ${digits(right)}`;
    button.addEventListener("click", () => goTo(node, true));
    const item = document.createElement("li");
    item.append(button);
    return item;
  });
  const made = document.createElement("ul");
  made.append(...rows);
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
    if (event.kind === "share" && warn(event, state, player.sweep)) return true;
    advance(state, event);
    return false;
  });
}

/** Go to the end of the step that holds event `k`. */
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

/** In the forward pass the step that computes node `i`, else the one that completes its gradient. */
function goTo(i, isBackward = player.at > NODES.length) {
  const arrivals = player.events.map((event, k) =>
    (event.kind === "share" ? EDGES[event.edge].operand : event.kind === "seed" ? ROOT : -1) === i
      ? k
      : -1,
  );
  const last = Math.max(...arrivals);
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
