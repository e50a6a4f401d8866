"""micrograd's demo: two moons, an MLP, the SVM's max-margin loss, L2 and a falling rate.

The network is written as micrograd writes it, on a plain Value.
"""

import math
import random

from autodiff import Value


class Module:
    def zero_grad(self):
        for p in self.parameters():
            p.grad = 0

    def parameters(self):
        return []


class Neuron(Module):
    def __init__(self, nin, nonlin=True):
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0)
        self.nonlin = nonlin

    def __call__(self, x):
        act = sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b)
        return act.relu() if self.nonlin else act

    def parameters(self):
        return [*self.w, self.b]


class Layer(Module):
    def __init__(self, nin, nout, **kwargs):
        self.neurons = [Neuron(nin, **kwargs) for _ in range(nout)]

    def __call__(self, x):
        out = [n(x) for n in self.neurons]
        return out[0] if len(out) == 1 else out

    def parameters(self):
        return [p for n in self.neurons for p in n.parameters()]


class MLP(Module):
    def __init__(self, nin, nouts):
        sizes = [nin, *nouts]
        last = len(nouts) - 1
        self.layers = [Layer(sizes[i], sizes[i + 1], nonlin=i != last) for i in range(len(nouts))]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters()]


def moons(count):
    """Two half circles that reach into one another, with labels -1 and 1."""
    points = []
    for i in range(count):
        angle = math.pi * i / (count - 1)
        points.append(([math.cos(angle), math.sin(angle)], -1))
        points.append(([1 - math.cos(angle), 0.5 - math.sin(angle)], 1))
    return [[xi + random.gauss(0, 0.1) for xi in x] for x, _ in points], [y for _, y in points]


def loss(model, X, y):  # noqa: N803 (the notebook's names)
    inputs = [list(map(Value, xrow)) for xrow in X]
    scores = list(map(model, inputs))

    # svm "max-margin" loss
    losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(y, scores, strict=True)]
    data_loss = sum(losses) * (1.0 / len(losses))
    # L2 regularization
    alpha = 1e-4
    reg_loss = alpha * sum(p * p for p in model.parameters())
    total_loss = data_loss + reg_loss

    accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(y, scores, strict=True)]
    return total_loss, sum(accuracy) / len(accuracy)


def main(steps=50):
    """Train; the loss and the accuracy of every step, and the gradient of the last."""
    random.seed(1337)
    X, y = moons(10)  # noqa: N806
    model = MLP(2, [8, 8, 1])
    history = []
    for k in range(steps):
        total_loss, accuracy = loss(model, X, y)
        model.zero_grad()
        total_loss.backward()
        learning_rate = 1.0 - 0.9 * k / steps
        for p in model.parameters():
            p.data -= learning_rate * p.grad
        history.append((total_loss.data, accuracy))
    return history, [p.grad for p in model.parameters()]


if __name__ == "__main__":
    for k, (value, accuracy) in enumerate(main()[0]):
        print(f"step {k} loss {value}, accuracy {accuracy * 100}%")
