"""Text: any label becomes one short line that DOT shows as it is."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodiff.view.text import LONGEST, across, cell, counted, digits, lines, readable

INVISIBLE = ["\x00", "\x1b", "\x7f", "\x9b", "\u202e", "\u2066", "\u200f", "\ud800", "\uffff"]


@given(st.text())
def test_readable_text_is_one_short_line_and_a_fixed_point(text):
    once = readable(text)
    assert len(once) <= LONGEST
    assert len(once.splitlines()) <= 1
    assert readable(once) == once


@pytest.mark.parametrize("character", INVISIBLE)
def test_invisible_characters_are_replaced(character):
    assert readable(f"a{character}b") == "a\ufffdb"


@pytest.mark.parametrize("text", ["שלום", "مرحبا", "漢字", "é", "👩‍👩‍👧", "a b"])
def test_visible_characters_are_kept(text):
    assert readable(text) == text


def test_long_text_ends_in_an_ellipsis():
    assert readable("ab" * 10_000) == "ab" * 15 + "a…"
    assert readable("a" * LONGEST) == "a" * LONGEST
    assert readable(" \n" * 10_000 + "a") == ""


@given(st.text(string.punctuation + "n "))
def test_a_cell_has_no_structure(text):
    inside = cell(text)
    for escaped in ("\\" + c for c in "\\{}|<>"):
        inside = inside.replace(escaped, "")
    assert not set(inside) & set("{}|<>\\")
    assert inside.count("&") == inside.count("&amp;")


def test_lines_are_joined_and_escaped():
    assert lines("a", "", "<b>&lt;", "\\N") == "a\\n&lt;b&gt;&amp;lt;\\n\\\\N"


def test_numbers_and_counts_are_written_for_readers():
    assert [digits(1234.5678, 6), digits(1234.5678, 2), digits(2.0, 4)] == [
        "1234.57", "1.2e+03", "2"]  # fmt: skip
    assert [counted(1, "box", "boxes"), counted(2000, "box", "boxes"), counted(0, "node")] == [
        "1 box", "2,000 boxes", "0 nodes"]  # fmt: skip
    assert across("a", "b") == "{a|b}"
