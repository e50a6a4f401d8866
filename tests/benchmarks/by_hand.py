"""What an expert writes in NumPy: the loss and its gradient, without Python loops over examples.

Parameters lie in one flat vector, so that an optimizer needs one line; matrices are views of it.
"""

from functools import cache
from itertools import accumulate, pairwise

import numpy as np


def step_by_hand(sizes, theta, x, y, lr):
    """A training step of a ReLU network, in place; its loss."""
    loss, gradient = network(sizes, theta, x, y)
    theta -= lr * gradient
    return loss


def network(sizes, theta, x, y):
    """The mean loss of a ReLU network and its gradient: MSE, or cross-entropy for classes y.

    `theta` holds layer after layer the weights, (nout, nin), and the biases.
    """
    layers, start = [], 0
    for nin, nout in pairwise(sizes):
        end = start + nin * nout
        layers.append((theta[start:end].reshape(nout, nin), theta[end : end + nout]))
        start = end + nout
    inputs = [x]
    for w, b in layers[:-1]:
        inputs.append(np.maximum(inputs[-1] @ w.T + b, 0.0))
    w, b = layers[-1]
    out = inputs[-1] @ w.T + b
    if y.dtype.kind == "i":
        rows = np.arange(len(x))
        shifted = out - out.max(axis=1, keepdims=True)
        probability = np.exp(shifted)
        total = probability.sum(axis=1, keepdims=True)
        loss = (np.log(total[:, 0]) - shifted[rows, y]).mean()
        ct = probability / total
        ct[rows, y] -= 1.0
        ct /= len(x)
    else:
        ct = out - y
        loss = (ct * ct).mean()
        ct = ct * (2 / len(x))
    gradient = np.empty_like(theta)
    for i in range(len(layers) - 1, -1, -1):
        w, b = layers[i]
        end, start = start, start - w.size - b.size
        gradient[start : start + w.size] = (ct.T @ inputs[i]).ravel()
        gradient[start + w.size : end] = ct.sum(axis=0)
        if i:
            ct = (ct @ w) * (inputs[i] > 0)
    return loss, gradient


def views(flat, shapes):
    """The matrices of these shapes that lie one behind the other in a flat vector."""
    ends = accumulate(rows * columns for rows, columns in shapes.values())
    return {
        name: flat[end - rows * columns : end].reshape(rows, columns)
        for (name, (rows, columns)), end in zip(shapes.items(), ends, strict=True)
    }


def norm(x):
    """Rows of mean square 1, and the factors that made them so."""
    scale = 1 / np.sqrt(np.vecdot(x, x)[:, None] / x.shape[1] + 1e-5)
    return x * scale, scale


def norm_backward(ct, normed, scale):
    """The cotangent of `norm`'s operand."""
    return (ct - normed * (np.vecdot(ct, normed)[:, None] / ct.shape[1])) * scale


@cache
def causal(length):
    """1 where a position may look: at itself and at those before it."""
    return np.tri(length)


def gpt(heads, shapes, theta, tokens, following):
    """The mean loss of a one-layer transformer over sequences of one length, and its gradient.

    Rows are the positions of all sequences, (batch · length, width). As in the scalar program,
    no softmax is shifted. `shapes` names the matrices in `theta`, queries, keys and values as one.
    """
    p, gradient = views(theta, shapes), np.zeros_like(theta)
    batch, length = tokens.shape
    tokens, following, rows = tokens.ravel(), following.ravel(), np.arange(tokens.size)
    width = len(p["out"])
    size = width // heads
    embedded = p["token"][tokens].reshape(batch, length, width) + p["position"][:length]
    x, scale_x = norm(embedded.reshape(-1, width))
    h, scale_h = norm(x)
    q, k, v = (h @ p["qkv"].T).reshape(batch, length, 3, heads, size).transpose(2, 0, 3, 1, 4)
    weights = np.exp(q @ k.swapaxes(2, 3) * size**-0.5) * causal(length)
    weights /= weights.sum(axis=3, keepdims=True)
    found = (weights @ v).swapaxes(1, 2).reshape(-1, width)
    y = found @ p["out"].T + x
    g, scale_g = norm(y)
    hidden = np.maximum(g @ p["wide"].T, 0.0)
    z = hidden @ p["narrow"].T + y
    likely = np.exp(z @ p["head"].T)
    likely /= likely.sum(axis=1, keepdims=True)
    loss = -np.log(likely[rows, following]).mean()

    d = views(gradient, shapes)
    d_logits = likely
    d_logits[rows, following] -= 1.0
    d_logits /= len(rows)
    np.matmul(d_logits.T, z, out=d["head"])
    d_z = d_logits @ p["head"]
    np.matmul(d_z.T, hidden, out=d["narrow"])
    d_hidden = (d_z @ p["narrow"]) * (hidden > 0)
    np.matmul(d_hidden.T, g, out=d["wide"])
    d_y = d_z + norm_backward(d_hidden @ p["wide"], g, scale_g)
    np.matmul(d_y.T, found, out=d["out"])
    d_found = (d_y @ p["out"]).reshape(batch, length, heads, size).swapaxes(1, 2)
    d_weights = d_found @ v.swapaxes(2, 3)
    d_weights -= np.vecdot(d_weights, weights)[..., None]
    d_scores = weights * d_weights * size**-0.5
    d_qkv = np.empty((batch, length, 3, heads, size), theta.dtype)
    d_q, d_k, d_v = d_qkv.transpose(2, 0, 3, 1, 4)
    d_q[:] = d_scores @ k
    d_k[:] = d_scores.swapaxes(2, 3) @ q
    d_v[:] = weights.swapaxes(2, 3) @ d_found
    d_qkv = d_qkv.reshape(-1, 3 * width)
    np.matmul(d_qkv.T, h, out=d["qkv"])
    d_x = norm_backward(d_y + norm_backward(d_qkv @ p["qkv"], h, scale_h), x, scale_x)
    d["position"][:length] = d_x.reshape(batch, length, width).sum(axis=0)
    is_token = np.arange(len(p["token"]))[:, None] == tokens
    np.matmul(is_token.astype(theta.dtype), d_x, out=d["token"])
    return loss, gradient
