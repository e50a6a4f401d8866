"""Derivatives against finite differences.

`gradcheck` is the public function. `functions` brings functions and modules into one form,
`kernels` brings kernels into it. `directions` says how inputs move, `differences` estimates
slopes and their errors, `report` shows the findings. `expressions` builds random functions for
property tests.
"""
