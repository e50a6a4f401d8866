"""The player in a browser: each step shows what the engine computes."""

from random import Random

import pytest

from autodiff import Value, dot, toposort, where
from autodiff.view.player.sweeps import depth_first, overwriting, topological
from tests.browser.pages import (
    boxes,
    marks,
    micrograd,
    neuron,
    press,
    screen,
    shared,
    spelled,
    text,
    walk_to_end,
)


def totals(root, contributions):
    found = dict.fromkeys(toposort(root), 0.0) | {root: 1.0}
    for one in contributions:
        if one.product is not None:
            found[one.node.operands[one.position]] = one.total
    return list(found.values())


@pytest.mark.parametrize("make", [shared, neuron, micrograd])
def test_all_final_numbers_are_the_engines(show, make):
    root = make()
    page = show(root)
    press(page, "End")
    root.backward()
    assert boxes(page) == {
        i: (spelled(node.data), spelled(node.grad)) for i, node in enumerate(toposort(root))
    }


def test_values_appear_in_topological_order_then_cotangents_edge_by_edge(show):
    root = micrograd()
    order, contributions = toposort(root), topological(root)
    page = show(root)
    screens = walk_to_end(page)
    assert len(screens) == 1 + len(order) + 1 + len(contributions)
    for k, (shown, *_) in enumerate(screens[: len(order) + 1]):
        expected = {i: (spelled(n.data) if i < k else "", "") for i, n in enumerate(order)}
        assert shown == expected
    for k, (shown, aside, _) in enumerate(screens[len(order) + 2 :]):
        unreached = "0" if k == len(contributions) - 1 else ""
        now = totals(root, contributions[: k + 1])
        reached = {
            s.node.operands[s.position] for s in contributions[: k + 1] if s.product is not None
        }
        for i, node in enumerate(order):
            assert shown[i][1] == (spelled(now[i]) if node in reached | {root} else unreached)
        product = contributions[k].product
        assert ("nothing crosses" if product is None else spelled(product)) in aside


def test_stepping_back_shows_the_same_screens(show):
    page = show(neuron())
    there = walk_to_end(page)
    for before in reversed(there[:-1]):
        press(page, "ArrowLeft")
        assert screen(page) == before
    press(page, "ArrowLeft")
    assert screen(page) == there[0]


def test_a_step_is_the_chain_rule_with_its_numbers(show):
    page = show(neuron())
    press(page, "b", "ArrowRight")
    slope = 1 - 0.46211715726000973**2
    assert text(page, "#headline") == "Backward: y → v4"
    formula = text(page, "#formula")
    assert formula.startswith("∂y∂v4+=∂y∂y·∂y∂v4=1 · (1 − y²)")
    assert formula.endswith(f"=1 · {spelled(slope)}={spelled(slope)}")
    press(page, "ArrowRight", "ArrowRight")
    press(page, "ArrowRight")
    assert text(page, "#formula").endswith(
        f"={spelled(slope)} · x={spelled(slope)} · 2={spelled(2 * slope)}"
    )


def test_the_forward_step_is_the_op_with_its_numbers(show):
    page = show(neuron())
    press(page, *["ArrowRight"] * 3)
    assert text(page, "#headline") == "Forward: v2"
    assert text(page, "#formula") == "v2=w · x=(−3) · 2=−6"


def test_contributions_add_up_at_a_node_with_several_uses(show):
    page = show(shared())
    press(page, "b")
    seen = []
    for _ in range(5):
        press(page, "ArrowRight")
        seen.append((text(page, "#note"), boxes(page)[1][1], marks(page, 1)))
    notes, grads, counts = zip(*seen, strict=True)
    assert "the 1st of 3 contributions" in notes[0]
    assert notes[2].endswith("This is the 2nd of 3 contributions, which add up: 1 + 6 = 7.")
    assert "the 3rd of 3 contributions, which add up: 7 + 6 = 13." in notes[3]
    assert grads == ("1", "1", "7", "13", "13")
    assert counts == ("grad 1/3", "grad 1/3", "grad 2/3", "grad", "grad")


def test_an_edge_without_a_contribution_says_so(show):
    root = where(True, Value(2.0, "a"), Value(3.0, "b"))
    page = show(root)
    press(page, "End")
    assert "does not depend on b here: nothing crosses" in text(page, "#note")
    assert boxes(page)[1] == ("3", "0")


