"""Runs compiled programs: data sets, kernels, training and the files of a run.

Imports the compiler's programs and layers, never `cnnc.dsl` or `cnnc.cli`.
"""
