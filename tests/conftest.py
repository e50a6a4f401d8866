import os
import sys

import pytest
from hypothesis import settings

from autodiff.compiler import build

build.VERIFIES = True  # every form of the compiler is verified as soon as it is made

settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if "CI" in os.environ else "local")


@pytest.fixture
def threads_that_alternate():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)
