"""Commands write: each test has a folder of its own."""

import pytest


@pytest.fixture(autouse=True)
def _in_its_folder(folder):
    """Each test writes into a folder of its own."""
