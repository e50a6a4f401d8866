// A nested layered drawing: an open module is a frame around a drawing of its own, a closed one is
// a box. In a frame, items get ranks by longest path, their order by barycenters, and their heights
// by isotonic regression (Sugiyama, Tagawa, Toda 1981, each step in its shortest form).

const BOX = { width: 100 + 8 * GRAPH.precision, height: 58 };
const GAP = { column: 56, node: 12, line: 9, frame: 16, title: 26 };

/** Boxes, frames and lines with their coordinates; the modules in `closed` are boxes. */
function layout(closed) {
  const top = { module: null, children: [], segments: [], parent: null, index: 0 };
  const { boxes, frames, boxOf } = nested(top, closed);
  const lines = linesBetween(boxOf);
  for (const line of lines) divide(line);
  arrange(top);
  locate(top, 0, 0);
  for (const line of lines) line.points = route(line);
  return { boxes, frames, lines, boxOf, width: top.width, height: top.height };
}

function nested(top, closed) {
  const boxes = [],
    frames = [],
    boxOf = [],
    byModule = new Map();
  const added = (item, parent) => {
    parent.children.push(item);
    item.parent = parent;
    return item;
  };
  NODES.forEach((_, i) => {
    let parent = top;
    for (const module of AROUND[i]) {
      if (!byModule.has(module)) {
        const isBox = closed.has(module);
        const item = isBox
          ? { module, node: null, members: [], index: i, ...BOX }
          : { module, children: [], segments: [], index: i };
        byModule.set(module, added(item, parent));
        (isBox ? boxes : frames).push(item);
      }
      parent = byModule.get(module);
      if (parent.members) break;
    }
    if (parent.members) {
      parent.members.push(i);
      boxOf[i] = parent;
    } else {
      boxOf[i] = added({ module: null, node: i, index: i, ...BOX }, parent);
      boxes.push(boxOf[i]);
    }
  });
  return { boxes, frames, boxOf };
}

function linesBetween(boxOf) {
  const lines = new Map();
  for (const edge of EDGES) {
    const from = boxOf[edge.operand],
      to = boxOf[edge.node];
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

/** Give each frame that `line` runs through its segment, between two children or from or to the
 * border (null). */
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

/** How far below the center of `item` the line leaves or enters it. */
function offset(item, line, side) {
  if (item.children) return item.ports.get(line) - item.height / 2;
  return side === "in" ? line.port : 0;
}

function arrange(frame) {
  frame.children.filter((item) => item.children).forEach(arrange);
  const count = assignRanks(frame);
  const ranks = Array.from({ length: count }, () => []);
  for (const item of frame.children) {
    item.cell = { item, height: item.height, index: item.index, left: [], right: [] };
    ranks[item.rank].push(item.cell);
  }
  const chains = frame.segments.map((segment) => chain(segment, ranks));
  order(ranks);
  heights(ranks);
  measure(frame, ranks, chains);
}

/** The children in topological order, except where a recurrence closes a cycle. */
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

/** Set the rank of each child; returns how many ranks there are. */
function assignRanks(frame) {
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
    // a leaf is in the rank right before its first use
    if (before.get(item).length || entered.has(item) || !after.get(item).length) continue;
    item.rank = Math.min(...after.get(item).map((x) => x.rank)) - 1;
  }
  return Math.max(...frame.children.map((item) => item.rank)) + 1;
}

/** The cells of one segment: a thin one in each rank that the line crosses. */
function chain(segment, ranks) {
  const { line, from, to } = segment;
  const first = from ? from.rank + 1 : 0,
    last = to ? to.rank : ranks.length;
  const cells = [];
  for (let r = first; r < last; r += 1) {
    const cell = { item: null, height: 0, index: line.from.index, left: [], right: [] };
    ranks[r].push(cell);
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
