"""Modules that networks are made of.

Read `vectors` first, the types of inputs and outputs, then `mlp` with Neuron, Layer, Linear and
MLP. `init` draws the first weights, `functional` has functions of vectors, `containers` Sequential.
"""
