"""The training loop and its named parts, which `nn.fit` and `fit_names` share.

`training` is the loop. It takes batches and limits from a `plan`, losses and gradients from an
engine, and steps from a `descent`. `batches` are what `fit` trains on, `measuring` is what it
records, `stopping` says when a loss has not fallen for too long, `interruption` is Ctrl-C.
`checkpoint` saves and resumes a training: `archive` is its file, `likeness` whether it fits.
"""
