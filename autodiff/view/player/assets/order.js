// The order of the cells in each rank of a drawing, and their heights.

function order(layers) {
  for (const layer of layers) {
    layer.sort((a, b) => a.index - b.index);
    keepModules(layer);
  }
  number(layers);
  let best = layers.map((layer) => [...layer]),
    fewest = crossings(layers);
  for (let sweep = 0; sweep < 12 && fewest > 0; sweep += 1) {
    const isRightward = sweep % 2 === 0;
    for (const layer of isRightward ? layers : [...layers].reverse())
      byBarycenter(layer, isRightward ? "left" : "right");
    const count = crossings(layers);
    if (count < fewest) [best, fewest] = [layers.map((layer) => [...layer]), count];
  }
  best.forEach((layer, r) => {
    layers[r].splice(0, layer.length, ...layer);
  });
  number(layers);
}

const number = (layers) =>
  layers.forEach((layer) =>
    layer.forEach((cell, k) => {
      cell.place = k;
    }),
  );

/** Where a link ends, as a place in its rank; ports of one box differ by parts of a place. */
const end = (link, back) => link.cell.place + (link.shift + back) / (link.cell.height + 20);

function byBarycenter(layer, side) {
  const wanted = new Map(
    layer.map((cell) => {
      const ends = cell[side].map((link) => end(link, link.port));
      return [cell, ends.length ? ends.reduce((a, b) => a + b) / ends.length : cell.place];
    }),
  );
  layer.sort((a, b) => wanted.get(a) - wanted.get(b) || a.place - b.place);
  keepModules(layer);
  layer.forEach((cell, k) => {
    cell.place = k;
  });
}

/** Bring modules, such as the neurons of a layer, into the order of the model. */
function keepModules(layer) {
  const isModule = (cell) => cell.item && cell.item.group !== null;
  const modules = layer.filter(isModule).sort((a, b) => a.item.group - b.item.group);
  layer.splice(0, layer.length, ...layer.map((cell) => (isModule(cell) ? modules.shift() : cell)));
}

/** How many pairs of lines cross between neighboring ranks. */
function crossings(layers) {
  let count = 0;
  for (const layer of layers) {
    const links = layer.flatMap((cell) =>
      cell.right.map((link) => [cell.place + link.port / (cell.height + 20), end(link, link.port)]),
    );
    links.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const ends = [];
    for (const [, target] of links) {
      // insertion into a sorted list counts inversions
      let low = 0,
        high = ends.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (ends[middle] <= target) low = middle + 1;
        else high = middle;
      }
      count += ends.length - low;
      ends.splice(low, 0, target);
    }
  }
  return count;
}

function heights(layers) {
  for (const layer of layers) {
    let y = 0;
    layer.forEach((cell, k) => {
      y += k ? distance(layer[k - 1], cell) : 0;
      cell.y = y;
    });
    for (const cell of layer) cell.y -= y / 2;
  }
  for (let round = 0; round < 30; round += 1) {
    const sides = round > 24 ? ["left", "right"] : round % 2 ? ["right"] : ["left"];
    for (const layer of round % 2 ? [...layers].reverse() : layers) settle(layer, sides);
  }
}

const distance = (a, b) => {
  const gap =
    a.item && b.item ? (a.item.children || b.item.children ? GAP.frame : GAP.node) : GAP.line;
  return (a.height + b.height) / 2 + gap;
};

/** Bring the cells of a rank as near to their neighbors as order and distances allow.
 *
 * Least squares under y[k+1] − y[k] ≥ distance: isotonic regression, by pooling violators.
 */
function settle(layer, sides) {
  const pools = [];
  let room = 0;
  layer.forEach((cell, k) => {
    room += k ? distance(layer[k - 1], cell) : 0;
    cell.room = room;
    const links = sides.flatMap((side) => cell[side]);
    const weight = links.reduce((sum, link) => sum + link.weight, 0);
    const sum = links.reduce((total, link) => total + link.weight * (link.cell.y + link.shift), 0);
    const wish = weight ? sum / weight : cell.y;
    let pool = { cells: [cell], weight: weight || 0.01, wish: wish - room };
    while (pools.length && pools[pools.length - 1].wish >= pool.wish) {
      const other = pools.pop();
      const both = other.weight + pool.weight;
      pool = {
        cells: [...other.cells, ...pool.cells],
        weight: both,
        wish: (other.wish * other.weight + pool.wish * pool.weight) / both,
      };
    }
    pools.push(pool);
  });
  for (const pool of pools) for (const cell of pool.cells) cell.y = pool.wish + cell.room;
}

/** The size of a frame, the place of its children, and where lines cross its ranks and border. */
function measure(frame, layers, chains) {
  const pad = frame.parent ? GAP.frame : 0,
    title = frame.parent ? GAP.title : 0;
  const cells = layers.flat();
  const topmost = Math.min(...cells.map((cell) => cell.y - cell.height / 2));
  const lowest = Math.max(...cells.map((cell) => cell.y + cell.height / 2));
  let x = pad;
  const columns = layers.map((layer) => {
    const width = Math.max(20, ...layer.map((cell) => (cell.item ? cell.item.width : 0)));
    const column = { x, width };
    x += width + GAP.column;
    return column;
  });
  frame.width = x - GAP.column + pad;
  frame.height = lowest - topmost + 2 * pad + title;
  const down = pad + title - topmost;
  for (const item of frame.children) {
    const { x: left, width } = columns[item.rank];
    item.dx = left + (width - item.width) / 2;
    item.dy = item.cell.y + down - item.height / 2;
  }
  frame.ports = new Map();
  frame.crossings = new Map();
  for (const {
    segment: { line, from, to },
    cells: crossed,
  } of chains) {
    const first = from ? from.rank + 1 : 0;
    frame.crossings.set(
      line,
      crossed.map((cell, k) => ({ ...columns[first + k], y: cell.y + down })),
    );
    const edge = from ? crossed[crossed.length - 1] : crossed[0];
    const [item, side] = from ? [from, "out"] : [to, "in"];
    if (!from || !to)
      frame.ports.set(line, down + (edge ? edge.y : item.cell.y + offset(item, line, side)));
  }
}

function place(item, x, y) {
  [item.x, item.y] = [x, y];
  for (const child of item.children ?? []) place(child, x + child.dx, y + child.dy);
}

/** The points that a line goes through, in pairs: between the two of a pair it is straight. */
function route(line) {
  const { from, to, port } = line;
  const points = [[from.x + from.width, from.y + from.height / 2]];
  for (const frame of [...line.ups, line.meeting, ...[...line.downs].reverse()]) {
    for (const { x, width, y } of frame.crossings.get(line)) {
      points.push([frame.x + x, frame.y + y], [frame.x + x + width, frame.y + y]);
    }
  }
  points.push([to.x, to.y + to.height / 2 + port]);
  return points;
}
