"""The eager engine: one node per number. It needs the standard library alone.

`value` is the node, `operators` the list of what scalars offer, `recording` the path from an op
on Values to its node. `graph` walks over nodes, `reverse` sweeps back over them, `modes` are the
switches (`no_grad`, `detect_anomaly`, tracing), `frames` finds the user's line, `anomaly` names
the first nan, `copying` pickles and copies graphs, and `custom` makes a row of the op table from
a user's function.
"""

from autodiff.engine import recording as recording  # gives Value its operators
