"""`names`: what it learns, prints and writes, and what it refuses."""

import re

import pytest

NAMES = [
    "anna",
    "hannah",
    "nan",
    "hanna",
    "ann",
    "ana",
    "nana",
    "annan",
    "han",
    "hana",
    "nah",
    "aha",
]
FAST = ("--file", "names.txt", "--steps", "30", "--width", "4", "--heads", "2", "--no-progress")


@pytest.fixture(autouse=True)
def file(folder):
    path = folder / "names.txt"
    path.write_text("\n".join(NAMES) + "\n\n", encoding="utf-8")
    return path


def test_names_are_learned_and_made_up(run, folder):
    status, out, err = run("names", *FAST)
    assert (status, err) == (0, [])
    assert re.fullmatch("learning 12 names of 3 letters with a GPT of [0-9]+ parameters", out[0])
    assert re.fullmatch(r"compiled 4 lengths in [\d.]+ s", out[1])
    assert re.fullmatch(r"30 steps, \d+ epochs in [\d.]+ s", out[2])
    learned, by_chance = re.fullmatch(
        r"loss per letter: ([\d.]+) \(held out [\d.]+; uniform guess ([\d.]+)\)", out[3]
    ).groups()
    assert float(learned) < float(by_chance) == pytest.approx(1.386)
    assert out[4].startswith("most likely name: ")
    made = out[5].partition(": ")[2].split(", ")
    assert len(made) == 20
    assert all((name.removesuffix("*") in NAMES) is not name.endswith("*") for name in made)
    assert f"{sum(name.endswith('*') for name in made)} new (*): " in out[5]
    assert [path.name.partition(".")[0] for path in (folder / "runs").iterdir()] == ["curves"]


def test_the_same_seed_makes_up_the_same(run):
    first, same, other = (run("names", *FAST, *more)[1][3:] for more in
                          ((), ("--seed", "0"), ("--seed", "1")))  # fmt: skip
    assert first == same != other


def test_at_temperature_0_all_are_the_likeliest(run):
    _, out, _ = run("names", *FAST, "--temperature", "0", "--samples", "3")
    likeliest = out[4].removeprefix("most likely name: ")
    assert [name.removesuffix("*") for name in out[5].partition(": ")[2].split(", ")] == (
        [likeliest] * 3
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--file", "none.txt"), "--file: cannot read none.txt: No such file"),
        (("--file", "few.txt"), "few.txt has 2 different names; at least 10 are needed"),
        (("--width", "6", "--heads", "4"), "width 6 must be a multiple of heads 4"),
        (("--steps", "0"), "--steps: the value must be a positive integer, got 0"),
        (("--temperature", "-1"), "--temperature: the value must be at least 0, got -1.0"),
        (("--lr", "x"), "--lr: the value must be a number, got 'x'"),
        (("--samples", "0"), "--samples: the value must be a positive integer, got 0"),
        (("--batch", "0"), "--batch: the value must be a positive integer, got 0"),
        (("--lr", "1e300"), "a lower learning rate than"),
        (("--out", "names.txt"), "cannot write to names.txt"),
        (("more",), "unrecognized arguments: more"),
    ],
)
def test_a_fault_is_one_line_and_nothing_is_written(run, folder, file, arguments, message):
    (folder / "few.txt").write_text("a\nb\n")
    status, _, err = run("names", *FAST, *arguments)
    assert status == 2
    assert len(err) == 1
    assert err[0].startswith("python -m nn names: error: ")
    assert message in err[0]
    assert sorted(folder.iterdir()) == [folder / "few.txt", file]
