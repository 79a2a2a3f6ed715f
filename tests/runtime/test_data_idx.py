"""mnist:DIR and fashion:DIR: where the files may lie, and every way they can be damaged."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnc.runtime.data import check, idx, load
from cnnc.runtime.errors import DataError

RNG = np.random.default_rng(0)
IMAGES = {
    "train": RNG.integers(0, 256, (20, 28, 28), np.uint8),
    "t10k": RNG.integers(0, 256, (10, 28, 28), np.uint8),
}
LABELS = {"train": np.arange(20, dtype=np.uint8) % 10, "t10k": np.arange(10, dtype=np.uint8)}


def packed(array):
    sides = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes((0, 0, 8, array.ndim)) + sides + array.tobytes()


def write(folder, dot=False, gz=False, **replace):
    """The four files; replace: train_images=bytes and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("train", "t10k"):
        for what, array in (("images-idx3", IMAGES[part]), ("labels-idx1", LABELS[part])):
            name = f"{part}-{what.replace('-', '.') if dot else what}-ubyte"
            data = replace.get(f"{part}_{what[:6]}", packed(array))
            (folder / (name + ".gz" if gz else name)).write_bytes(
                gzip.compress(data) if gz else data
            )


def refused(folder, shape=(1, 28, 28), source="mnist"):
    with pytest.raises(DataError) as caught:
        load(f"{source}:{folder}", shape)
    return caught.value


@pytest.mark.parametrize("gz", [False, True])
@pytest.mark.parametrize("dot", [False, True])
@pytest.mark.parametrize(
    ("source", "below"),
    [("mnist", ""), ("mnist", "raw"), ("mnist", "MNIST/raw"), ("fashion", "FashionMNIST/raw")],
)
def test_every_place_and_name(tmp_path, source, below, dot, gz):
    write(tmp_path / below, dot, gz)
    data = load(f"{source}:{tmp_path}", (1, 28, 28))
    check(data, (1, 28, 28), 10)
    assert data.classes == 10
    assert np.array_equal(data.train.x[:, 0], IMAGES["train"].astype(np.float32) / np.float32(255))
    assert np.array_equal(data.test.x[:, 0], IMAGES["t10k"].astype(np.float32) / np.float32(255))
    assert data.train.y.tolist() == LABELS["train"].tolist()
    assert data.test.y.dtype == np.int64


def test_each_source_takes_its_own_sub_folder(tmp_path):
    write(tmp_path / "MNIST/raw")
    write(tmp_path / "FashionMNIST/raw", t10k_labels=packed(LABELS["t10k"][::-1].copy()))
    mnist, fashion = (load(f"{name}:{tmp_path}", (1, 28, 28)) for name in ("mnist", "fashion"))
    assert mnist.test.y.tolist() == fashion.test.y.tolist()[::-1] == list(range(10))


def test_resized_and_repeated_over_channels(tmp_path):
    write(tmp_path)
    x = load(f"mnist:{tmp_path}", (3, 56, 56)).train.x
    assert x.shape == (20, 3, 56, 56)
    assert np.array_equal(x[:, 0], x[:, 2])
    assert np.allclose(x[:, 0, 0, 0], IMAGES["train"][:, 0, 0] / 255, atol=1e-6)


def test_a_vector_is_no_image(tmp_path):
    write(tmp_path)
    error = refused(tmp_path, shape=(784,))
    assert error.help[0].startswith("write INPUT(1x28x28)")


def test_an_empty_folder(tmp_path):
    error = refused(tmp_path)
    assert "no train-images-idx3-ubyte" in error.message
    assert str(tmp_path / "MNIST/raw") in error.help[0]


def test_one_file_missing(tmp_path):
    write(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    assert "has none of t10k-labels-idx1-ubyte, t10k-labels.idx1-ubyte" in refused(tmp_path).message


TRAIN = packed(IMAGES["train"])


@pytest.mark.parametrize("gz", [False, True])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "begins with nothing"),
        (b"\0\0\x08", "begins with 00 00 08,"),
        (
            packed(LABELS["train"]),
            "begins with 00 00 08 01, an IDX file of images with 00 00 08 03",
        ),
        (b"\0\0\x0d\x03" + TRAIN[4:], "begins with 00 00 0d 03"),
        (TRAIN[:10], "is cut off in its header"),
        (TRAIN + b"\0", "goes on after the 15,680 bytes"),
        (packed(IMAGES["train"][:19]), "19 train images but 20 labels"),
        (TRAIN[:4] + struct.pack(">3I", *[2**32 - 1] * 3), "more than it can hold"),
        (packed(IMAGES["train"][:, :0]), "there are no pixels"),
    ],
)
def test_damaged_images(tmp_path, gz, data, message):
    write(tmp_path, gz=gz, train_images=data)
    assert message in refused(tmp_path).message


def test_a_file_cut_off(tmp_path):
    write(tmp_path, train_images=TRAIN[:-1])
    assert "is cut off: 15,679 bytes of 15,680" in refused(tmp_path).message
    write(tmp_path, gz=True, train_images=TRAIN[:-1])
    for path in tmp_path.glob("*ubyte"):
        path.unlink()
    assert "is cut off: 15,679 bytes of 15,680" in refused(tmp_path).message


def test_sizes_that_differ_between_the_parts(tmp_path):
    write(tmp_path, t10k_images=packed(IMAGES["t10k"][:, :27].copy()))
    assert "differ in size" in refused(tmp_path).message


def test_packed_but_not_called_so(tmp_path):
    write(tmp_path, train_images=gzip.compress(TRAIN))
    assert refused(tmp_path).help == ("a file packed with gzip must be called .gz",)


def test_called_packed_but_not(tmp_path):
    write(tmp_path, gz=True)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(TRAIN)
    assert "is damaged" in refused(tmp_path).message


def test_no_more_is_unpacked_than_declared(tmp_path):
    bomb = packed(IMAGES["train"]) + bytes(300_000_000)
    write(tmp_path, gz=True, train_images=bomb)
    assert "goes on after" in refused(tmp_path).message


def test_above_the_limit(tmp_path, monkeypatch):
    write(tmp_path)
    monkeypatch.setattr(idx, "SIZE_LIMIT", 10_000)
    assert "declares 15,680 bytes, the limit is 10,000" in refused(tmp_path).message


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(flip=st.integers(0, 10**9), cut=st.none() | st.integers(0, 10**9))
def test_a_damaged_gzip_is_an_error_or_harmless(tmp_path, flip, cut):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    write(tmp_path, gz=True)
    data = bytearray(path.read_bytes())
    data[flip // 8 % len(data)] ^= 1 << flip % 8
    path.write_bytes(data if cut is None else data[: cut % len(data)])
    try:
        x = load(f"mnist:{tmp_path}", (1, 28, 28)).train.x
    except DataError:
        return
    assert np.array_equal(x[:, 0], IMAGES["train"].astype(np.float32) / np.float32(255))
