// A computation as a list of events, their grouping into steps, and the state after some of them.

/** Every event: values forward, the seed, then the shares of `sweep`. */
function eventsOf(sweep) {
  const forward = NODES.map((_, node) => ({ kind: "forward", node }));
  const backward = shares(sweep).map((share) => ({
    kind: "share",
    node: EDGES[share.edge].node,
    ...share,
  }));
  return [...forward, { kind: "seed", node: ROOT }, ...backward];
}

/** The outermost group around node `i` that is closed, or null. */
function closedAround(i, closed) {
  const g = AROUND[i].find((group) => closed.has(group));
  return g === undefined ? null : g;
}

/** Where each step ends: one event a step, but what follows each other inside a closed group is one. */
function endsOf(events, closed) {
  const ends = [];
  let before = null;
  events.forEach((event, at) => {
    const group = closedAround(event.node, closed);
    const isSameStep =
      before !== null && group !== null && group === before.group && event.kind === before.kind;
    if (isSameStep) ends.pop();
    ends.push(at + 1);
    before = { group, kind: event.kind };
  });
  return ends;
}

/** What is known before any event. */
function beginning() {
  return {
    known: NODES.map(() => false),
    cotangent: NODES.map(() => null),
    arrived: NODES.map(() => 0), // how many shares of the cotangent
    passed: NODES.map(() => null), // the cotangent that a node passed on
    carried: EDGES.map(() => null), // the event that crossed each edge
  };
}

/** Change `state` as `event` does. */
function advance(state, event) {
  const { kind, node } = event;
  if (kind === "forward") state.known[node] = true;
  if (kind === "seed") [state.cotangent[node], state.arrived[node]] = [1, 1];
  if (kind !== "share") return;
  const { operand } = EDGES[event.edge];
  state.passed[node] = event.cotangent;
  state.carried[event.edge] = event;
  if (event.product === null) return;
  state.cotangent[operand] = event.total;
  state.arrived[operand] += 1;
}

/** What is known after the first `at` events. */
function stateAfter(events, at) {
  const state = beginning();
  for (let k = 0; k < at; k += 1) advance(state, events[k]);
  return state;
}

/** Whether an event carries a cotangent that is not that of its node. */
const isWrong = (event) =>
  event.kind === "share" && !agree(event.cotangent, NODES[event.node].grad);

/** The nodes whose gradient after all events is not the right one. */
function wrongNodes(events) {
  const { cotangent } = stateAfter(events, events.length);
  return NODES.map((node, i) => ({ node: i, got: cotangent[i] ?? 0, right: node.grad })).filter(
    ({ got, right }) => !agree(got, right),
  );
}
