// Opening and closing modules.

const MEMBERS = MODULES.map((_, g) => AROUND.filter((around) => around.includes(g)).length);

/** How many boxes are drawn if the modules in `closed` are boxes. */
function boxCount(closed) {
  return new Set(
    NODES.map((_, i) => {
      const module = closedAround(i, closed);
      return module === null ? `n${i}` : `g${module}`;
    }),
  ).size;
}

/** Close exactly the modules in `closed`, unless that draws too many boxes. */
function setClosed(closed) {
  const count = boxCount(closed);
  if (count > GRAPH.max_boxes && count > boxCount(player.closed)) {
    refuse(
      `This would draw ${count} boxes; at most ${GRAPH.max_boxes} can be drawn. Close other modules first.`,
    );
    return;
  }
  player.closed = closed;
  redraw();
}

function toggle(module) {
  const before = player.closed,
    closed = new Set(before);
  if (!closed.delete(module)) closed.add(module);
  setClosed(closed);
  if (player.closed === before) return;
  $("live").textContent =
    `Module ${isolated(short(MODULES[module].path, 40))} ${player.closed.has(module) ? "closed" : "open"}.`;
  const part = [...picture.frames, ...picture.boxes].find((item) => item.module === module);
  if ($("follow").checked) follow([part]);
  const stop = world.querySelector(`[data-module="${module}"]`);
  rove(stop);
  stop.focus({ preventScroll: true });
}

const closeAll = () => setClosed(new Set(MODULES.keys()));
const openAll = () => setClosed(new Set());

function refuse(words) {
  $("live").textContent = words;
  [$("note").textContent, $("note").className] = [words, "warning"];
}

/** List the modules in the panel as a tree, without those inside a closed module. */
function listModules() {
  $("modules").hidden = MODULES.length === 0;
  const focused = document.activeElement?.dataset?.module;
  $("module-list").replaceChildren(...branch(null));
  if (focused) $("module-list").querySelector(`[data-module="${focused}"]`)?.focus();
}

function branch(parent) {
  return [...MODULES.keys()]
    .filter((g) => MODULES[g].parent === parent)
    .map((g) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      const isOpen = !player.closed.has(g);
      button.type = "button";
      button.dataset.module = g;
      button.setAttribute("aria-expanded", String(isOpen));
      const label = document.createElement("bdi");
      label.textContent = short(MODULES[g].name, 40);
      const count = document.createElement("span");
      count.textContent = many(MEMBERS[g], "node");
      button.append(label, count);
      button.addEventListener("click", () => {
        toggle(g);
        $("module-list").querySelector(`[data-module="${g}"]`)?.focus();
      });
      item.append(button);
      const inside = isOpen ? branch(g) : [];
      if (inside.length) {
        const inner = document.createElement("ul");
        inner.append(...inside);
        item.append(inner);
      }
      return item;
    });
}
