"""Depthwise convolutions."""

from __future__ import annotations

from ..arguments import arg, boolean, integer, padding, window
from .unfolding import Unfolding
from .windows import Padding


class DwConv(Unfolding):
    """Filters that slide over one input map each: CONV with as many groups as channels.

    Shapes    x (N, C, H, W)  ->  y (N, C*multiplier, H', W'), weight (C*multiplier, 1, kh, kw),
              bias (C*multiplier,);  H' and W' as CONV's
    Formula   y[f] = bias[f] + sum over i, j of weight[f, 0, i, j] * x[f // multiplier] at row
              stride*row + dilation*i - pad (zero outside)
    Gradient  as CONV's
    Errors    E301 no window fits; E302 the input is a vector
    Source    Sifre 2014, chapter 6; Howard et al. 2017 (MobileNets), section 3.1; layout as
              PyTorch's Conv2d with groups=C
    """

    kind = "DWCONV"
    by_place = ("k",)

    k: tuple[int, int] = arg(window(), "kernel size", default=3)
    stride: tuple[int, int] = arg(window(), "step between windows", default=1)
    pad: Padding = arg(
        padding("valid", "same"), "rows and columns of zeros around the input", default=0
    )
    dilation: tuple[int, int] = arg(window(), "step between the kernel's taps", default=1)
    multiplier: int = arg(integer(at_least=1), "filters for each channel", default=1)
    bias: bool = arg(boolean(), "whether a bias is added", default=True)

    def split(self, channels: int) -> tuple[int, int]:
        """Each channel is a group of its own."""
        return channels, self.multiplier

    samples = (
        ("DWCONV", (3, 5, 6)),
        ("DWCONV(3x2, stride=2, pad=(1, 0, 0, 1), dilation=2, bias=false)", (2, 7, 8)),
        ("DWCONV(2, pad=same, multiplier=3)", (2, 4, 3)),
        ("DWCONV(1, multiplier=2)", (2, 3, 3)),
    )


LAYERS = (DwConv,)
