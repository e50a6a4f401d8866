// The order and the heights of the cells in each rank of a drawing.

function order(ranks) {
  for (const cells of ranks) {
    cells.sort((a, b) => a.index - b.index);
    keepModules(cells);
  }
  number(ranks);
  let best = ranks.map((cells) => [...cells]),
    fewest = crossings(ranks);
  for (let sweep = 0; sweep < 12 && fewest > 0; sweep += 1) {
    const isRightward = sweep % 2 === 0;
    for (const cells of isRightward ? ranks : [...ranks].reverse())
      byBarycenter(cells, isRightward ? "left" : "right");
    const count = crossings(ranks);
    if (count < fewest) [best, fewest] = [ranks.map((cells) => [...cells]), count];
  }
  best.forEach((cells, r) => {
    ranks[r].splice(0, cells.length, ...cells);
  });
  number(ranks);
}

const number = (ranks) =>
  ranks.forEach((cells) =>
    cells.forEach((cell, k) => {
      cell.position = k;
    }),
  );

/** The position in its rank at which a link ends; ports of one box differ by fractions. */
const end = (link, back) => link.cell.position + (link.shift + back) / (link.cell.height + 20);

function byBarycenter(cells, side) {
  const wanted = new Map(
    cells.map((cell) => {
      const ends = cell[side].map((link) => end(link, link.port));
      return [cell, ends.length ? ends.reduce((a, b) => a + b) / ends.length : cell.position];
    }),
  );
  cells.sort((a, b) => wanted.get(a) - wanted.get(b) || a.position - b.position);
  keepModules(cells);
  cells.forEach((cell, k) => {
    cell.position = k;
  });
}

/** Bring modules, such as the neurons of a layer, into the order of the model. */
function keepModules(cells) {
  const isModule = (cell) => cell.item && cell.item.module !== null;
  const modules = cells.filter(isModule).sort((a, b) => a.item.module - b.item.module);
  cells.splice(0, cells.length, ...cells.map((cell) => (isModule(cell) ? modules.shift() : cell)));
}

/** How many pairs of lines cross between neighboring ranks. */
function crossings(ranks) {
  let count = 0;
  for (const cells of ranks) {
    const links = cells.flatMap((cell) =>
      cell.right.map((link) => [
        cell.position + link.port / (cell.height + 20),
        end(link, link.port),
      ]),
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

function heights(ranks) {
  for (const cells of ranks) {
    let y = 0;
    cells.forEach((cell, k) => {
      y += k ? distance(cells[k - 1], cell) : 0;
      cell.y = y;
    });
    for (const cell of cells) cell.y -= y / 2;
  }
  for (let round = 0; round < 30; round += 1) {
    const sides = round > 24 ? ["left", "right"] : round % 2 ? ["right"] : ["left"];
    for (const cells of round % 2 ? [...ranks].reverse() : ranks) settle(cells, sides);
  }
}

const distance = (a, b) => {
  const gap =
    a.item && b.item ? (a.item.children || b.item.children ? GAP.frame : GAP.node) : GAP.line;
  return (a.height + b.height) / 2 + gap;
};

/** Bring the cells of a rank as close to their neighbors as order and distances allow.
 *
 * This is least squares under y[k+1] − y[k] ≥ distance: isotonic regression by pooling violators.
 */
function settle(cells, sides) {
  const pools = [];
  let room = 0;
  cells.forEach((cell, k) => {
    room += k ? distance(cells[k - 1], cell) : 0;
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

/** Set the size of a frame, the offsets of its children, and where lines cross its ranks and border. */
function measure(frame, ranks, chains) {
  const pad = frame.parent ? GAP.frame : 0,
    title = frame.parent ? GAP.title : 0;
  const cells = ranks.flat();
  const topmost = Math.min(...cells.map((cell) => cell.y - cell.height / 2));
  const lowest = Math.max(...cells.map((cell) => cell.y + cell.height / 2));
  let x = pad;
  const columns = ranks.map((rank) => {
    const width = Math.max(20, ...rank.map((cell) => (cell.item ? cell.item.width : 0)));
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

/** Set the coordinates of `item` and of all items in it. */
function locate(item, x, y) {
  [item.x, item.y] = [x, y];
  for (const child of item.children ?? []) locate(child, x + child.dx, y + child.dy);
}

/** The points of a line in pairs; between the two points of a pair it is straight. */
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
