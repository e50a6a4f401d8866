from autodiff import Value, ops
from autodiff.compiler.scalars.identities import simplify
from autodiff.compiler.scalars.tracing import trace


def traced(f):
    found = simplify(trace(f, (), ()))
    found.verify()
    return found


def live_ops(found):
    scalars, seen, stack = found.scalars, set(), list(found.results)
    while stack:
        i = stack.pop()
        if i not in seen:
            seen.add(i)
            if not scalars.line(i).endswith("]"):
                stack.extend(scalars.operands[i] if hasattr(scalars.ops[i], "arity") else ())
    return {scalars.ops[i] for i in seen}


def test_a_division_by_1_is_dropped_where_nothing_else_is_divided_by_a_constant():
    w = Value(2.0)
    assert ops.div not in live_ops(traced(lambda: ops.exp(w / 1.0) / 1.0 + w / 1.0))
    assert ops.div in live_ops(traced(lambda: (w / 1.0) / w))


def test_a_division_by_1_stays_beside_divisions_by_other_constants():
    a, b = Value(2.0), Value(3.0)
    found = traced(lambda: [ops.exp(a / 1.0), ops.exp(b / 2.0)])
    lines = str(found)
    assert lines.count("div(") == 2
    for i in found.results:
        (inner,) = found.scalars.operands[i]
        assert found.scalars.ops[inner] is ops.div


def test_a_result_that_is_dropped_is_what_it_equals():
    w = Value(2.0)
    found = traced(lambda: (w / 1.0) / 1.0)
    assert found.scalars.line(found.results[0]) == "%0 = parameters[0]"
