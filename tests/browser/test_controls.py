"""The player in a browser: keys, buttons, modules, the picture, and screen readers."""

import re
from statistics import median

import pytest

from autodiff import Value, toposort
from tests.browser.pages import (
    boxes,
    micrograd,
    net,
    neuron,
    of_300_nodes,
    press,
    screen,
    shared,
    text,
    wait_until,
)

# The page's own functions and state, at the top of its script.
OVERLAPS = """() => {
  const items = [...picture.boxes, ...picture.frames], inside = (a, b) => {
    for (let item = a; item; item = item.parent) if (item === b) return true;
    return false;
  };
  const hit = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width
    && a.y < b.y + b.height && b.y < a.y + a.height;
  const bad = [];
  for (const a of items) for (const b of items) {
    if (a !== b && !inside(a, b) && !inside(b, a) && hit(a, b)) bad.push([a.index, b.index]);
    const isWithin = a.x > b.x && a.x + a.width < b.x + b.width
      && a.y > b.y && a.y + a.height < b.y + b.height;
    if (a !== b && inside(a, b) && !isWithin) bad.push(["outside", a.index, b.index]);
  }
  return bad;
}"""
BACKWARD_LINES = "() => picture.lines.filter(({points}) => points[0][0] >= points.at(-1)[0]).length"


def drawn(page):
    """The number of boxes and of open modules."""
    return page.locator(".box").count(), page.locator(".frame").count()


@pytest.mark.parametrize("make", [shared, micrograd, of_300_nodes, lambda: net(2, 3, 2, 1)])
def test_boxes_do_not_overlap_frames_hold_their_items_and_lines_run_to_the_right(show, make):
    made = make()
    root, model = made if isinstance(made, tuple) else (made, None)
    page = show(root, model=model)
    for key in "0ec":
        press(page, key)
        assert page.evaluate(OVERLAPS) == []
        assert page.evaluate(BACKWARD_LINES) == 0


def test_neurons_keep_their_order(show):
    root, model = net(2, 5, 4, 1)
    page = show(root, model=model)
    press(page, "e")
    tops = page.evaluate(
        """() => picture.frames.sort((a, b) => a.y - b.y).map(({ module }) => MODULES[module])
          .filter(({ parent }) => parent === 0).map(({ name }) => name)"""
    )
    assert tops == [f"neurons.{i}" for i in range(5)]


def test_modules_close_and_open_by_mouse(show):
    root, model = net(2, 3, 1)
    page = show(root, model=model)
    assert drawn(page) == (len(toposort(root)), 2 + 4)
    page.get_by_role("button", name="Collapse all").click()
    assert drawn(page) == (2 + 2 + 2, 0)  # x0 x1, two layers, − and **
    page.locator(".box[data-module='0']").click()
    assert drawn(page) == (3 + 5, 1)
    page.locator(".handle[data-module='0']").click()
    assert drawn(page) == (6, 0)
    page.locator("#module-list").get_by_role("button", name="layers.1").click()
    assert drawn(page) == (1 + 5, 1)
    page.get_by_role("button", name="Expand all").click()
    assert drawn(page) == (len(toposort(root)), 6)


def test_a_closed_module_is_one_step_each_way(show):
    root, model = net(2, 3, 1)
    page = show(root, model=model)
    press(page, "c", "End")
    steps = page.get_attribute("#position", "aria-valuetext")
    # w of layers.0, then x0 and x1 in between; layers.1, its loss; and all of it back.
    total = int(steps.rpartition(" ")[2])
    assert total < 20
    forward = backward = 0
    press(page, "Home")
    for _ in range(total):
        press(page, "ArrowRight")
        forward += text(page, "#headline") == "Forward: layers.1"
        backward += text(page, "#headline") == "Backward: layers.1"
    assert (forward, backward) == (1, 1)
    root.backward()
    assert boxes(page)[page.evaluate("ROOT")][1] == "1"
    x0 = next(i for i, node in enumerate(toposort(root)) if node.label == "x0")
    assert boxes(page)[x0][1] == f"{toposort(root)[x0].grad:.4g}".replace("-", "−")


