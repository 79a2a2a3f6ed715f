"""Spec to Net to Program: names, repeats and knobs resolved, shapes and weights derived,
a training step lowered to a list of steps on planned buffers.

Nothing here imports NumPy: checking a spec needs plain integers only.
"""
