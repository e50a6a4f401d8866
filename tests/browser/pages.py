"""The contents of a page of the player, and graphs to show."""

from itertools import count

from autodiff import Value, toposort
from nn import MLP
from tests.support import samples


def shared():
    """a = 2 x and a + a·a, which uses a three times; d root / d x = 2 + 8 x = 26."""
    x = Value(3.0, "x")
    a = x * 2.0
    a.label = "a"
    root = a + a * a
    root.label = "y"
    return root


def neuron():
    x, w, b = Value(2.0, "x"), Value(-3.0, "w"), Value(6.5, "b")
    y = (w * x + b).tanh()
    y.label = "y"
    return y


def micrograd():
    """The graph of the example in micrograd's README."""
    return samples.micrograd(Value(-4.0, "a"), Value(2.0, "b"))


def net(*sizes):
    """A loss and its model with `sizes` neurons per layer, inputs first."""
    nin, *nouts = sizes
    model = MLP(nin, nouts, activation="tanh", seed=0)
    loss = (model([Value(1.0 / (i + 1), f"x{i}") for i in range(nin)]) - 1.0) ** 2
    loss.label = "loss"
    return loss, model


def of_300_nodes():
    loss, model = net(3, 8, 8, 9, 1)
    for _ in range(300 - len(toposort(loss))):
        loss = loss * 1.0
    return loss, model


def spelled(number):
    """A number as the page writes it, with four digits."""
    return f"{number:.4g}".replace("-", "−")


def boxes(page):
    """Data and gradient of each box, by the index of its node."""
    numbers = "box => [...box.querySelectorAll('.number')].map((number) => number.textContent)"
    read = f"boxes => boxes.map((box) => [box.dataset.node, ({numbers})(box)])"
    found = page.eval_on_selector_all(".box[data-node]", read)
    return {int(i): tuple(texts) for i, texts in sorted(found, key=lambda pair: int(pair[0]))}


def marks(page, i):
    """The text before the gradient of node `i`: its contributions so far, and ✗ if it is wrong."""
    return page.locator(f".box[data-node='{i}'] .key").last.text_content()


def text(page, selector):
    """The text at `selector`, without direction marks."""
    return page.text_content(selector).replace("\u2068", "").replace("\u2069", "")


def screen(page):
    """Everything that a step changes."""
    return boxes(page), text(page, "aside"), page.get_attribute("#position", "aria-valuetext")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def wait_until(page, condition):
    """Wait for a condition in JavaScript; the policy of the page forbids `wait_for_function`."""
    for _ in range(500):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(20)
    raise AssertionError(f"in vain: {condition}")


def walk_to_end(page):
    """The screen after each step, by pressing →."""
    screens = [screen(page)]
    for _ in count():
        press(page, "ArrowRight")
        if screen(page) == screens[-1]:
            return screens
        screens.append(screen(page))
