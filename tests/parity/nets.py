"""Random small nets, as texts of the language, over every argument that the layers have."""

from __future__ import annotations

import random
from dataclasses import dataclass

import cnnc
from cnnc import Net, SpecError

LARGEST = 1500  # entries of a sample's activations: the nets stay small


@dataclass(frozen=True)
class Spec:
    """A net with the data sizes and the split that it is trained with."""

    text: str
    batch: int
    last: int  # samples of a smaller batch
    shards: int
    seed: int

    @property
    def net(self) -> Net:
        return cnnc.parse(self.text)


def random_spec(seed: int) -> Spec:
    """The net of a seed; drawn until it fits."""
    draw = random.Random(seed)
    while True:
        text = _Drawn(draw).text()
        try:
            net = cnnc.parse(text)
        except SpecError as error:
            # A window that does not fit, or a crop that leaves nothing, is drawn anew; all else
            # would be the generator's mistake.
            errors = {d.code for d in error.diagnostics if d.severity == "error"}
            if not errors <= {"E301", "E308"}:
                raise
            continue
        sizes = [_size(layer.output) for layer in net.layers]
        if max(sizes) <= LARGEST and 0 < net.trainable:
            batch = draw.randint(3, 9)
            shards = draw.randint(1, min(batch, 4))
            return Spec(text, batch, draw.randint(1, batch - 1), shards, seed)


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for n in shape:
        size *= n
    return size


