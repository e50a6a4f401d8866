"""A one-layer language model of scalars, in the style of Karpathy's microgpt: lists of Values."""

import math
import random

from autodiff import Value

WORDS = ["anna", "hannah", "nan", "hanna", "ann"]
CHARACTERS = sorted(set("".join(WORDS)))
BOUNDARY = len(CHARACTERS)
WIDTH, HEADS, LENGTH = 8, 2, 8
HEAD = WIDTH // HEADS


def matrix(rows, columns, scale=0.3):
    return [[Value(random.gauss(0, scale)) for _ in range(columns)] for _ in range(rows)]


def make_state():
    """The weights by name."""
    random.seed(42)
    tokens = BOUNDARY + 1
    shapes = {"token": (tokens, WIDTH), "position": (LENGTH, WIDTH), "head": (tokens, WIDTH)}
    shapes |= dict.fromkeys(("query", "key", "value", "out"), (WIDTH, WIDTH))
    shapes |= {"wide": (4 * WIDTH, WIDTH), "narrow": (WIDTH, 4 * WIDTH)}
    return {name: matrix(*shape) for name, shape in shapes.items()}


def linear(x, w):
    return [sum(wi * xi for wi, xi in zip(row, x, strict=True)) for row in w]


def rmsnorm(x):
    scale = (sum(xi * xi for xi in x) / len(x) + 1e-5) ** -0.5
    return [xi * scale for xi in x]


def softmax(logits):
    top = max(logit.data for logit in logits)
    exps = [(logit - top).exp() for logit in logits]
    total = sum(exps)
    return [e / total for e in exps]


def attend(state, x, keys, values):
    """What x finds among the positions up to its own, which it joins."""
    query = linear(x, state["query"])
    keys.append(linear(x, state["key"]))
    values.append(linear(x, state["value"]))
    found = []
    for h in range(0, WIDTH, HEAD):
        q = query[h : h + HEAD]
        scores = [
            sum(qi * ki for qi, ki in zip(q, key[h : h + HEAD], strict=True)) / math.sqrt(HEAD)
            for key in keys
        ]
        weights = softmax(scores)
        found += [
            sum(w * value[j] for w, value in zip(weights, values, strict=True))
            for j in range(h, h + HEAD)
        ]
    return linear(found, state["out"])


def gpt(state, token, position, keys, values):
    """The logits of the next token; `keys` and `values` grow by one."""
    embeddings = zip(state["token"][token], state["position"][position], strict=True)
    x = rmsnorm([t + p for t, p in embeddings])
    x = [a + b for a, b in zip(x, attend(state, rmsnorm(x), keys, values), strict=True)]
    hidden = [xi.relu() for xi in linear(rmsnorm(x), state["wide"])]
    x = [a + b for a, b in zip(x, linear(hidden, state["narrow"]), strict=True)]
    return linear(x, state["head"])


def loss(state, word):
    """The mean cross entropy of the characters of `word` and its end."""
    tokens = [BOUNDARY, *map(CHARACTERS.index, word), BOUNDARY]
    keys, values, losses = [], [], []
    for position, token in enumerate(tokens[:-1]):
        probabilities = softmax(gpt(state, token, position, keys, values))
        losses.append(-probabilities[tokens[position + 1]].log())
    return (1 / len(losses)) * sum(losses)


def main(steps=6):
    """Train with Adam; the loss of every step."""
    state = make_state()
    parameters = [p for rows in state.values() for row in rows for p in row]
    m, v = [0.0] * len(parameters), [0.0] * len(parameters)
    rate, beta1, beta2 = 0.03, 0.85, 0.99
    history = []
    for step in range(steps):
        total = loss(state, WORDS[step % len(WORDS)])
        total.backward()
        for i, p in enumerate(parameters):
            m[i] = beta1 * m[i] + (1 - beta1) * p.grad
            v[i] = beta2 * v[i] + (1 - beta2) * p.grad**2
            m_hat = m[i] / (1 - beta1 ** (step + 1))
            v_hat = v[i] / (1 - beta2 ** (step + 1))
            p.data -= rate * m_hat / (v_hat**0.5 + 1e-8)
            p.grad = 0
        history.append(total.data)
    return history


if __name__ == "__main__":
    for step, value in enumerate(main(40), 1):
        print(f"step {step:2d} | loss {value:.4f}")
