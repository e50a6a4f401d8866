"""Colors: darker means more, and nan and inf have a color of their own."""

from itertools import pairwise
from math import inf, nan

from autodiff.view.style import Shades, record, weight_line


def brightness(style):
    color = style["fillcolor"].removeprefix("#")
    return sum(int(color[i : i + 2], 16) for i in (0, 2, 4))


def test_fills_darken_with_the_size_for_either_sign():
    sizes = [0.0, 1e-9, 1e-3, 0.02, 0.1, 0.3, 0.6, 0.9, 1.0]
    shades = Shades([*sizes, nan, inf])
    fills = [shades.fill(size) for size in sizes]
    assert all(brightness(a) >= brightness(b) for a, b in pairwise(fills))
    assert brightness(fills[2]) > brightness(fills[3]) > brightness(fills[4])
    assert fills[0]["fillcolor"] == "#ffffff"
    assert [shades.fill(-size) for size in sizes] == fills
    assert (fills[0]["fontcolor"], fills[-1]["fontcolor"]) == ("black", "white")


def test_text_can_be_read_on_every_fill():
    shades = Shades([1.0])
    for i in range(101):
        fill = shades.fill((i / 100) ** 2)
        text = 0 if fill["fontcolor"] == "black" else 3 * 255
        assert abs(brightness(fill) - text) > 230, i


def test_nan_and_inf_have_a_color_of_their_own():
    shades = Shades([nan, 2.0, -inf])
    odd = {shades.fill(x)["fillcolor"] for x in (nan, inf, -inf)}
    assert len(odd) == 1
    assert not odd & {shades.fill(2.0 * i / 100)["fillcolor"] for i in range(101)}
    assert "for 2" in shades.legend(4)


def test_without_any_gradient_everything_is_white():
    assert Shades([]).fill(0.0)["fillcolor"] == Shades([0.0]).fill(0.0)["fillcolor"] == "#ffffff"


def test_subnormal_gradients_are_compared_too():
    assert Shades([5e-324]).fill(5e-324) == Shades([1e308]).fill(1e308)


def test_lines_of_weights_tell_sign_and_size():
    large, small, none = (weight_line(w, 2.0) for w in (2.0, -0.5, 0.0))
    assert large["color"][:7] != small["color"][:7]
    assert float(large["penwidth"]) > float(small["penwidth"]) > float(none["penwidth"]) > 0
    assert weight_line(0.0, 0.0) == none
    assert weight_line(inf, 2.0) == large


def test_operands_are_on_the_side_where_arrows_arrive():
    for direction in ("LR", "TB"):
        assert record(["1", "2"], "+", ["3"], direction) == "{{1|2}|+|{3}}"
    for direction in ("RL", "BT"):
        assert record(["1", "2"], "+", ["3"], direction) == "{{3}|+|{1|2}}"
