// The graph and the numbers as autodiff wrote them, and how names and numbers are spelled.

const GRAPH = JSON.parse(document.getElementById("graph").textContent, (key, x) =>
  x !== null && typeof x === "object" && "float" in x ? Number(x.float) : x,
);
const NODES = GRAPH.nodes;
const GROUPS = GRAPH.groups;
const ROOT = NODES.length - 1;

// One edge an operand; `node` is the op that it enters.
const EDGES = NODES.flatMap((node, i) =>
  node.operands.map((operand, position) => ({
    node: i,
    position,
    operand,
    partial: node.partials[position],
    slope: node.slopes[position],
  })),
);
EDGES.forEach((edge, id) => {
  edge.id = id;
});
const FIRST_EDGE = NODES.map((_, i) => EDGES.findIndex((edge) => edge.node === i));

// The groups around a node, from the outermost to its own.
const AROUND = NODES.map((node) => {
  const path = [];
  for (let g = node.group; g !== null; g = GROUPS[g].parent) path.unshift(g);
  return path;
});

function shares(sweep) {
  return GRAPH.sweeps[sweep].map(([node, position, cotangent, product, total]) => ({
    edge: FIRST_EDGE[node] + position,
    cotangent,
    product,
    total,
  }));
}

const RIGHT = shares("topological");
// How many cotangents a node is the sum of, and what each edge carries in the right order.
const EXPECTED = NODES.map(() => 0);
const PRODUCTS = EDGES.map(() => null);
for (const share of RIGHT) {
  if (share.product === null) continue;
  EXPECTED[EDGES[share.edge].operand] += 1;
  PRODUCTS[share.edge] = share.product;
}
EXPECTED[ROOT] += 1; // the seed

const same = (x, y) => Object.is(x, y) || x === y;
// Products may be added in another order, which rounds differently.
const agree = (x, y) => same(x, y) || Math.abs(x - y) <= 1e-9 * Math.max(Math.abs(x), Math.abs(y));

/** A number to as many digits as Python's %g. */
function digits(x, precision = GRAPH.precision) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "−inf";
  if (x === 0) return Object.is(x, -0) ? "−0" : "0";
  let [mantissa, exponent] = x.toExponential(precision - 1).split("e");
  exponent = Number(exponent);
  const isScientific = exponent < -4 || exponent >= precision;
  let text = isScientific ? mantissa : x.toFixed(Math.max(0, precision - 1 - exponent));
  if (text.includes(".")) text = text.replace(/\.?0+$/, "");
  if (isScientific)
    text += `e${exponent < 0 ? "−" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  return text.replace("-", "−");
}

/** A number inside a formula. */
const inner = (x) => (x < 0 || Object.is(x, -0) ? `(${digits(x)})` : digits(x));

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** `text` on one line, of at most `length` characters as a reader counts them. */
function short(text, length) {
  const line = text
    .slice(0, 8 * length)
    .replace(/[\s\p{C}]+/gu, (x) => (x === "\u200d" ? x : " "))
    .trim();
  const parts = Array.from(graphemes.segment(line), (part) => part.segment);
  const isWhole = parts.length <= length && text.length <= 8 * length;
  return isWhole ? line : `${parts.slice(0, length - 1).join("")}…`;
}

/** The name of a node: its label, else root, or v and its place in topological order. */
function name(i, length = 16) {
  return short(NODES[i].label, length) || (i === ROOT ? "root" : `v${i}`);
}

// Labels may run from right to left; this keeps them from turning their surroundings around.
const isolated = (text) => `\u2068${text}\u2069`;

/** A formula with what `symbol` gives for each operand of node `i`, and for its result. */
function filled(formula, i, symbol) {
  return formula.replace(/\{(\w+)\}/g, (_, hole) =>
    symbol(hole === "out" ? i : NODES[i].operands[Number(hole)]),
  );
}

/** What node `i` is of its operands; null for a leaf. */
function definition(i, symbol = (operand) => isolated(name(operand))) {
  const { op, formula, operands } = NODES[i];
  if (op === null) return null;
  if (formula !== null) return filled(formula, i, symbol);
  return `${op}(${operands.slice(0, 3).map(symbol).join(", ")}, …)`;
}

/** A node in words, for readers of the screen and for tooltips. */
function inWords(i) {
  const formula = definition(i);
  return formula === null ? isolated(name(i)) : `${isolated(name(i))} = ${formula}`;
}
