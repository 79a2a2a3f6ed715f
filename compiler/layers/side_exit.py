"""Side exits, AUX(weight){ chain }: no layer, for its chain's layers are those beside the net."""

from __future__ import annotations

from ..arguments import Declared, arg, number


class Aux(Declared):
    """A side exit, whose own loss is added in training with a weight; prediction leaves it out.

    Shapes    x passes on unchanged; the side chain's output is of the net's output shape
    Formula   loss = loss of the net + sum over the exits of weight * loss of the exit
    Errors    E318 the exit's output is of another shape than the net's
    Source    Szegedy et al. 2015, section 5: weight 0.3
    """

    word = "AUX"
    by_place = ("weight",)

    weight: float = arg(number(at_least=0), "factor on the exit's own loss", default=0.3)
