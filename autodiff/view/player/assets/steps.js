// A computation as a list of events, the steps they form, and the state after some of them.

/** Every event: values forward, the seed, then the contributions of `sweep`. */
function eventsOf(sweep) {
  const forward = NODES.map((_, node) => ({ kind: "forward", node }));
  const backward = contributions(sweep).map((contribution) => ({
    kind: "contribution",
    node: EDGES[contribution.edge].node,
    ...contribution,
  }));
  return [...forward, { kind: "seed", node: ROOT }, ...backward];
}

/** The outermost module around node `i` that is closed, or null. */
function closedAround(i, closed) {
  const g = AROUND[i].find((module) => closed.has(module));
  return g === undefined ? null : g;
}

/** Where each step ends: a step is one event, or all consecutive events of one kind inside a closed
 * module. */
function endsOf(events, closed) {
  const ends = [];
  let before = null;
  events.forEach((event, at) => {
    const module = closedAround(event.node, closed);
    const isSameStep =
      before !== null && module !== null && module === before.module && event.kind === before.kind;
    if (isSameStep) ends.pop();
    ends.push(at + 1);
    before = { module, kind: event.kind };
  });
  return ends;
}

/** The state before any event. */
function beginning() {
  return {
    known: NODES.map(() => false),
    cotangent: NODES.map(() => null),
    arrived: NODES.map(() => 0), // how many contributions to the cotangent
    passed: NODES.map(() => null), // the cotangent that a node passed on
    carried: EDGES.map(() => null), // the event that crossed each edge
  };
}

/** Apply `event` to `state`. */
function advance(state, event) {
  const { kind, node } = event;
  if (kind === "forward") state.known[node] = true;
  if (kind === "seed") [state.cotangent[node], state.arrived[node]] = [1, 1];
  if (kind !== "contribution") return;
  const { operand } = EDGES[event.edge];
  state.passed[node] = event.cotangent;
  state.carried[event.edge] = event;
  if (event.product === null) return;
  state.cotangent[operand] = event.total;
  state.arrived[operand] += 1;
}

/** The state after the first `at` events. */
function stateAfter(events, at) {
  const state = beginning();
  for (let k = 0; k < at; k += 1) advance(state, events[k]);
  return state;
}

/** Whether an event carries a cotangent that is not the right one of its node. */
const isWrong = (event) =>
  event.kind === "contribution" && !agree(event.cotangent, NODES[event.node].grad);

/** The nodes whose gradient is wrong after all events. */
function wrongNodes(events) {
  const { cotangent } = stateAfter(events, events.length);
  return NODES.map((node, i) => ({ node: i, got: cotangent[i] ?? 0, right: node.grad })).filter(
    ({ got, right }) => !agree(got, right),
  );
}
