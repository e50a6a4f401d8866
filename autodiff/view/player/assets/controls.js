// Buttons, keys, and the focus that moves through the graph.

/** Make `part` the only part of the graph that the Tab key reaches. */
function rove(part) {
  world.querySelector("[tabindex='0']")?.setAttribute("tabindex", -1);
  part.setAttribute("tabindex", 0);
}

/** Focus the part that is `by` positions behind `from`, in topological order. */
function walk(from, by) {
  const parts = [...world.querySelectorAll("[role=button]")];
  const next = parts[Math.max(0, Math.min(parts.length - 1, parts.indexOf(from) + by))];
  rove(next);
  next.focus({ preventScroll: true });
  const { node, module } = next.dataset;
  const item =
    node === undefined
      ? [...picture.frames, ...picture.boxes].find((item) => item.module === Number(module))
      : picture.boxOf[Number(node)];
  follow([item]);
}

function press(part) {
  if (part.dataset.module !== undefined) toggle(Number(part.dataset.module));
  else goTo(Number(part.dataset.node));
}

world.addEventListener("click", (event) => {
  const part = event.target.closest("[role=button]");
  if (part && !camera.isDragging) press(part);
});

world.addEventListener("keydown", (event) => {
  const part = event.target.closest("[role=button]");
  if (!part || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter") press(part);
  else if (event.key === "ArrowDown") walk(part, 1);
  else if (event.key === "ArrowUp") walk(part, -1);
  else return;
  event.preventDefault();
  event.stopPropagation();
});

function setTheme() {
  const root = document.documentElement;
  const next = { auto: "light", light: "dark", dark: "auto" }[root.dataset.theme ?? "auto"];
  root.dataset.theme = next;
  $("theme").textContent = `Theme: ${next}`;
}

function changeSpeed(by) {
  const speed = $("speed");
  speed.selectedIndex = Math.max(0, Math.min(speed.options.length - 1, speed.selectedIndex + by));
}

const jumps = { first: () => step(-player.ends.length), last: () => step(player.ends.length) };
const KEYS = {
  " ": play,
  ArrowRight: () => {
    stop();
    step(1);
  },
  ArrowLeft: () => {
    stop();
    step(-1);
  },
  Home: jumps.first,
  End: jumps.last,
  b: () => moveTo(NODES.length),
  "<": () => changeSpeed(-1),
  ">": () => changeSpeed(1),
  w: () => setSweep(SWEEPS[(SWEEPS.indexOf(player.sweep) + 1) % SWEEPS.length]),
  g: () => $("jump").focus(),
  c: closeAll,
  e: openAll,
  "+": () => zoom(1.25),
  "=": () => zoom(1.25),
  "-": () => zoom(0.8),
  0: () => fit(picture),
  t: setTheme,
  "?": () => $("keys").showModal(),
};
const MOVES = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("keys").open) return;
  const { key, target } = event;
  if (
    target.matches("select, input[type=range]") &&
    (key.length === 1 || key.startsWith("Arrow") || key === "Home" || key === "End")
  )
    return;
  if (target.matches("button, input") && (key === " " || key === "Enter")) return;
  const isMove = event.shiftKey && key in MOVES;
  const action = isMove
    ? () => pan(...MOVES[key])
    : KEYS[key.length === 1 ? key.toLowerCase() : key];
  if (!action) return;
  event.preventDefault();
  action();
});

const BUTTONS = {
  first: jumps.first,
  last: jumps.last,
  back: KEYS.ArrowLeft,
  forward: KEYS.ArrowRight,
  play,
  theme: setTheme,
  help: KEYS["?"],
  collapse: closeAll,
  expand: openAll,
  "zoom-in": KEYS["+"],
  "zoom-out": KEYS["-"],
  fit: KEYS["0"],
};
for (const [id, action] of Object.entries(BUTTONS)) $(id).addEventListener("click", action);
$("sweep").addEventListener("change", () => setSweep($("sweep").value));
$("position").addEventListener("input", () => {
  stop();
  const to = Number($("position").value);
  player.at = to ? player.ends[to - 1] : 0;
  show();
});
$("jump").addEventListener("change", () => {
  if ($("jump").value !== "") goTo(Number($("jump").value));
  $("jump").value = "";
});
addEventListener("resize", () => {
  measureView();
  fit(picture);
  show();
});

function begin() {
  const folded = GRAPH.closed.length ? "; modules are closed: click one to open it" : "";
  $("summary").textContent =
    `${many(NODES.length, "node")}, ${many(EDGES.length, "edge")}${folded}`;
  const option = (value, words) => {
    const made = document.createElement("option");
    made.value = value;
    made.textContent = words;
    return made;
  };
  $("jump").append(
    option("", "a node …"),
    ...NODES.map((_, i) => option(i, short(inWords(i), 60))),
  );
  player.events = eventsOf(player.sweep);
  document.body.dataset.sweep = player.sweep;
  measureView();
  redraw();
}

begin();
