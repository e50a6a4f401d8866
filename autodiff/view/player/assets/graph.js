// The graph and its numbers as autodiff wrote them, and the spelling of names and numbers.

const GRAPH = JSON.parse(document.getElementById("graph").textContent, (key, x) =>
  x !== null && typeof x === "object" && "float" in x ? Number(x.float) : x,
);
const NODES = GRAPH.nodes;
const MODULES = GRAPH.modules;
const ROOT = NODES.length - 1;

// One edge per operand; `node` is the node that has the operand.
const EDGES = NODES.flatMap((node, i) =>
  node.operands.map((operand, position) => ({
    node: i,
    position,
    operand,
    partial: node.partials[position],
    formula: node.partial_formulas[position],
  })),
);
EDGES.forEach((edge, id) => {
  edge.id = id;
});
const FIRST_EDGE = NODES.map((_, i) => EDGES.findIndex((edge) => edge.node === i));

// The modules around a node, from the outermost to its own.
const AROUND = NODES.map((node) => {
  const path = [];
  for (let g = node.module; g !== null; g = MODULES[g].parent) path.unshift(g);
  return path;
});

function contributions(sweep) {
  return GRAPH.sweeps[sweep].map(([node, position, cotangent, product, total]) => ({
    edge: FIRST_EDGE[node] + position,
    cotangent,
    product,
    total,
  }));
}

const RIGHT = contributions("topological");
// How many contributions each cotangent is the sum of, and the product on each edge, in the right
// sweep.
const EXPECTED = NODES.map(() => 0);
const PRODUCTS = EDGES.map(() => null);
for (const contribution of RIGHT) {
  if (contribution.product === null) continue;
  EXPECTED[EDGES[contribution.edge].operand] += 1;
  PRODUCTS[contribution.edge] = contribution.product;
}
EXPECTED[ROOT] += 1; // the seed

const same = (x, y) => Object.is(x, y) || x === y;
// Another order of addition rounds differently.
const agree = (x, y) => same(x, y) || Math.abs(x - y) <= 1e-9 * Math.max(Math.abs(x), Math.abs(y));

/** A number as Python's %g writes it. */
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

/** `text` on one line, with at most `length` characters as a reader counts them. */
function short(text, length) {
  const line = text
    .slice(0, 8 * length)
    .replace(/[\s\p{C}]+/gu, (x) => (x === "\u200d" ? x : " "))
    .trim();
  const parts = Array.from(graphemes.segment(line), (part) => part.segment);
  const isWhole = parts.length <= length && text.length <= 8 * length;
  return isWhole ? line : `${parts.slice(0, length - 1).join("")}…`;
}

/** The name of a node: its label, else root, or v and its index in topological order. */
function name(i, length = 16) {
  return short(NODES[i].label, length) || (i === ROOT ? "root" : `v${i}`);
}

// Labels may run from right to left; this keeps the direction of the text around them.
const isolated = (text) => `\u2068${text}\u2069`;

/** A formula with `symbol` of each operand of node `i`, and of its result, filled in. */
function filled(formula, i, symbol) {
  return formula.replace(/\{(\w+)\}/g, (_, hole) =>
    symbol(hole === "out" ? i : NODES[i].operands[Number(hole)]),
  );
}

/** The op of node `i` on its operands; null for a leaf. */
function definition(i, symbol = (operand) => isolated(name(operand))) {
  const { op, formula, operands } = NODES[i];
  if (op === null) return null;
  if (formula !== null) return filled(formula, i, symbol);
  return `${op}(${operands.slice(0, 3).map(symbol).join(", ")}, …)`;
}

/** A node in words, for screen readers and tooltips. */
function inWords(i) {
  const formula = definition(i);
  return formula === null ? isolated(name(i)) : `${isolated(name(i))} = ${formula}`;
}
