"""Drawing code written for micrograd: a node for each value, another for the op that made it."""

from autodiff import Value


def trace(root):
    nodes, edges = set(), set()

    def build(v):
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)

    build(root)
    return nodes, edges


def draw_dot(root):
    """The graph as DOT text."""
    lines = ["digraph {", "rankdir=LR"]
    nodes, edges = trace(root)
    for n in nodes:
        lines.append(
            f'"{id(n)}" [label="{{ data {n.data:.4f} | grad {n.grad:.4f} }}", shape=record]'
        )
        if n._op:
            lines.append(f'"{id(n)}{n._op}" [label="{n._op}"]')
            lines.append(f'"{id(n)}{n._op}" -> "{id(n)}"')
    for n1, n2 in edges:
        lines.append(f'"{id(n1)}" -> "{id(n2)}{n2._op}"')
    return "\n".join([*lines, "}"])


if __name__ == "__main__":
    x = Value(1.0)
    y = (x * 2 + 1).relu()
    y.backward()
    print(draw_dot(y))