def test_a_closed_module_shows_that_gradients_inside_are_wrong(show):
    root, model = net(2, 3, 2, 1)
    page = show(root, model=model)
    press(page, "c", "w", "End")
    terms = {
        box.get_attribute("data-module"): box.locator(".key").last.text_content()
        for box in page.locator(".box[data-module]").all()
    }
    assert sorted(terms.values()) == ["grad", "grad", "grad ✗"]
    first = page.evaluate("MODULES.findIndex(({ path }) => path === 'layers.0')")
    assert terms[str(first)] == "grad ✗"
    page.get_by_role("button", name="Show where it goes wrong").click()
    assert "carry a wrong cotangent. Open the module" in text(page, "#note")


def test_closing_a_module_keeps_the_step(show):
    root, model = net(2, 3, 1)
    page = show(root, model=model)
    press(page, "b", *["ArrowRight"] * 5)
    before = page.evaluate("player.at")
    press(page, "c")
    assert page.evaluate("player.at") >= before
    assert text(page, "#headline") == "Backward: layers.1"


def test_modules_that_would_draw_too_many_boxes_stay_closed(show):
    root, model = net(1, 10, 20, 30, 40, 1)
    page = show(root, model=model)
    assert "modules are closed" in text(page, "#summary")
    before = drawn(page)
    assert before[0] == 1 + 5 + 2
    press(page, "e")
    assert drawn(page) == before
    assert re.search(r"would draw 2456 boxes; at most 500 can be drawn", text(page, "#note"))
    assert text(page, "#live") == text(page, "#note")


def test_the_graph_is_walked_by_keyboard(show):
    root, model = net(2, 3, 1)
    page = show(root, model=model)
    press(page, "c")
    page.locator("#help").focus()
    press(page, "Tab")
    assert page.evaluate("document.activeElement.closest('#world') !== null")
    first = page.evaluate("document.activeElement.getAttribute('aria-label')")
    press(page, "ArrowDown", "ArrowUp")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == first
    for _ in range(10):
        if "layers.0" in page.evaluate("document.activeElement.getAttribute('aria-label')"):
            break
        press(page, "ArrowDown")
    press(page, "Enter")
    assert drawn(page) == (8, 1)
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    press(page, "Enter")
    assert drawn(page) == (6, 0)
    page.locator(".box[data-node]").first.focus()
    press(page, "Enter")
    assert text(page, "#headline") == "Forward: x0 is given"
    press(page, "Tab")  # out of the graph again, in one press
    assert page.evaluate("document.activeElement.id") == "zoom-in"


def test_focus_is_visible(show):
    page = show(neuron())
    page.locator(".box").first.focus()
    press(page, "ArrowDown")
    focused = ".box:focus-visible .body"
    assert page.eval_on_selector(focused, "x => getComputedStyle(x).strokeWidth") == "3px"
    page.locator("#play").focus()
    press(page, "Tab")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"


def test_every_key_of_the_help_does_what_it_says(show):
    page = show(shared())
    start = screen(page)
    press(page, "End")
    end = screen(page)
    press(page, "Home")
    assert screen(page) == start
    press(page, "b")
    assert text(page, "#headline") == "Backward: the seed"
    press(page, "<")
    assert page.input_value("#speed") == "1"
    press(page, ">", ">", ">", ">", ">")
    assert page.input_value("#speed") == "20"
    press(page, " ")
    assert page.inner_text("#play") == "Pause"
    wait_until(page, "player.at === player.events.length && player.timer === null")
    assert page.inner_text("#play") == "Play"
    assert screen(page) == end
    press(page, "g")
    assert page.evaluate("document.activeElement.id") == "jump"
    page.evaluate("document.activeElement.blur()")
    press(page, "?")
    assert page.locator("dialog").is_visible()
    press(page, "ArrowLeft", "Escape")
    assert page.locator("dialog").is_hidden()
    assert screen(page) == end


def test_play_pauses_and_starts_again_after_the_end(show):
    page = show(micrograd())  # 66 steps: half a minute at two a second
    page.get_by_role("button", name="Play").click()
    wait_until(page, "player.at >= 3")
    page.get_by_role("button", name="Pause").click()
    paused = page.evaluate("player.at")
    assert page.evaluate("player.timer") is None
    press(page, "End")
    assert paused < page.evaluate("player.at")
    page.get_by_role("button", name="Play").click()
    wait_until(page, "player.at < player.events.length")


