"""The eager engine: one node per number. All but `custom` needs the standard library alone.

`value` is the node, `operators` the list of what scalars offer, `recording` the path from an op
on Values to its node, and `methods` takes it for each operator. `graph` walks over nodes,
`reverse` sweeps back over them, `modes` are the switches (`no_grad`, `detect_anomaly`, tracing),
`collector` pauses garbage collection, `frames` finds the user's line, `anomaly` names the first
nan, and `copying` pickles and copies graphs. `custom` makes a row of the op table from a user's
function, with its array form from `forms`, after a `trial`.
"""

from autodiff.engine import methods as methods  # gives Value its operators