def test_depth_first_shows_where_and_how_the_gradient_goes_wrong(show):
    page = show(shared())
    page.select_option("#sweep", "depth_first")
    assert text(page, "#verdict h3").endswith("1 of 4 gradients is wrong.")
    assert text(page, "#verdict ul") == "x: 2 instead of 26"
    page.get_by_role("button", name="Show where it goes wrong").click()
    assert text(page, "#note") == (
        "a passes on 1, but ∂y/∂a is 13: 2 of 3 contributions have not arrived yet. "
        "In topological order, all uses of a come first."
    )
    assert (boxes(page)[1][1], marks(page, 1)) == ("1", "grad 1/3 ✗")
    assert (boxes(page)[0][1], marks(page, 0)) == ("2", "grad ✗")
    press(page, "ArrowRight")
    assert text(page, "#note") == (
        "Too late: a has already passed on its cotangent. "
        "This contribution of 6 never reaches its operands."
    )
    press(page, "End")
    assert (boxes(page)[1][1], marks(page, 1)) == ("13", "grad")
    assert (boxes(page)[0][1], marks(page, 0)) == ("2", "grad ✗")


def test_without_a_shared_value_depth_first_is_lucky(show):
    page = show(neuron())
    page.select_option("#sweep", "depth_first")
    assert "this graph is lucky" in text(page, "#verdict h3")
    assert page.locator("#verdict button").count() == 0
    press(page, "End")
    assert not any("✗" in marks(page, i) for i in boxes(page))


@pytest.mark.parametrize(
    ("mode", "sweep"), [("depth_first", depth_first), ("overwriting", overwriting)]
)
def test_a_wrong_sweep_ends_in_its_own_numbers_and_lists_those_that_are_wrong(show, mode, sweep):
    root = micrograd()
    page = show(root)
    page.select_option("#sweep", mode)
    press(page, "End")
    wrong, right = totals(root, sweep(root)), totals(root, topological(root))
    differ = {i for i in range(len(right)) if abs(wrong[i] - right[i]) > 1e-9 * abs(right[i])}
    assert differ
    shown = boxes(page)
    assert {i for i in shown if "✗" in marks(page, i)} == differ
    assert [gradient for _, gradient in shown.values()] == [spelled(x) for x in wrong]
    lines = page.locator("#verdict li").all_text_contents()
    assert len(lines) == len(differ)
    for i, line in zip(sorted(differ), lines, strict=True):
        assert line.endswith(f": {spelled(wrong[i])} instead of {spelled(right[i])}")


def test_assigning_instead_of_adding_shows_the_lost_contribution(show):
    x = Value(3.0, "x")
    page = show(x * x)
    page.select_option("#sweep", "overwriting")
    page.get_by_role("button", name="Show where it goes wrong").click()
    assert text(page, "#note") == ("“=” throws away the 3 that had arrived. With += the sum is 6.")
    assert "x: 3 instead of 6" in text(page, "#verdict")


def test_the_right_sweep_again_after_a_wrong_one(show):
    page = show(shared())
    press(page, "End")
    right = screen(page)
    press(page, "w")
    assert page.input_value("#sweep") == "depth_first"
    assert screen(page) != right
    press(page, "w", "w", "End")
    assert page.input_value("#sweep") == "topological"
    assert screen(page) == right


def test_numbers_are_spelled_as_python_spells_them(show):
    page = show(neuron())
    random = Random(0)
    numbers = [random.choice([-1, 1]) * 10 ** random.uniform(-320, 308) for _ in range(200)]
    numbers += [random.gauss(0.0, 10.0 ** random.randint(-6, 7)) for _ in range(200)]
    numbers += [0.0, -0.0, 1.0, 0.0001, 0.00001, 9999.4, 9999.6, 99999.0, 123456789.0, 5e-324]
    for precision in (1, 4, 7, 17):
        shown = page.evaluate("([xs, n]) => xs.map((x) => digits(x, n))", [numbers, precision])
        assert shown == [f"{x:.{precision}g}".replace("-", "−") for x in numbers]


def test_infinities_and_nan_are_written_as_python_does(show):
    x = Value(float("inf"), "x")
    page = show(x * 0.0 + x - 1e-300)
    press(page, "End")
    shown = boxes(page)
    assert shown[0] == ("inf", "1")
    assert {data for data, _ in shown.values()} == {"inf", "nan"}


def test_a_leaf_alone_is_a_computation(show):
    page = show(Value(2.0, "x"))
    assert len(walk_to_end(page)) == 3
    assert boxes(page) == {0: ("2", "1")}


def test_many_operands_have_a_formula_that_fits(show):
    ws, xs = ([Value(i / 7, f"{name}{i}") for i in range(30)] for name in "wx")
    page = show(dot(ws, xs))
    press(page, *["ArrowRight"] * 61)
    assert "root=w0·x0 + w1·x1 + w2·x2 + … + w29·x29" in text(page, "#formula")
    assert page.evaluate("$('formula').scrollWidth < 500")
