// What one step does: formulas, the same with numbers, and words.

const MATHML = "http://www.w3.org/1998/Math/MathML";

function math(tag, ...children) {
  const made = document.createElementNS(MATHML, tag);
  made.append(...children);
  return made;
}

const text = (x) => math("mtext", x);
const derivative = (top, bottom) =>
  math(
    "mfrac",
    ...[top, bottom].map((x) =>
      math("mrow", math("mo", "∂"), text(typeof x === "string" ? x : isolated(name(x, 9)))),
    ),
  );

/** Lines `left sign right`, one below the other. */
function equations(lines) {
  const entries = lines.map(([left, sign, right, tone]) => {
    const entry = math(
      "mtr",
      math("mtd", ...left),
      math("mtd", math("mo", sign)),
      math("mtd", ...right),
    );
    if (tone) entry.setAttribute("class", tone);
    return entry;
  });
  const table = math("mtable", ...entries);
  table.setAttribute("displaystyle", "true"); // fractions at full size
  return math("math", table);
}

const called = (i) => isolated(name(i));
const gradientOf = (i) => `∂${called(ROOT)}/∂${called(i)}`;
const ordinal = (k) =>
  `${k}${{ 1: "st", 2: "nd", 3: "rd" }[k % 100 > 10 && k % 100 < 14 ? 0 : k % 10] ?? "th"}`;
const many = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;

/** The rule that the backward pass applies, a sum over all nodes u that use x. */
function chainRule() {
  const sum = math("munder", math("mo", "∑"), math("mtext", "uses u of x"));
  return equations([
    [
      [derivative(ROOT, "x")],
      "=",
      [sum, derivative(ROOT, "u"), math("mo", "·"), derivative("u", "x")],
    ],
  ]);
}

/** Headline, formula and sentence for one event; `before` is the state before it. */
function explain(event, before, sweep) {
  if (event.kind === "forward") return explainValue(event.node);
  if (event.kind === "seed") {
    return {
      phase: "backward",
      headline: "Backward: the seed",
      formula: equations([[[derivative(ROOT, ROOT)], "=", [text("1")]]]),
      sentence:
        `The derivative of ${called(ROOT)} with respect to itself is 1. From here on, each op ` +
        "multiplies its cotangent by a partial for each operand, and sends it the product.",
    };
  }
  return explainContribution(event, before, sweep);
}

function explainValue(i) {
  const value = digits(NODES[i].data);
  if (NODES[i].op === null) {
    return {
      phase: "forward",
      headline: `Forward: ${called(i)} is given`,
      formula: equations([[[text(called(i))], "=", [text(value)]]]),
      sentence: `${called(i)} is a leaf; its value ${value} is given.`,
    };
  }
  const numbers = definition(i, (operand) => inner(NODES[operand].data));
  return {
    phase: "forward",
    headline: `Forward: ${called(i)}`,
    formula: equations([
      [[text(called(i))], "=", [text(definition(i))]],
      [[], "=", [text(numbers)]],
      [[], "=", [text(value)], "result"],
    ]),
    sentence: `${inWords(i)} = ${value}.`,
  };
}

function explainContribution(event, before, sweep) {
  const { node, operand, partial, formula } = EDGES[event.edge];
  const headline = `Backward: ${called(node)} → ${called(operand)}`;
  const left = [derivative(ROOT, operand)];
  if (event.product === null) {
    return {
      phase: "backward",
      headline,
      formula: equations([[[derivative(node, operand)], "=", [text("0")], "result"]]),
      sentence: `${inWords(node)} does not depend on ${called(operand)} here: nothing crosses this edge.`,
    };
  }
  const sign = sweep === "overwriting" ? "=" : "+=";
  const product = digits(event.product);
  const factors = [derivative(ROOT, node), math("mo", "·"), derivative(node, operand)];
  const lines = [[left, sign, factors]];
  const symbols = formula === null ? null : filled(formula, node, called);
  if (symbols !== null && formula.includes("{")) {
    lines.push([
      [],
      "=",
      [text(`${inner(event.cotangent)} · ${symbols.includes(" ") ? `(${symbols})` : symbols}`)],
    ]);
  }
  lines.push([[], "=", [text(`${inner(event.cotangent)} · ${inner(partial)}`)]]);
  lines.push([[], "=", [text(product)], "result"]);
  const nth = before.arrived[operand] + 1,
    expected = EXPECTED[operand];
  const total = digits(event.total);
  let sentence = `${called(node)} sends ${inner(event.cotangent)} · ${inner(partial)} = ${product} to ${called(operand)}.`;
  if (expected > 1) {
    const which = `the ${ordinal(nth)} of ${expected} contributions`;
    if (nth > 1 && sweep !== "overwriting") {
      const sum = `${digits(before.cotangent[operand])} + ${inner(event.product)}`;
      lines.push([[derivative(ROOT, operand)], "=", [text(`${sum} = ${total}`)], "sum"]);
      sentence += ` This is ${which}, which add up: ${sum} = ${total}.`;
    } else {
      sentence += ` This is ${which}.`;
    }
  }
  return {
    phase: "backward",
    headline,
    formula: equations(lines),
    sentence,
    warning: warn(event, before, sweep),
  };
}

