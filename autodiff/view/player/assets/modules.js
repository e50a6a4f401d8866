// Opening and closing modules.

const MEMBERS = GROUPS.map((_, g) => AROUND.filter((around) => around.includes(g)).length);

/** How many boxes are drawn when the groups in `closed` are boxes. */
function boxes(closed) {
  return new Set(
    NODES.map((_, i) => {
      const group = closedAround(i, closed);
      return group === null ? `n${i}` : `g${group}`;
    }),
  ).size;
}

/** Close exactly the groups in `closed`, unless that draws too many boxes. */
function setClosed(closed) {
  const count = boxes(closed);
  if (count > GRAPH.limit && count > boxes(player.closed)) {
    refuse(
      `That would draw ${count} boxes; up to ${GRAPH.limit} are drawn. Close other modules first.`,
    );
    return;
  }
  player.closed = closed;
  redraw();
}

function toggle(group) {
  const before = player.closed,
    closed = new Set(before);
  if (!closed.delete(group)) closed.add(group);
  setClosed(closed);
  if (player.closed === before) return;
  $("live").textContent =
    `Module ${isolated(short(GROUPS[group].path, 40))} ${player.closed.has(group) ? "closed" : "open"}.`;
  const part = [...picture.frames, ...picture.atoms].find((item) => item.group === group);
  if ($("follow").checked) follow([part]);
  const stop = world.querySelector(`[data-group="${group}"]`);
  rove(stop);
  stop.focus({ preventScroll: true });
}

const closeAll = () => setClosed(new Set(GROUPS.keys()));
const openAll = () => setClosed(new Set());

function refuse(words) {
  $("live").textContent = words;
  [$("note").textContent, $("note").className] = [words, "warning"];
}

/** The tree of modules in the panel; those inside a closed one are not listed. */
function listModules() {
  $("modules").hidden = GROUPS.length === 0;
  const focused = document.activeElement?.dataset?.module;
  $("module-list").replaceChildren(...branch(null));
  if (focused) $("module-list").querySelector(`[data-module="${focused}"]`)?.focus();
}

function branch(parent) {
  return [...GROUPS.keys()]
    .filter((g) => GROUPS[g].parent === parent)
    .map((g) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      const isOpen = !player.closed.has(g);
      button.type = "button";
      button.dataset.module = g;
      button.setAttribute("aria-expanded", String(isOpen));
      const label = document.createElement("bdi");
      label.textContent = short(GROUPS[g].name, 40);
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
