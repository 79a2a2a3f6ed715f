"""Spec to Net: names, knobs, repeats and options resolved, every shape and count derived."""
