"""A Hypothesis strategy for networks, beside those of `autodiff.testing`.

Only these two modules need Hypothesis.
"""

from autodiff.checks import integer
from nn import MLP

try:
    from hypothesis import strategies as st
except ImportError as error:
    raise ImportError("nn.testing needs Hypothesis: pip install hypothesis") from error

__all__ = ["modules"]


def modules(max_inputs: int = 3, max_layers: int = 3) -> st.SearchStrategy[MLP]:
    """Small networks with smooth activations; they shrink to fewer and smaller layers."""
    return st.builds(
        MLP,
        st.integers(1, integer("modules: max_inputs", max_inputs, least=1)),
        st.lists(
            st.integers(1, 4),
            min_size=1,
            max_size=integer("modules: max_layers", max_layers, least=1),
        ),
        activation=st.sampled_from(["tanh", "sigmoid"]),
        seed=st.integers(0, 99),
    )
