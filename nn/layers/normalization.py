"""Normalization of a vector: `LayerNorm` and `RMSNorm`."""

from sys import float_info

from autodiff import Value, dot, mean, sqrt
from autodiff.checks import integer, within
from nn.layers.vectors import Scalar, VectorModule, check_width


class _Normalization(VectorModule):
    """The weights and biases of a normalized vector; a subclass says how it is normalized."""

    weight: list[Value] | None
    bias: list[Value] | None

    def __init__(self, size: int, eps: float, has_weight: bool, has_bias: bool) -> None:
        self.size = integer("normalized_shape", size, least=1)
        self.eps = within("eps", eps, least=0.0)
        self.weight = [Value(1.0) for _ in range(self.size)] if has_weight else None
        self.bias = [Value(0.0) for _ in range(self.size)] if has_bias else None

    def _vector(self, x: list[Scalar]) -> list[Scalar]:
        check_width(self, self.size, x)
        out = self._normalized(x)
        if self.weight is not None:
            out = [xi * w for xi, w in zip(out, self.weight, strict=True)]
        if self.bias is not None:
            out = [xi + b for xi, b in zip(out, self.bias, strict=True)]
        return out

    def _normalized(self, x: list[Scalar]) -> list[Scalar]:
        raise NotImplementedError


class LayerNorm(_Normalization):
    """(x - mean) / √(variance + eps) · weight + bias over the numbers of a vector.

    As torch.nn.LayerNorm of one axis (Ba et al. 2016): weight starts at 1, bias at 0.
    """

    def __init__(
        self,
        normalized_shape: int,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__(normalized_shape, eps, elementwise_affine, elementwise_affine and bias)

    def _normalized(self, x: list[Scalar]) -> list[Scalar]:
        center = mean(x)
        centered = [xi - center for xi in x]
        scale = 1.0 / sqrt(dot(centered, centered) / self.size + self.eps)
        return [xi * scale for xi in centered]

    def __repr__(self) -> str:
        return f"LayerNorm({self.size}, eps={self.eps:g})"


class RMSNorm(_Normalization):
    """x / √(mean of x² + eps) · weight over the numbers of a vector.

    As torch.nn.RMSNorm of one axis (Zhang and Sennrich 2019); the default `eps` is the distance
    from 1 to the next float.
    """

    def __init__(
        self,
        normalized_shape: int,
        eps: float | None = None,
        elementwise_affine: bool = True,
    ) -> None:
        eps = float_info.epsilon if eps is None else eps
        super().__init__(normalized_shape, eps, elementwise_affine, False)

    def _normalized(self, x: list[Scalar]) -> list[Scalar]:
        scale = 1.0 / sqrt(dot(x, x) / self.size + self.eps)
        return [xi * scale for xi in x]

    def __repr__(self) -> str:
        return f"RMSNorm({self.size}, eps={self.eps:g})"
