"""The error function from element-wise operations: neither NumPy nor CuPy's base has one.

    erfc(x) = exp(-x*x) * P(t),   t = 1 - 2*K/(x + K),   x >= 0,   K = 3.75

P is a polynomial for all of 0 … infinity at once, so that nothing depends on which range a
number lies in. Schonfelder 1978, "Chebyshev expansions for the error and related functions",
Mathematics of Computation 32, has the transformation and its K; the coefficients are those of
the Chebyshev series of exp(x*x)*erfc(x) in t, computed with 50 digits, cut off at 2e-17 and
rewritten in powers of t. The largest error is 6e-16 in float64.
"""

from __future__ import annotations

from typing import Any

from .layer import Array

K = 3.75

# Of t**0, t**1, …; the absolute values sum up to 1, so Horner's rule loses nothing.
COEFFICIENTS = (
    0.14558972127503855, -0.273421931495426, 0.22600806691661973, -0.16357189552396872,
    0.1026043120322792, -0.054802326693802486, 0.024143223970933082, -0.008220621168413818,
    0.001802962431312697, -2.5535234547278032e-05, -0.0001524627475987319,
    4.7898382309460193e-05, 3.5840140626940777e-06, -6.1823694498183625e-06,
    7.478317357053754e-07, 6.575826983280302e-07, -1.8225656988945216e-07,
    -7.044012401871259e-08, 3.0265447074510775e-08, 7.532601926658576e-09,
    -4.066067253698444e-09, -5.718776272183871e-10, 3.3280714902034356e-10,
)  # fmt: skip


def erf(xp: Any, x: Array, out: Array, work: Array) -> None:
    """Write the error function of x; `out` and `work` are of x's shape and none of them is x."""
    xp.abs(x, out=work)
    xp.add(work, K, out=work)
    xp.divide(-2 * K, work, out=work)
    xp.add(work, 1, out=work)  # t; 1 where x is infinite
    out.fill(COEFFICIENTS[-1])
    for coefficient in COEFFICIENTS[-2::-1]:
        xp.multiply(out, work, out=out)
        xp.add(out, coefficient, out=out)
    xp.multiply(x, x, out=work)
    xp.negative(work, out=work)
    xp.exp(work, out=work)
    xp.multiply(out, work, out=out)  # erfc of |x|
    xp.subtract(1, out, out=out)
    xp.copysign(out, x, out=out)
