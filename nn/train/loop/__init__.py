"""The training loop and its named parts, which `nn.fit` and `fit_names` share.

`training` is the loop. It takes batches and limits from a `plan`, losses and gradients from an
engine, and steps from a `descent`. `examples` are what `fit` trains on, `measuring` is what it
records, `stopping` when it ends, `interruption` is Ctrl-C, and `checkpoint` a training on disk.
"""