/** What goes wrong in this step, in words; undefined if nothing does. */
function warn(event, before, sweep) {
  const { node, operand } = EDGES[event.edge];
  if (isWrong(event)) {
    const wrong = `${called(node)} passes on ${digits(event.cotangent)}, but ${gradientOf(node)} is ${digits(NODES[node].grad)}`;
    if (sweep === "overwriting") return `${wrong}: a contribution was overwritten.`;
    const missing = EXPECTED[node] - before.arrived[node];
    return missing > 0
      ? `${wrong}: ${missing} of ${EXPECTED[node]} contributions ${missing === 1 ? "has" : "have"} not arrived yet. In topological order, all uses of ${called(node)} come first.`
      : `${wrong}: the contributions to it were already wrong.`;
  }
  if (before.passed[operand] !== null) {
    return `Too late: ${called(operand)} has already passed on its cotangent. This contribution of ${digits(event.product)} never reaches its operands.`;
  }
  if (sweep === "overwriting" && before.arrived[operand] > 0) {
    return `“=” throws away the ${digits(before.cotangent[operand])} that had arrived. With += the sum is ${digits(before.cotangent[operand] + event.product)}.`;
  }
  return undefined;
}

/** As `explain`, for all events of one step inside a closed module. */
function explainModule(events, module, after) {
  const told = { isModule: true, headline: isolated(short(MODULES[module].path, 40)) };
  if (events[0].kind === "forward") {
    const inside = new Set(events.map((event) => event.node));
    const leaving = [...inside].filter(
      (i) =>
        i === ROOT ||
        EDGES.some((edge) => edge.operand === i && !AROUND[edge.node].includes(module)),
    );
    return {
      ...told,
      phase: "forward",
      headline: `Forward: ${told.headline}`,
      formula: listed("Outputs", leaving, (i) => NODES[i].data),
      sentence: `${many(events.length, "value")} computed. Open the module to see each.`,
    };
  }
  const reached = new Set(
    events.filter((event) => event.product !== null).map((event) => EDGES[event.edge].operand),
  );
  const leaves = [...reached].filter((i) => NODES[i].op === null);
  const size = (i) => Math.abs(after.cotangent[i]);
  const wrong = events.filter(isWrong).length;
  return {
    ...told,
    phase: "backward",
    headline: `Backward: ${told.headline}`,
    formula: listed(
      "Leaves with the largest gradients",
      leaves.sort((a, b) => size(b) - size(a)),
      (i) => after.cotangent[i],
    ),
    sentence: `${many(events.length, "contribution")} sent to ${many(reached.size, "node")}. Open the module to see each.`,
    warning: wrong
      ? `${wrong} of ${many(events.length, "contribution")} carry a wrong cotangent. Open the module to see where.`
      : undefined,
  };
}

/** The first five of `nodes`, each with its number. */
function listed(title, nodes, numberOf) {
  const [made, head] = [document.createElement("div"), document.createElement("h3")];
  head.textContent = nodes.length > 5 ? `${title} (5 of ${nodes.length})` : title;
  made.append(
    head,
    list(nodes.slice(0, 5).map((i) => [short(NODES[i].path ?? name(i), 40), digits(numberOf(i))])),
  );
  return made;
}

/** A list of terms, each with its value. */
function list(entries) {
  const made = document.createElement("dl");
  for (const [term, value] of entries) {
    const [dt, dd, bdi] = ["dt", "dd", "bdi"].map((tag) => document.createElement(tag));
    dt.textContent = term;
    bdi.textContent = value;
    dd.append(bdi);
    made.append(dt, dd);
  }
  return made;
}