def test_the_slider_and_the_list_go_anywhere(show):
    page = show(shared())
    page.locator("#position").fill("6")
    assert page.get_attribute("#position", "aria-valuetext") == "step 6 of 10"
    assert text(page, "#headline") == "Backward: y → a"
    page.locator("#position").fill("0")
    assert text(page, "#headline") == "Press Play, or →"
    page.select_option("#jump", "1")
    assert text(page, "#headline") == "Forward: a"
    press(page, "End")
    page.select_option("#jump", "1")  # in the backward pass: where its gradient is complete
    assert text(page, "#note").endswith("7 + 6 = 13.")
    page.locator(".box[data-node='0']").click()
    assert text(page, "#headline") == "Backward: a → x"


def test_pan_zoom_fit_and_follow(show):
    page = show(micrograd())
    camera = "JSON.stringify([camera.x, camera.y, camera.scale])"
    press(page, "0")
    fitted = page.evaluate(camera)
    bounds = page.locator("#canvas").bounding_box()
    for box in page.locator(".box").all():
        at = box.bounding_box()
        assert bounds["x"] <= at["x"]
        assert at["x"] + at["width"] <= bounds["x"] + bounds["width"]
    page.mouse.move(400, 400)
    page.mouse.wheel(0, -300)
    assert page.evaluate("camera.scale") > 0.4
    zoomed = page.evaluate(camera)
    page.mouse.down()
    page.mouse.move(460, 430, steps=3)
    page.mouse.up()
    x, y, scale = page.evaluate("[camera.x, camera.y, camera.scale]")
    assert page.evaluate(camera) != zoomed
    assert page.evaluate("player.at") == 0  # a drag is not a click
    press(page, "Shift+ArrowLeft")
    assert page.evaluate("[camera.x, camera.y, camera.scale]") == [x + 60, y, scale]
    press(page, "0")
    assert page.evaluate(camera) == fitted
    press(page, "+", "+", "+", "+", "+", "+", "End")
    page.wait_for_timeout(300)  # the camera glides
    at = page.locator(".box[data-node='0']").bounding_box()
    assert bounds["x"] < at["x"] < bounds["x"] + bounds["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_follow_the_system_until_switched(show, scheme):
    page = show(neuron(), color_scheme=scheme)
    luminance = "parseInt(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"
    assert (page.evaluate(luminance) > 128) == (scheme == "light")
    press(page, "t")
    assert page.evaluate(luminance) > 128
    page.get_by_role("button", name="Theme: light").click()
    assert page.evaluate(luminance) < 128
    press(page, "t")
    assert (page.evaluate(luminance) > 128) == (scheme == "light")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_the_contrast_that_wcag_requires(show, scheme):
    page = show(shared(), color_scheme=scheme)
    page.select_option("#sweep", "depth_first")
    press(page, "End")
    ratio = """([ink, paper]) => {
      const probe = document.body.appendChild(document.createElement("i"));
      const light = (name) => {
        probe.style.color = `var(--${name})`;
        const [r, g, b] = getComputedStyle(probe).color.match(/[\\d.]+/g).map((x) => {
          const c = Number(x) / 255;
          return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
      };
      const [a, b] = [light(ink), light(paper)];
      probe.remove();
      return Math.max(a, b) / Math.min(a, b);
    }"""
    pairs = [("ink", "paper"), ("ink", "box"), ("muted", "panel"), ("muted", "paper")]
    pairs += [("muted", "forward-tint"), ("muted", "backward-tint"), ("ink", "forward-tint")]
    pairs += [(f"{c}", f"{c}-tint") for c in ("backward", "wrong")] + [("forward", "panel")]
    found = {pair: page.evaluate(ratio, list(pair)) for pair in pairs}
    assert {pair: ratio for pair, ratio in found.items() if ratio < 4.5} == {}


def test_motion_stops_on_request(show):
    still, moving = show(micrograd(), motion="reduce"), show(micrograd(), motion="no-preference")
    animation = "getComputedStyle(document.querySelector('.line.now')).animationName"
    for page in (still, moving):
        press(page, "b", "ArrowRight")
    assert (still.evaluate(animation), moving.evaluate(animation)) == ("none", "flow")


def test_a_screen_reader_hears_each_step_and_every_control_has_a_name(show):
    root, model = net(2, 2, 1)
    page = show(root, model=model)
    spoken = set()
    for _ in range(10):
        press(page, "ArrowRight")
        spoken.add(text(page, "#live"))
    assert len(spoken) == 10
    assert page.get_attribute("#live", "aria-live") == "polite"
    assert all(re.match(r"Step \d+ of \d+\. ", line) for line in spoken)
    nameless = """() => [...document.querySelectorAll("button, select, input, [role=button]")]
      .filter((part) => !(part.getAttribute("aria-label") || part.textContent.trim()
        || part.labels?.length)).map((part) => part.outerHTML)"""
    assert page.evaluate(nameless) == []
    for role, name in [
        ("slider", "Position"),
        ("combobox", "Speed"),
        ("combobox", "Go to"),
        ("combobox", "Sweep"),
        ("checkbox", "Follow"),
        ("button", "Step forward"),
        ("button", "Step back"),
        ("group", "Computation graph"),
    ]:
        assert page.get_by_role(role, name=name).count() == 1
    assert page.get_by_role("status").count() == 1
    assert page.locator("h1").count() == 1
    press(page, "End")
    assert "gradient" in page.get_attribute(".box[data-node]", "aria-label")
    assert "Every gradient is complete" in text(page, "#live")


HOSTILE = [
    "\"'`",
    "<b>bold</b>",
    "</script><script>window.hit = 1</script>",
    "<img src=x onerror='window.hit = 1'>",
    "<!-- <script>",
    "&lt;&amp;",
    "emoji 😀 👩‍👩‍👧",
    "עברית והערבית",
    "{0} {out} $title",
]


def test_hostile_labels_are_shown_as_text_and_do_nothing(show):
    leaves = [Value(i, label) for i, label in enumerate(HOSTILE)]
    root = leaves[0]
    for leaf in leaves[1:]:
        root = root * 0.5 + leaf
        root.label = leaf.label
    page = show(root, title="".join(HOSTILE))
    press(page, "End")
    assert page.evaluate("window.hit") is None
    assert page.locator("b, img, main script").count() == 0
    assert page.title() == "".join(HOSTILE)
    order = toposort(root)
    for leaf in leaves:
        page.select_option("#jump", str(order.index(leaf)))
        assert text(page, "#selected dd") == f"{leaf.label} (leaf)"
        assert leaf.label in text(page, "#selected") + text(page, "#headline")


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("two\nlines\r\n\tand\u2028more", "two lines and m…"),
        ("w" * 10_000, None),
        ("\u202eevil", "evil"),
        ("nul \0 bell \a", "nul bell"),
        (" \n ", "root"),
        ("👩‍👩‍👧" * 40, None),
    ],
)
def test_labels_that_do_not_fit_are_shortened(show, label, shown):
    page = show(Value(1.0, label))
    press(page, "End")
    name = text(page, ".box .name")
    assert shown is None or name == shown
    assert shown is not None or name.endswith("…")
    fits = "document.querySelector('.box').getBBox().width <= 140"
    assert page.evaluate(fits)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", [380, 820, 1400])
def test_the_page_fits_its_window(show, width):
    page = show(micrograd(), width=width, height=800)
    press(page, "b", "ArrowRight")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for selector in ("#canvas", "#play", "#sweep", "#headline"):
        box = page.locator(selector).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


def test_a_step_in_300_nodes_takes_less_than_50_ms(show, record_property):
    root, model = of_300_nodes()
    page = show(root, model=model)
    press(page, "e")
    assert drawn(page)[0] == 300
    times = page.evaluate(
        """() => {
      const times = [];
      jumps.first();
      for (let k = 0; k < player.ends.length; k += 1) {
        const start = performance.now();
        step(1);
        document.body.getBoundingClientRect(); // includes the layout that it causes
        times.push(performance.now() - start);
      }
      return times;
    }"""
    )
    record_property("median_ms", median(times))
    assert len(times) == 300 + 1 + page.evaluate("EDGES.length")
    assert median(times) < 50
