"""The safetensors format: what is written is read, by the package too; no damage goes unseen."""

import json
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cnnc.runtime import safetensors
from cnnc.runtime.errors import RunError
from cnnc.runtime.safetensors import DTYPES, load, save

TENSORS = {
    "fc1.weight": np.arange(12, dtype=np.float32).reshape(3, 4),
    "conv1.weight": np.linspace(0, 1, 2 * 3 * 5, dtype=np.float32).reshape(2, 3, 5, 1),
    "step": np.array(7),
    "mask": np.array([True, False, True]),
    "empty": np.zeros((0, 3), np.float16),
    "größe": np.arange(5, dtype=np.uint8),
}
METADATA = {"spec": 'net "x"\n', "ü": '"cnnc.crc32":"00000000"'}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.safetensors"


def same(one, two):
    assert one.keys() == two.keys()
    for name in one:
        assert one[name].dtype == two[name].dtype
        assert one[name].shape == two[name].shape
        assert one[name].tobytes() == two[name].tobytes()


def refused(path):
    with pytest.raises(RunError) as caught:
        load(path)
    assert caught.value.message.startswith(f"{path} is not a whole safetensors file: ")
    return caught.value.message


def test_what_is_written_is_read(path):
    save(path, TENSORS, METADATA)
    tensors, metadata = load(path)
    same(tensors, TENSORS)
    assert metadata == METADATA
    for array in tensors.values():
        assert array.flags.writeable
        assert array.flags.c_contiguous


def test_nothing(path):
    save(path, {})
    assert load(path) == ({}, {})


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=list(DTYPES))
def test_every_type(path, dtype):
    array = np.array([[0, 1, 1], [1, 0, 1]], dtype)
    save(path, {"a": array})
    same(load(path)[0], {"a": array})


@given(
    array=hnp.arrays(
        hnp.boolean_dtypes() | hnp.integer_dtypes() | hnp.floating_dtypes(sizes=(16, 32, 64)),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    ),
    order=st.permutations(range(4)),
    step=st.sampled_from([1, 2, -1]),
)
@settings(deadline=None)
def test_any_layout_in_memory(tmp_path_factory, array, order, step):
    path = tmp_path_factory.mktemp("run") / "a.safetensors"
    array = array.transpose([axis for axis in order if axis < array.ndim])
    array = array[::step] if array.ndim else array
    save(path, {"a": array})
    read = load(path)[0]["a"]
    assert read.shape == array.shape
    assert np.array_equal(read, array, equal_nan=array.dtype.kind == "f")
    assert read.dtype == array.dtype.newbyteorder("<")


def test_equal_input_gives_equal_bytes(path, tmp_path):
    save(path, TENSORS, METADATA)
    other = tmp_path / "other"
    save(other, dict(reversed(TENSORS.items())), dict(reversed(METADATA.items())))
    assert path.read_bytes() == other.read_bytes()


def test_every_array_is_aligned(path):
    save(path, TENSORS)
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    table = json.loads(data[8 : 8 + length])
    del table["__metadata__"]
    for entry in table.values():
        place = 8 + length + entry["data_offsets"][0]
        assert place % DTYPES[entry["dtype"]].itemsize == 0


def test_saving_does_not_change_the_arrays(path):
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    save(path, {"a": array})
    assert array.flags.f_contiguous
    assert np.array_equal(array, np.arange(6.0).reshape(2, 3))


@pytest.mark.parametrize(
    ("tensors", "metadata", "message"),
    [
        ({"a": np.zeros(2, complex)}, {}, "a is of type complex128"),
        ({"a": np.array([None])}, {}, "a is of type object"),
        ({"__metadata__": np.zeros(2)}, {}, "__metadata__ is reserved"),
        ({}, {"cnnc.crc32.a": "x"}, "cnnc.crc32.a is reserved"),
        ({}, {"epoch": 3}, "'epoch': 3 is not text"),
    ],
)
def test_what_cannot_be_written(path, tensors, metadata, message):
    with pytest.raises(RunError) as caught:
        save(path, tensors, metadata)
    assert message in caught.value.message
    assert str(path) in caught.value.message
    assert not path.exists()


def test_files_that_are_not_there(path):
    with pytest.raises(RunError, match=r"cannot read .*No such file"):
        load(path)
    with pytest.raises(RunError, match=r"cannot write .*No such file"):
        save(path / "a", {})


# The package.


def test_the_package_reads_what_is_written(path):
    package = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    save(path, TENSORS, METADATA)
    same(package.load_file(path), TENSORS)


def test_what_the_package_writes_is_read(path):
    package = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    package.save_file(TENSORS, path, METADATA)
    tensors, metadata = load(path)
    same(tensors, TENSORS)
    assert metadata == METADATA


# Damaged and hostile files.


def written(path, header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


def entry(begin, end, shape=(2,), dtype="U8", **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end], **more}


def test_the_helper_writes_what_is_read(path):
    tensors, _ = load(written(path, {"a": entry(2, 4), "b": entry(0, 2)}, b"\1\2\3\4"))
    assert {name: array.tolist() for name, array in tensors.items()} == {"b": [1, 2], "a": [3, 4]}