class _Drawn:
    def __init__(self, draw: random.Random) -> None:
        self.draw = draw

    def chance(self, p: float) -> bool:
        return self.draw.random() < p

    def window(self, low: int, high: int) -> str:
        """n, or HxW."""
        if self.chance(0.3):
            return f"{self.draw.randint(low, high)}x{self.draw.randint(low, high)}"
        return str(self.draw.randint(low, high))

    def text(self) -> str:
        draw = self.draw
        channels = draw.choice((1, 2, 3, 4))
        layers = [f"INPUT({channels}x{draw.randint(5, 11)}x{draw.randint(5, 11)})"]
        layers += [
            data for data in ("CENTER", "CENTER(pixel)", "NORMALIZE", "NORMALIZE(range, per=pixel)",
                              "NORMALIZE(std, pixel)", "NORMALIZE(range)") if self.chance(0.12)
        ]  # fmt: skip
        for _ in range(draw.randint(1, 3)):
            kinds = (self.conv, self.conv, self.conv, self.table, self.dwconv, self.local,
                     self.deconv)  # fmt: skip
            channels, conv = draw.choice(kinds)(channels)
            layers.append(conv)
            if self.chance(0.8):
                layers.append(self.activation())
            if self.chance(0.55):
                layers.append(self.pool())
            if self.chance(0.2):
                layers.append("DROPOUT(0)")
            if self.chance(0.1):
                layers.append(f"SUBSAMPLE({self.window(1, 2)}{self.weighted()})")
            if self.chance(0.1):
                mode = draw.choice(("nearest", "bilinear"))
                layers.append(f"UPSAMPLE({self.window(1, 2)}, {mode})")
        if self.chance(0.2):  # judged per pixel
            layers.append(f"CONV({draw.randint(2, 4)}, 1)")
        else:
            if self.chance(0.3):
                layers.append("FLATTEN")
            if self.chance(0.5):
                layers += [f"FC({draw.randint(3, 8)}{self.weighted()})", self.activation()]
            bias = ", bias=false" if self.chance(0.2) else ""
            layers.append(f"FC({draw.randint(2, 6)}{bias}{self.weighted(frozen=0)})")
        if self.chance(0.3):
            layers.append("SOFTMAX")
        return " -> ".join(layers) + "\n" + self.train()

    def conv(self, channels: int) -> tuple[int, str]:
        draw = self.draw
        groups = draw.choice([g for g in (1, 1, 2, 3, 4) if channels % g == 0])
        filters = groups * draw.randint(1, 3)
        arguments = [str(filters), self.window(1, 4)]
        if self.chance(0.5):
            arguments.append(f"stride={self.window(1, 3)}")
        pad = draw.choice(("", "1", "2", "1x0", "0x2", "(1, 0, 2, 1)", "(0, 2, 0, 0)", "same",
                           "same", "valid"))  # fmt: skip
        arguments += [f"pad={pad}"] if pad else []
        if self.chance(0.25):
            arguments.append(f"dilation={self.window(1, 2)}")
        arguments += [f"groups={groups}"] if groups > 1 else []
        arguments += ["bias=false"] if self.chance(0.2) else []
        return filters, f"CONV({', '.join(arguments)}{self.weighted()})"

    def table(self, channels: int) -> tuple[int, str]:
        draw, filters = self.draw, self.draw.randint(1, 4)
        rows = [draw.sample(range(channels), draw.randint(1, channels)) for _ in range(filters)]
        return filters, f"CONV({filters}, {self.window(1, 3)}, table={rows}{self.weighted()})"

    def dwconv(self, channels: int) -> tuple[int, str]:
        multiplier = self.draw.randint(1, 2)
        arguments = [self.window(1, 3), "pad=same", f"stride={self.window(1, 2)}"]
        arguments += [f"multiplier={multiplier}"] if multiplier > 1 else []
        return channels * multiplier, f"DWCONV({', '.join(arguments)}{self.weighted()})"

    def local(self, channels: int) -> tuple[int, str]:
        filters, pad = self.draw.randint(1, 3), self.draw.choice(("0", "1", "(1, 0, 0, 2)"))
        text = f"{filters}, {self.window(1, 3)}, stride={self.window(1, 2)}, pad={pad}"
        return filters, f"LOCAL({text}{self.weighted()})"

    def deconv(self, channels: int) -> tuple[int, str]:
        filters, stride = self.draw.randint(1, 3), self.draw.randint(1, 2)
        outpad = self.draw.randint(0, stride - 1)
        text = f"{filters}, {self.window(1, 3)}, stride={stride}, pad=1, outpad={outpad}"
        return filters, f"DECONV({text}{self.weighted()})"

    def weighted(self, frozen: float = 0.15) -> str:
        text = ""
        text += f", lr={self.draw.choice((0.1, 0.5, 2))}" if self.chance(0.2) else ""
        text += f", decay={self.draw.choice((0, 0.5, 3))}" if self.chance(0.2) else ""
        text += ", freeze=true" if self.chance(frozen) else ""
        inits = ("xavier", "lecun", "normal(0.3)", "uniform(0.5)", "orthogonal")
        return text + (f", init={self.draw.choice(inits)}" if self.chance(0.3) else "")

    def activation(self) -> str:
        return self.draw.choice(
            ("RELU", "RELU", "LEAKYRELU", "LEAKYRELU(0.3)", "TANH",
             "TANH(scale=1.7159, slope=0.6666)", "SIGMOID")
        )  # fmt: skip

    def pool(self) -> str:
        """Padding is less than the window, so that no window lies wholly in it."""
        draw = self.draw
        k = draw.randint(1, 4)
        word = draw.choice(("POOL", "POOL", "MAXPOOL", "AVGPOOL", "AVGPOOL"))
        arguments = [str(k)]
        if self.chance(0.6):
            arguments.append(f"stride={self.window(1, 3)}")
        ceil = self.chance(0.4)
        if self.chance(0.5) and k > 1:
            # PyTorch has no uneven padding: the reference pads by hand, and without ceil.
            even = ceil or self.chance(0.5)
            pads = [draw.randint(0, k // 2 if even else k - 1) for _ in range(4)]
            arguments.append(f"pad={pads[0]}x{pads[1]}" if even else f"pad={(*pads,)}")
        if word == "POOL" and self.chance(0.3):
            arguments.append("mode=avg")
        arguments += ["ceil=true"] if ceil else []
        arguments += ["include_pad=false"] if self.chance(0.4) else []
        return f"{word}({', '.join(arguments)})"

    def train(self) -> str:
        optimizer = self.draw.choice(
            ("sgd", "sgd(momentum=0.9)", "sgd(momentum=0.8, nesterov=true)", "adam",
             "adam(beta1=0.8, beta2=0.95, eps=1e-6)")
        )  # fmt: skip
        lr = 0.005 if "adam" in optimizer else 0.02
        decay = self.draw.choice((0, 0, 0.01, 0.1))
        smoothing = self.draw.choice((0, 0, 0.1))
        return (
            f"train {{ optimizer = {optimizer}  lr = {lr}  weight_decay = {decay}"
            f"  loss = cross_entropy(label_smoothing={smoothing}) }}"
        )
