"""Derivatives against finite differences.

`gradcheck` is the public function. `functions` brings eager functions, modules and kernels into
one form, `directions` moves their inputs, `differences` estimates slopes and their errors,
`report` says what was found, and `expressions` writes random programs for property tests.
"""
