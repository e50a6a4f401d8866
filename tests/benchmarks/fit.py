"""`nn.fit` on handwritten digits against PyTorch eager and scikit-learn: time and accuracy."""

import warnings

import nn
from nn import data
from tests.benchmarks.harness import Bar, MissingPeerError, Row, Unmeasured, peer, share_of_time

SIZES = (64, 32, 10)
BATCH, LR = 32, 0.01
TORCH, SKLEARN = "PyTorch eager", "scikit-learn MLPClassifier"
NET = "-".join(map(str, SIZES))


def ours(x, y, epochs, seed):
    """A function of rows to logits, trained by `nn.fit`: ReLU, cross-entropy, Adam."""
    model = nn.MLP(SIZES[0], SIZES[1:], seed=seed)
    adam = nn.Adam(model.parameters(), lr=LR)
    nn.fit(
        model, x, y, loss=nn.cross_entropy, optimizer=adam, epochs=epochs, batch_size=BATCH,
        seed=seed, progress=False,
    )  # fmt: skip
    return lambda rows: nn.predict(model, rows)


def by_torch(torch):
    """The same in PyTorch, in double precision, from the same weights."""

    def train(x, y, epochs, seed):
        torch.manual_seed(seed)
        linear = torch.nn.Linear
        model = torch.nn.Sequential(linear(*SIZES[:2]), torch.nn.ReLU(), linear(*SIZES[1:]))
        model = model.double()
        start = nn.MLP(SIZES[0], SIZES[1:], seed=seed).state_dict().values()
        with torch.no_grad():
            for parameter, array in zip(model.parameters(), start, strict=True):
                parameter.copy_(torch.tensor(array))
        adam = torch.optim.Adam(model.parameters(), lr=LR)
        rows, targets = torch.tensor(x), torch.tensor(y)
        for _ in range(epochs):
            for batch in torch.randperm(len(x)).split(BATCH):
                adam.zero_grad()
                loss = torch.nn.functional.cross_entropy(model(rows[batch]), targets[batch])
                loss.backward()
                adam.step()
        return lambda rows: model(torch.tensor(rows)).detach().numpy()

    return train


def by_sklearn(neural_network):
    """The same in scikit-learn, which draws its own weights."""

    def train(x, y, epochs, seed):
        model = neural_network.MLPClassifier(
            SIZES[1:-1], alpha=0.0, batch_size=BATCH, learning_rate_init=LR, max_iter=epochs,
            n_iter_no_change=epochs + 1, random_state=seed,
        )  # fmt: skip
        with warnings.catch_warnings(action="ignore"):  # it ends after the last epoch, as meant
            model.fit(x, y)
        return model.predict_proba

    return train


PEERS = {
    TORCH: ("torch", "peers", by_torch, 0.5),
    SKLEARN: ("sklearn.neural_network", "data", by_sklearn, 1.0),
}
"""The module, the extra that installs it, what trains with it, and the bar."""


def measure(settings):
    """Yield the rows."""
    epochs, seeds = (2, 2) if settings.quick else (30, 5)
    name = f"fit digits {NET}, {epochs} epochs of {BATCH}"
    try:
        peer("sklearn", "data")
    except MissingPeerError as missing:
        yield Unmeasured(name, "—", str(missing))  # the digits are scikit-learn's, too
        return
    split = data.train_test_split(*data.digits(), test_size=0.2)
    trainers = {"nn.fit": ours}
    repeats = min(settings.repeats, 10)
    for library, (module, extra, trainer, bar) in PEERS.items():
        try:
            trainers[library] = trainer(peer(module, extra))
        except MissingPeerError as missing:
            yield Unmeasured(name, library, str(missing))
            continue
        yield against(name, library, trainers[library], split, epochs, bar, repeats)
    for library, trainer in trainers.items():
        shares = tuple(held_out_accuracy(trainer, split, epochs, seed) for seed in range(seeds))
        yield Row("its accuracy on a held-out fifth", library, shares, "%")


def against(name, library, theirs, split, epochs, bar, repeats):
    """The row of the time of a whole training, from making the model to its last step."""
    x, _, y, _ = split
    ratios = share_of_time(lambda: ours(x, y, epochs, 0), lambda: theirs(x, y, epochs, 0), repeats)
    return Row(name, library, ratios, "of its time", Bar("≤", bar))


def held_out_accuracy(trainer, split, epochs, seed):
    """The share of the test examples whose class is predicted, in percent."""
    x, x_test, y, y_test = split
    return 100 * nn.metrics.accuracy(trainer(x, y, epochs, seed)(x_test), y_test)
