"""Data layers that turn the data: principal components and whitening.

Both need the covariance of every number of a sample with every other, a KxK matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isqrt, prod
from typing import Any

from ..arguments import arg, integer, number, one_of
from ..values import show_shape
from .initializers import Identity, Initializer, Zero
from .layer import Array, Arrays, Field, Layer, Misfit, Shape, Unfit, Weight, Work

LARGEST = 2**31  # entries of a covariance


def _smaller(x: Shape) -> list[str]:
    """The largest square input that is small enough."""
    if len(x) != 3 or x[0] > isqrt(LARGEST - 1):
        return [f"an input of {isqrt(LARGEST - 1)} numbers is the largest"]
    side = isqrt(isqrt(LARGEST - 1) // x[0])
    return [f"an input of {x[0]}x{side}x{side} is the largest square one: it gives the same shape"]


class Turned(Layer):
    """The base of layers that subtract the mean and multiply by a matrix."""

    family = "data"
    backward_reads = ("matrix",)

    def rows(self, x: Shape) -> int:
        """How many rows the matrix has: numbers of the output."""
        return prod(x)

    def check_size(self, x: Shape) -> int:
        """K, how many numbers a sample has; Misfit where a KxK matrix is too large."""
        size = prod(x)
        if size * size >= LARGEST:
            product = " * ".join(map(str, x))
            raise Misfit(
                "E313",
                f"{self.written()} needs a matrix of {size}x{size} = {size * size:,} numbers,"
                f" and the limit is {LARGEST - 1:,}",
                f"gets {show_shape(x)}",
                rule=f"({product})**2 < 2**31, so at most {isqrt(LARGEST - 1):,} numbers a sample",
                fixes=[
                    "CENTER -> NORMALIZE in its place keeps two numbers a channel, and gives"
                    f" {show_shape(x)}",
                    *_smaller(x),
                ],
            )
        return size

    def start(self) -> Initializer:
        """The matrix before fitting."""
        raise NotImplementedError

    def weights(self, x: Shape) -> tuple[Weight, ...]:
        """The mean of each number, and the matrix."""
        k = prod(x)
        return (
            Weight("mean", (k,), Zero(), trainable=False, statistic=True),
            Weight("matrix", (self.rows(x), k), self.start(), trainable=False, statistic=True),
        )

    def buffers(self, n: int, x: Shape) -> tuple[Work, ...]:
        """The input without its mean."""
        return (Work("centred", (prod(x),), use="forward"),)

    def forward(self, xp: Any, a: Arrays) -> None:
        """Y = (x - mean) @ matrix.T"""
        n = len(a.x)
        xp.subtract(a.x.reshape(n, -1), a.mean, out=a.centred)
        xp.matmul(a.centred, a.matrix.T, out=a.y.reshape(n, -1))

    def backward(self, xp: Any, a: Arrays) -> None:
        """Dx = dy @ matrix"""
        n = len(a.dy)
        xp.matmul(a.dy.reshape(n, -1), a.matrix, out=a.dx.reshape(n, -1))

    def components(
        self, xp: Any, batches: Callable[[], Iterable[Array]], least: int
    ) -> tuple[Array, Array, Array]:
        """Mean (K,), variances (K,) falling, and principal components (K, K), a row each.

        Variances are divided by the number of samples. A component's sign is so that its entry
        of the largest magnitude, the first of several, is positive.
        """
        total, count = 0.0, 0
        for x in batches():
            total = total + xp.sum(x.reshape(len(x), -1), axis=0, dtype="float64")  # (K,)
            count += len(x)
        if count < least:
            raise Unfit(f"{self.written()} needs at least {least} training samples, not {count}")
        mean = total / count
        covariance = 0.0
        for x in batches():
            off = x.reshape(len(x), -1).astype("float64") - mean  # (N, K)
            covariance = covariance + off.T @ off  # (K, K)
        variances, columns = xp.linalg.eigh(covariance / count)
        rows = columns.T[::-1]  # (K, K)
        largest = xp.argmax(xp.abs(rows), axis=1)  # (K,)
        signs = xp.sign(xp.take_along_axis(rows, largest[:, None], axis=1))  # (K, 1)
        # What rounding leaves of a variance of 0 may be below it.
        return mean, xp.maximum(variances[::-1], 0), rows * signs


class PCA(Turned):
    """The k directions in which the training set varies most; a sample becomes a vector of k.

    Before fitting there are no directions: a step or a prediction is refused.

    Shapes    x (N, C, H, W) or (N, K)  ->  y (N, k); mean (K,), matrix (k, K), K = C*H*W
    Formula   y = matrix @ (x - mean), x flattened in that order; the rows of matrix are the
              eigenvectors of the covariance with the largest eigenvalues, the largest first, each
              of length 1, its entry of the largest magnitude positive
    Gradient  dx = matrix.T @ dy
    Errors    E305 it does not stand right after INPUT; E312 k is more than K; E313 a KxK
              covariance has 2**31 numbers or more. Fitting needs at least k samples
    Source    Pearson 1901; Hotelling 1933; as scikit-learn's PCA, whose signs are others
    """

    kind = "PCA"
    by_place = ("k",)
    fitted = "matrix"

    k: int = arg(integer(at_least=1), "how many directions are kept")

    def shape(self, x: Shape) -> Shape:
        """(k,)."""
        size = self.check_size(x)
        if self.k > size:
            raise Misfit(
                "E312",
                f"{self.written()} keeps more numbers than there are: its input has {size}",
                f"gets {show_shape(x)}",
                rule=f"k <= {' * '.join(map(str, x))} = {size}",
                fixes=[
                    f"PCA({size}) keeps all of them, and gives {size}",
                    f"PCA({-(-size // 2)}) keeps half of them, and gives {-(-size // 2)}",
                    f"WHITEN(pca) keeps all in their shape, and gives {show_shape(x)}",
                ],
            )
        return (self.k,)

    def rows(self, x: Shape) -> int:
        """K."""
        return self.k

    def start(self) -> Initializer:
        """No direction."""
        return Zero()

    def field(self, field: Field, whole: tuple[int, int]) -> Field:
        """The whole input."""
        return Field.everything(whole)

    def fit(self, xp: Any, batches: Callable[[], Iterable[Array]]) -> dict[str, Array]:
        """From the covariance, in float64."""
        mean, _, rows = self.components(xp, batches, self.k)
        return {"mean": mean, "matrix": rows[: self.k]}

    samples = (("PCA(4)", (2, 2, 3)), ("PCA(k=5)", (5,)))


class Whiten(Turned):
    """Makes the numbers of a sample uncorrelated, each of variance 1 over the training set.

    Before fitting it changes nothing.

    Shapes    x (N, C, H, W) or (N, K)  ->  y the same; mean (K,), matrix (K, K), K = C*H*W
    Formula   y = matrix @ (x - mean), x flattened in that order. With the components V (a row
              each, signs as PCA's) and variances s (divided by the number of samples):
              zca: matrix = V.T @ diag(1/sqrt(s + eps)) @ V, which stays close to the image;
              pca: matrix = diag(1/sqrt(s + eps)) @ V, the components in falling order, laid out
              in x's shape though they are no pixels any more. With eps=0 a variance of 0
              stays 0
    Gradient  dx = matrix.T @ dy
    Errors    E305 it does not stand right after INPUT; E313 a KxK matrix has 2**31 numbers or
              more
    Source    Krizhevsky 2009, Learning multiple layers of features from tiny images, appendix
              A; Kessy et al. 2018. The receptive field counts from its output
    """

    kind = "WHITEN"

    mode: str = arg(one_of("zca", "pca"), "turned back to the image, or not", default="zca")
    eps: float = arg(number(at_least=0), "added to each variance", default=1e-5)

    def shape(self, x: Shape) -> Shape:
        """The input's."""
        self.check_size(x)
        return x

    def start(self) -> Initializer:
        """No change."""
        return Identity()

    def fit(self, xp: Any, batches: Callable[[], Iterable[Array]]) -> dict[str, Array]:
        """From the covariance, in float64."""
        mean, variances, rows = self.components(xp, batches, 1)
        # Without eps, what rounding leaves of a variance of 0 would be blown up to 1.
        none = variances + self.eps <= (0.0 if self.eps else 1e-12 * xp.max(variances))  # (K,)
        scales = xp.where(none, 0.0, 1 / xp.sqrt(xp.where(none, 1.0, variances + self.eps)))
        matrix = scales[:, None] * rows  # (K, K)
        return {"mean": mean, "matrix": matrix if self.mode == "pca" else rows.T @ matrix}

    samples = (
        ("WHITEN", (2, 2, 2)),
        ("WHITEN(pca, eps=0.1)", (3, 2, 2)),
        ("WHITEN(zca)", (5,)),
    )


LAYERS = (PCA, Whiten)