@pytest.mark.parametrize(
    ("header", "data", "message"),
    [
        ({"a": entry(0, 2), "b": entry(1, 3)}, b"123", "b at byte 1 overlaps"),
        ({"a": entry(0, 2), "b": entry(0, 2)}, b"12", "b at byte 0 overlaps"),
        ({"a": entry(0, 2), "b": entry(3, 5)}, b"12345", "b at byte 3 follows a hole"),
        ({"a": entry(1, 3)}, b"123", "a at byte 1 follows a hole"),
        ({"a": entry(0, 2)}, b"123", "its arrays take 2 bytes, and it has 3"),
        ({"a": entry(0, 2)}, b"1", "its arrays take 2 bytes, and it has 1"),
        ({"a": entry(0, 2, (3,))}, b"12", "a needs 3 bytes for its type and shape, and has 2"),
        ({"a": entry(2, 0)}, b"12", "a needs 2 bytes for its type and shape, and has -2"),
        ({"a": entry(-2, 0)}, b"12", "a has offsets that are none"),
        ({"a": entry(0, 2, (-2, -1))}, b"12", "a has a shape that is none"),
        ({"a": entry(0, 2, (2.0,))}, b"12", "a has a shape that is none"),
        ({"a": entry(0, 1, (True,))}, b"1", "a has a shape that is none"),
        ({"a": entry(0, 1, [1] * 65)}, b"1", "a has a shape that is none"),
        ({"a": entry(0, 0, (2**62, 2**62))}, b"", "a needs"),
        ({"a": entry(0, 0, (0, 2**62, 2**62))}, b"", "a has a shape that is none"),
        ({"a": entry(0, 2, dtype="BF16")}, b"12", "a is of type 'BF16', which is none of BOOL"),
        ({"a": entry(0, 2, dtype=[])}, b"12", "a is of type []"),
        ({"a": entry(0, 2, more=1)}, b"12", "a does not have exactly"),
        ({"a": {"dtype": "U8", "shape": [2]}}, b"12", "a does not have exactly"),
        ({"a": 3}, b"", "a does not have exactly"),
        ({"__metadata__": {"a": 3}}, b"", "metadata is not a table of texts"),
        ({"__metadata__": "a"}, b"", "metadata is not a table of texts"),
        ([], b"", "not a JSON object"),
        (b' {"a":1}', b"", "not a JSON object"),
        (b'{"a":1,"a":1}', b"", "a name stands twice"),
        (b'{"a":{"dtype":1,"dtype":1}}', b"", "a name stands twice"),
        (b'{"\xff":1}', b"", "its header is not valid"),
        (b"", b"", "its header is not valid"),
        (b'{"a":' + b"[" * 100_000, b"", "its header is not valid"),
        (b'{"a":' + b"9" * 10_000 + b"}", b"", "its header is not valid"),
        ({"__metadata__": {"cnnc.crc32": "00000000"}}, b"", "header does not have its checksum"),
        ({"__metadata__": {"cnnc.crc32.a": ""}}, b"", "do not belong to its arrays"),
    ],
)
def test_headers_that_lie(path, header, data, message):
    assert message in refused(written(path, header, data))


@pytest.mark.parametrize("length", [3, 2**20, 2**32, 2**63, 2**64 - 1])
def test_lengths_that_lie(path, length):
    refused(written(path, {"a": entry(0, 2)}, b"12", length))


@pytest.mark.parametrize("size", range(8))
def test_files_shorter_than_a_length(path, size):
    path.write_bytes(bytes(size))
    assert f"it has {size} bytes" in refused(path)


def test_every_flipped_bit_is_seen(path):
    save(path, TENSORS, METADATA)
    whole = path.read_bytes()
    for bit in range(8 * len(whole)):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
        refused(path)


def test_every_cut_is_seen(path):
    save(path, TENSORS, METADATA)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        refused(path)
    path.write_bytes(whole + b"\0")
    refused(path)


def test_the_damaged_array_is_named(path):
    save(path, TENSORS)
    data = path.read_bytes()
    place = data.rindex(TENSORS["fc1.weight"].tobytes())
    path.write_bytes(data[: place + 5] + b"\x77" + data[place + 6 :])
    assert "the bytes of fc1.weight do not have their checksum" in refused(path)


def test_a_file_of_another_tool_has_no_checksum_and_is_read(path):
    tensors, metadata = load(
        written(path, {"__metadata__": {"by": "hand"}, "a": entry(0, 2)}, b"12")
    )
    assert metadata == {"by": "hand"}
    assert tensors["a"].tobytes() == b"12"


def test_checksums_are_crc32_of_the_bytes(path):
    save(path, {"a": np.arange(3.0)})
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    stored = json.loads(data[8 : 8 + length])["__metadata__"]
    assert stored["cnnc.crc32.a"] == f"{zlib.crc32(np.arange(3.0).tobytes()):08x}"


def test_a_write_that_fails_leaves_the_old_file(path, monkeypatch):
    save(path, TENSORS)
    before = path.read_bytes()
    monkeypatch.setattr(safetensors, "_bytes", failing_on_fourth_call(safetensors._bytes))
    with pytest.raises(OverflowError):
        save(path, {"a": np.zeros(3), "b": np.zeros(3)})
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def failing_on_fourth_call(function):
    calls = []

    def call(array):
        calls.append(array)
        if len(calls) == 4:  # two checksums, then the second array's bytes
            raise OverflowError
        return function(array)

    return call
