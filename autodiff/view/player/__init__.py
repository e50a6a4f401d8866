"""`play`: one HTML file that steps through a computation.

`page` writes the file from `assets` and from the data that `playback` collects. `formulas` writes
ops and partials as text, and `sweeps` has the backward pass edge by edge.
"""
