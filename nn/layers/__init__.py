"""Modules: neurons, layers, and what networks are made of beside them.

`mlp` has Neuron, Layer, Linear and MLP, `containers` Sequential; `init` draws first weights, and
`functional` has functions of vectors.
"""
