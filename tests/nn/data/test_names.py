"""Names as tokens, by length, and read from a file."""

import re

import pytest

from nn.data.names import OWN, Names, read_names

FEW = Names(("bo", "ann", "ada", "bob", "abba", "dan"))


@pytest.fixture
def reads(tmp_path):
    def reads(text):
        path = tmp_path / "names.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_names(path)

    return reads


def test_tokens_are_letters_between_ends():
    assert FEW.letters == ("a", "b", "d", "n", "o")
    assert FEW.encode("dan") == [0, 3, 1, 4, 0]
    assert FEW.decode([3, 1, 4, 0, 2, 2]) == "dan"
    assert FEW.decode([3, 1]) == "da"
    assert FEW.length == 5


def test_names_are_grouped_by_length_the_longest_first():
    groups = FEW.by_length(FEW.names)
    assert {length: tokens.shape for length, tokens in groups.items()} == {
        4: (1, 6), 3: (4, 5), 2: (1, 4)
    }  # fmt: skip
    assert list(groups) == [4, 3, 2]
    assert [FEW.decode(row[1:]) for row in groups[3].tolist()] == ["ann", "ada", "bob", "dan"]


def test_a_file_has_one_name_per_line(reads):
    lines = ["zoe", "jürgen", " ana ", "", *("abcdefgh")]
    assert reads("\ufeff" + "\r\n".join(lines)).names == ("zoe", "jürgen", "ana", *"abcdefgh")


def test_our_own_list_is_sorted_and_has_no_name_twice():
    found = read_names(OWN).names
    assert list(found) == sorted(set(found))
    assert len(found) > 300
    assert all(re.fullmatch("[a-z]{3,9}", name) for name in found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"names.txt has 0 different names; at least 10 are needed"),
        ("a\nb\n" * 9, r"names.txt has 2 different names"),
        ("a\n\n" + "b" * 33 + "\n", r"names.txt, line 3: a name of 33 letters; the limit is 32"),
        (
            "".join(map(chr, range(0x4E00, 0x4E00 + 101 * 2))).replace("", "\n"),
            "letters; the limit",
        ),
        (b"a\n\xff\n", "is not text in UTF-8"),
    ],
)
def test_a_file_that_is_not_a_list_of_names_is_refused(reads, text, message):
    with pytest.raises(ValueError, match=message):
        reads(text)
