"""Text to Spec: sources and spans, diagnostics, the syntax tree, parser and formatter.

Nothing here knows what a layer means.
"""
