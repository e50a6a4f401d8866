"""CSV tables: read exactly, and every fault named by file and line."""

import re

import numpy as np
import pytest

from nn.data.tables import read_csv

GOOD = 'a, b ,kind,year\n1,2.5,oak,10\n\n-3e1,4,"ash, white",9\n5,.5,oak,2\n'


@pytest.fixture
def table(tmp_path):
    """Reads a table from its text."""

    def reads(text):
        path = tmp_path / "table.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_csv(path)

    return reads


@pytest.mark.parametrize("text", [GOOD, "\ufeff" + GOOD, GOOD.replace("\n", "\r\n")])
def test_columns_are_numbers_or_labels(table, text):
    found = table(text)
    assert found.names == ("a", "b", "kind", "year")
    assert found.numbers("a").tolist() == [1, -30, 5]
    assert found.matrix(["b", "a"]).tolist() == [[2.5, 1], [4, -30], [0.5, 5]]
    numbers, classes = found.labels("kind")
    assert (numbers.tolist(), classes) == ([1, 0, 1], ("ash, white", "oak"))


def test_labels_that_are_numbers_are_in_their_order(table):
    numbers, classes = table(GOOD).labels("year")
    assert (numbers.tolist(), classes) == ([2, 1, 0], ("2", "9", "10"))


def test_numbers_written_by_numpy_are_read_to_the_bit(table, tmp_path):
    x = np.random.default_rng(0).normal(size=(20, 2))
    np.savetxt(tmp_path / "x.csv", x, "%.17g", ",", header="u,v", comments="")
    np.testing.assert_array_equal(read_csv(tmp_path / "x.csv").matrix(["u", "v"]), x)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", " is empty; its first line must name the columns"),
        ("\n \n", " is empty"),
        ("a,b\n", " has no rows under its header; learning needs at least two"),
        ("a,b\n1,2\n", " has one row under its header"),
        ("a,b,a\n1,2,3\n4,5,6\n", ", line 1: two columns are named 'a'"),
        ("a,,c\n1,2,3\n4,5,6\n", ", line 1: column 2 has no name"),
        ("1,2\n3,4\n5,6\n", ", line 1: numbers where the names of the columns belong"),
        ("a,b\n1,2\n\n3\n", ", line 4: 1 cells, the header has 2"),
        ("a,b\n1,2\n3,4,5\n", ", line 3: 3 cells, the header has 2"),
        ('a,b\n1,"2\n3,4\n', ", line 3: unexpected end of data"),
        (b"a,b\n1,\xff\n3,4\n", " is not text in UTF-8"),
    ],
)
def test_a_file_without_a_table_is_refused_by_line(table, tmp_path, text, message):
    with pytest.raises(ValueError, match=f"^{re.escape(str(tmp_path / 'table.csv') + message)}"):
        table(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n,4\n", ", line 3: column 'a' has no value; fill it in or delete the row"),
        ("a,b\n1,2\n3,4\n,\n", ", line 4: column 'a' has no value"),
        *[(f"a,b\n{word},2\n3,4\n", f", line 2: column 'a' has no value ('{word}')")
          for word in ("NA", "nan", "?", "NULL")],
        ('a,b\n"1",2\n"x\ny",3\nz,4\n', ", line 3: column 'a' has 'x\\ny' where a number belongs"),
        ('a,b\n1,"2\n3"\noops,4\n', ", line 4: column 'a' has 'oops' where a number belongs"),
        ("a,b\n1,2\ninf,4\n", ", line 3: column 'a' is inf, not finite"),
        ("a,b\n7,2\n7.0,4\n", ": column 'a' is 7.0 in all 2 rows; nothing can be learned from it"),
        ("A,b\n1,2\n3,4\n", ": no column 'a'; the columns are A, b"),
    ],
)  # fmt: skip
def test_a_column_with_text_is_refused_by_line(table, tmp_path, text, message):
    found = table(text)
    with pytest.raises(ValueError, match=f"^{re.escape(str(tmp_path / 'table.csv') + message)}"):
        found.matrix(["a"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n-,4\n", r", line 3: column 'a' has no value \('-'\)"),
        ("a,b\nx,2\nx,4\n", ": column 'a' is x in all 2 rows"),
        ("b,c\nx,2\nx,4\n", ": no column 'a'; the columns are b, c"),
    ],
)
def test_a_column_without_labels_is_refused(table, text, message):
    found = table(text)
    with pytest.raises(ValueError, match=message):
        found.labels("a")


def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "none.csv")
