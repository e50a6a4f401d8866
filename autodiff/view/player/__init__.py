"""`play`: one HTML file that steps through a computation.

`page` writes the file from `assets`, `playback` the data in it, `formulas` the ops and partials
as text, and `sweeps` the backward pass share by share.
"""
