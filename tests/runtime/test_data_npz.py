"""npz:FILE: what is read, and that a damaged or hostile file gives an error and nothing else."""

import io
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnc.runtime.data import check, load, npz
from cnnc.runtime.errors import DataError

SHAPE = (2, 3, 4)


def arrays(dtype="uint8", shape=SHAPE, n=6):
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    x = rng.integers(0, 128, (2, n, *shape)).astype(dtype)
    return {"x_train": x[0], "y_train": y, "x_test": x[1], "y_test": y}


@pytest.fixture
def saved(tmp_path):
    def save(tables, write=np.savez):
        write(tmp_path / "a.npz", **tables)
        return f"npz:{tmp_path / 'a.npz'}"

    return save


def refused(spec, shape=SHAPE):
    with pytest.raises(DataError) as caught:
        load(spec, shape)
    return caught.value


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(("dtype", "largest"), [("uint8", 255), ("int8", 127), (">u2", 65535)])
def test_integers_are_divided_by_the_maximum_of_their_type(saved, write, dtype, largest):
    tables = arrays(dtype)
    data = load(saved(tables, write), SHAPE)
    check(data, SHAPE, 3)
    assert data.classes == 3
    assert data.train.x.dtype == np.float32
    assert data.train.y.dtype == np.int64
    assert np.allclose(data.train.x, tables["x_train"] / largest, rtol=1e-6)
    assert np.allclose(data.test.x, tables["x_test"] / largest, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f4", "bool"])
def test_others_are_taken_as_they_are(saved, dtype):
    tables = arrays(dtype)
    data = load(saved(tables), SHAPE)
    assert data.train.x.dtype == np.dtype("float32")
    assert np.array_equal(data.train.x, tables["x_train"].astype(np.float32))


def test_arrays_in_fortran_order(saved):
    tables = arrays("float32")
    tables["x_train"] = np.asfortranarray(tables["x_train"])
    data = load(saved(tables), SHAPE)
    assert np.array_equal(data.train.x, tables["x_train"])
    assert data.train.x.flags.c_contiguous


def test_grey_images_get_their_channel(saved):
    data = load(saved(arrays(shape=(5, 7))), (1, 5, 7))
    assert data.train.x.shape == (6, 1, 5, 7)


def test_vectors(saved):
    assert load(saved(arrays(shape=(9,))), (9,)).train.x.shape == (6, 9)


def test_channels_last_is_refused_with_the_transposition(saved):
    error = refused(saved(arrays(shape=(3, 4, 2))))
    assert "x_train: the samples are 3x4x2, channels last; the net's INPUT is 2x3x4" in str(error)
    assert error.help == ("save x.transpose(0, 3, 1, 2)",)


def test_flat_samples_are_refused_with_the_reshape(saved):
    error = refused(saved(arrays(shape=(24,))))
    assert error.help == ("if only the shape is another, save x.reshape(-1, 2, 3, 4)",)


def test_another_size_is_left_to_check(saved):
    data = load(saved(arrays(shape=(1, 9, 9))), SHAPE)
    with pytest.raises(DataError, match="the samples are 1x9x9, the net's INPUT is 2x3x4"):
        check(data, SHAPE, 3)


def test_missing_arrays_are_named(saved):
    tables = arrays()
    del tables["y_train"], tables["x_test"]
    error = refused(saved(tables))
    assert "y_train, x_test missing; the file holds x_train, y_test" in error.message


def test_wide_integers_of_which_nothing_would_be_left(saved):
    error = refused(saved(arrays("int64")))
    assert "x_train is int64 with values up to 127" in error.message
    assert error.help[0] == 'save x_train.astype("uint8")'
    full = arrays("int64")
    full["x_train"][0, 0, 0, 0] = np.iinfo(np.int64).max
    assert load(saved(full), SHAPE).train.x.max() == 1


def test_types_that_would_be_scaled_differently(saved):
    error = refused(saved(arrays() | {"x_test": arrays("float32")["x_test"]}))
    assert "x_train is uint8 and x_test float32" in error.message


@pytest.mark.parametrize(
    ("labels", "fix"),
    [
        (np.eye(3)[[0, 1, 2, 0, 1, 2]], "save y.argmax(axis=1), if each row marks its class"),
        (np.arange(6.0), 'save y.reshape(-1).astype("int64")'),
        (np.arange(6)[:, None], 'save y.reshape(-1).astype("int64")'),
        (np.int64(3), 'save y.reshape(-1).astype("int64")'),
    ],
)
def test_labels_that_are_no_row_of_integers(saved, labels, fix):
    error = refused(saved(arrays() | {"y_test": labels}))
    assert "y_test: labels are a row of integers" in error.message
    assert error.help == (fix,)


def test_a_label_beyond_int64_does_not_wrap(saved):
    labels = np.array([0, 1, 2, 0, 1, 2**63 + 1], np.uint64)
    assert (
        "9223372036854775809 is no class" in refused(saved(arrays() | {"y_train": labels})).message
    )


def test_numbers_too_large_for_float32_are_reported_by_check(saved):
    tables = arrays("float64")
    tables["x_train"][1, 0, 0, 0] = 1e300
    with pytest.raises(DataError, match=r"sample 1 holds inf"):
        check(load(saved(tables), SHAPE), SHAPE, 3)


def test_empty_arrays_are_left_to_check(saved):
    data = load(saved(arrays(n=0)), SHAPE)
    with pytest.raises(DataError, match="there are no samples"):
        check(data, SHAPE, 3)


class Mark:
    """Unpickling one would show."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle in a data file was run",))


def test_objects_are_never_unpickled(saved):
    objects = np.array([Mark()] * 6, object)
    error = refused(saved(arrays() | {"y_train": objects}, np.savez))
    assert "Python objects" in error.message


@pytest.mark.parametrize("x", [np.zeros(6, "complex64"), np.array(["a"] * 6), np.zeros(6, "m8[s]")])
def test_types_that_are_no_numbers(saved, x):
    assert "not of numbers" in refused(saved(arrays() | {"x_train": x})).message


def test_structured_types(saved):
    x = np.zeros(6, [("a", "f4")])
    assert "not of numbers" in refused(saved(arrays() | {"x_train": x})).message


# Hostile files.


def npy(declared, body=b"", dtype="<f4"):
    """An .npy file whose header declares a shape, whatever follows."""
    text = repr({"descr": dtype, "fortran_order": False, "shape": declared}).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


def archive(tmp_path, compression=zipfile.ZIP_STORED, **members):
    """A zip file of the usual arrays, some of them replaced by these bytes."""
    with zipfile.ZipFile(tmp_path / "a.npz", "w", compression) as file:
        for key, array in arrays().items():
            buffer = io.BytesIO()
            np.save(buffer, array)
            file.writestr(f"{key}.npy", members.get(key, buffer.getvalue()))
    return f"npz:{tmp_path / 'a.npz'}"


def test_the_helper_writes_what_numpy_writes(tmp_path):
    check(load(archive(tmp_path), SHAPE), SHAPE, 3)


def test_a_shape_larger_than_its_bytes(tmp_path):
    error = refused(archive(tmp_path, x_train=npy((6, 2, 3, 4), bytes(100))))
    assert "x_train has 100 bytes, its shape 6x2x3x4 of float32 takes 576" in error.message


def test_bytes_after_the_array(tmp_path):
    error = refused(archive(tmp_path, y_test=npy((2,), bytes(17), "<i8")))
    assert "y_test has 17 bytes, its shape 2 of int64 takes 16" in error.message


@pytest.mark.parametrize("shape", [(2**62, 2**62), (-6, 24), (True, 24), (6.5,), "abc", (0, 2**70)])
def test_shapes_that_are_none(tmp_path, shape):
    assert refused(archive(tmp_path, x_train=npy(shape))).message.startswith("npz:")


def test_an_array_above_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(npz, "SIZE_LIMIT", 1000)
    assert "its arrays take" in refused(archive(tmp_path)).message
    monkeypatch.setattr(npz, "SIZE_LIMIT", 100_000)
    assert load(archive(tmp_path), SHAPE)


def declare_size(path, size):
    """Make every member's entry in the zip's directory tell another unpacked size."""
    data = bytearray(path.read_bytes())
    place = data.find(b"PK\x01\x02")
    while place >= 0:
        struct.pack_into("<I", data, place + 24, size)
        place = data.find(b"PK\x01\x02", place + 4)
    path.write_bytes(data)


def test_a_member_that_declares_more_than_its_bytes_can_hold(tmp_path):
    spec = archive(tmp_path, zipfile.ZIP_DEFLATED)
    declare_size(tmp_path / "a.npz", 2**32 - 2)
    assert "unpack to 4,294,967,294" in refused(spec).message


def test_a_member_that_unpacks_to_more_than_it_declares(tmp_path):
    bomb = npy((1,), bytes(50_000_000))
    spec = archive(tmp_path, zipfile.ZIP_DEFLATED, x_train=bomb)
    declare_size(tmp_path / "a.npz", len(npy((1,))) + 4)
    assert "a.npz" in refused(spec).message


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressions_without_a_bound_are_refused(tmp_path, compression):
    error = refused(archive(tmp_path, compression))
    assert "x_train is compressed in a way that np.savez never uses" in error.message


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip at all" * 50, b"\x93NUMPY\x01\x00"])
def test_a_file_that_is_no_zip(tmp_path, data):
    (tmp_path / "a.npz").write_bytes(data)
    assert "not a whole .npz file" in refused(f"npz:{tmp_path / 'a.npz'}").message


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{",
        b"[" * 9000,
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (1L,), }",
        b"{'descr': '<i16', 'fortran_order': False, 'shape': (1,)}",
        b"{[]: 1}",
        b"{'descr': 'zz', 'fortran_order': False, 'shape': (1,)}",
        b"{'descr': [('a', '<f4', (2,)), 3], 'fortran_order': False, 'shape': (1,)}",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        b"__import__('os').abort()",
        b"'\\q'",
        b"'''",
        b"(" + b"9" * 5000 + b",)",
    ],
)
def test_headers_that_are_none(tmp_path, header):
    member = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(4)
    refused(archive(tmp_path, x_train=member))


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_the_npy_format(tmp_path, version):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, arrays()["x_train"], version)
    check(load(archive(tmp_path, x_train=buffer.getvalue()), SHAPE), SHAPE, 3)


def test_versions_that_there_are_not(tmp_path):
    member = b"\x93NUMPY\x04\x00" + npy((1,))[8:]
    assert "version 1, 2 or 3" in refused(archive(tmp_path, x_train=member)).message


def test_a_header_of_any_length_is_not_read(tmp_path):
    member = b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1)
    assert "a header of 4,294,967,295 bytes" in refused(archive(tmp_path, x_train=member)).message


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(flip=st.integers(0, 10**9), cut=st.none() | st.integers(0, 10**9))
def test_damage_is_an_error_or_harmless(tmp_path, compression, flip, cut):
    spec = archive(tmp_path, compression)
    whole = load(spec, SHAPE)
    path = tmp_path / "a.npz"
    data = bytearray(path.read_bytes())
    data[flip // 8 % len(data)] ^= 1 << flip % 8
    path.write_bytes(data if cut is None else data[: cut % len(data)])
    try:
        read = load(spec, SHAPE)
    except DataError:
        return
    # Some bytes of a zip file mean nothing: dates, permissions, a name stored twice.
    assert np.array_equal(read.train.x, whole.train.x)
    assert np.array_equal(read.test.y, whole.test.y)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    spec = archive(tmp_path)

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(npz.zipfile, "ZipFile", refuse)
    assert refused(spec).message == f"cannot read {tmp_path / 'a.npz'}: Permission denied"
