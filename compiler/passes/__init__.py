"""Passes: each takes a valid program and leaves a valid one."""
