// A nested layered drawing: open modules are frames around drawings of their own, closed ones are
// boxes. Inside a frame: ranks by longest path, order by barycenters, heights by isotonic
// regression (Sugiyama, Tagawa, Toda 1981; each step in the form that is shortest to state).

const BOX = { width: 100 + 8 * GRAPH.precision, height: 58 };
const GAP = { column: 56, node: 12, line: 9, frame: 16, title: 26 };

/** Boxes, frames and lines, with their places, where the groups in `closed` are boxes. */
function layout(closed) {
  const top = { group: null, children: [], segments: [], parent: null, index: 0 };
  const { atoms, frames, atomOf } = nested(top, closed);
  const lines = linesBetween(atomOf);
  for (const line of lines) divide(line);
  arrange(top);
  place(top, 0, 0);
  for (const line of lines) line.points = route(line);
  return { atoms, frames, lines, atomOf, width: top.width, height: top.height };
}

function nested(top, closed) {
  const atoms = [],
    frames = [],
    atomOf = [],
    byGroup = new Map();
  const added = (item, parent) => {
    parent.children.push(item);
    item.parent = parent;
    return item;
  };
  NODES.forEach((_, i) => {
    let parent = top;
    for (const group of AROUND[i]) {
      if (!byGroup.has(group)) {
        const isBox = closed.has(group);
        const item = isBox
          ? { group, node: null, members: [], index: i, ...BOX }
          : { group, children: [], segments: [], index: i };
        byGroup.set(group, added(item, parent));
        (isBox ? atoms : frames).push(item);
      }
      parent = byGroup.get(group);
      if (parent.members) break;
    }
    if (parent.members) {
      parent.members.push(i);
      atomOf[i] = parent;
    } else {
      atomOf[i] = added({ group: null, node: i, index: i, ...BOX }, parent);
      atoms.push(atomOf[i]);
    }
  });
  return { atoms, frames, atomOf };
}

function linesBetween(atomOf) {
  const lines = new Map();
  for (const edge of EDGES) {
    const from = atomOf[edge.operand],
      to = atomOf[edge.node];
    if (from === to) continue;
    const isSingle = from.node !== null && to.node !== null;
    const key = `${from.index} ${to.index} ${isSingle ? edge.position : ""}`;
    if (!lines.has(key)) {
      const count = NODES[edge.node].operands.length;
      const port = to.node === null ? 0 : ((edge.position + 1) / (count + 1) - 0.5) * BOX.height;
      lines.set(key, { from, to, edges: [], port: isSingle ? port : 0 });
    }
    lines.get(key).edges.push(edge.id);
  }
  return [...lines.values()];
}

const parents = (item) => (item.parent ? [item.parent, ...parents(item.parent)] : []);

/** Give each frame that `line` runs through its segment: from a child or from outside, to likewise. */
function divide(line) {
  const ups = parents(line.from),
    downs = parents(line.to);
  const meeting = ups.find((frame) => downs.includes(frame));
  line.ups = ups.slice(0, ups.indexOf(meeting));
  line.downs = downs.slice(0, downs.indexOf(meeting));
  line.meeting = meeting;
  let from = line.from,
    to = line.to;
  for (const frame of line.ups) {
    frame.segments.push({ line, from, to: null });
    from = frame;
  }
  for (const frame of line.downs) {
    frame.segments.push({ line, from: null, to });
    to = frame;
  }
  meeting.segments.push({ line, from, to });
}

/** Where `line` leaves or enters `item`, from the item's center. */
function offset(item, line, side) {
  if (item.children) return item.ports.get(line) - item.height / 2;
  return side === "in" ? line.port : 0;
}

function arrange(frame) {
  frame.children.filter((item) => item.children).forEach(arrange);
  const count = rank(frame);
  const layers = Array.from({ length: count }, () => []);
  for (const item of frame.children) {
    item.cell = { item, height: item.height, index: item.index, left: [], right: [] };
    layers[item.rank].push(item.cell);
  }
  const chains = frame.segments.map((segment) => chain(segment, layers));
  order(layers);
  heights(layers);
  measure(frame, layers, chains);
}

/** The children in topological order; what would close a cycle (a recurrence) is left out. */
function sorted(frame) {
  const sources = new Map(frame.children.map((item) => [item, []]));
  for (const { from, to } of frame.segments) if (from && to) sources.get(to).push(from);
  const done = new Set(),
    open = new Set();
  const visit = (item) => {
    if (open.has(item)) return;
    open.add(item);
    sources.get(item).forEach(visit);
    done.add(item);
  };
  frame.children.forEach(visit);
  return [...done];
}

function rank(frame) {
  frame.children = sorted(frame);
  const position = new Map(frame.children.map((item, k) => [item, k]));
  const isOn = ({ from, to }) => from && to && position.get(from) < position.get(to);
  const before = new Map(frame.children.map((item) => [item, []]));
  const after = new Map(frame.children.map((item) => [item, []]));
  const entered = new Set();
  for (const segment of frame.segments) {
    if (isOn(segment)) {
      before.get(segment.to).push(segment.from);
      after.get(segment.from).push(segment.to);
    }
    if (!segment.from) entered.add(segment.to);
  }
  for (const item of frame.children)
    item.rank = Math.max(0, ...before.get(item).map((x) => x.rank + 1));
  for (const item of frame.children) {
    // a leaf stands right before its first use
    if (before.get(item).length || entered.has(item) || !after.get(item).length) continue;
    item.rank = Math.min(...after.get(item).map((x) => x.rank)) - 1;
  }
  return Math.max(...frame.children.map((item) => item.rank)) + 1;
}

/** The cells of one segment, with a thin one in each rank that the line only crosses. */
function chain(segment, layers) {
  const { line, from, to } = segment;
  const first = from ? from.rank + 1 : 0,
    last = to ? to.rank : layers.length;
  const cells = [];
  for (let r = first; r < last; r += 1) {
    const cell = { item: null, height: 0, index: line.from.index, left: [], right: [] };
    layers[r].push(cell);
    cells.push(cell);
  }
  const ends = [
    ...(from ? [[from.cell, offset(from, line, "out")]] : []),
    ...cells.map((cell) => [cell, 0]),
    ...(to ? [[to.cell, offset(to, line, "in")]] : []),
  ];
  if (from && to && from.rank >= to.rank) return { segment, cells: [] }; // a recurrence
  for (let k = 1; k < ends.length; k += 1) {
    const [a, shiftA] = ends[k - 1],
      [b, shiftB] = ends[k];
    const weight = a.item ? (b.item ? 1 : 2) : b.item ? 2 : 8; // long lines are straight
    a.right.push({ cell: b, shift: shiftB - shiftA, port: shiftA, weight });
    b.left.push({ cell: a, shift: shiftA - shiftB, port: shiftB, weight });
  }
  return { segment, cells };
}
