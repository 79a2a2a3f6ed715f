"""What the words of a `train` block mean: optimizers, schedules, losses, augmentations.

Each is a class with its arguments and its body in one place, like a layer.
"""
