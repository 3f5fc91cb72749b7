"""Messages of Flight SQL as bytes, beside Google's own implementation of Protocol Buffers."""

from __future__ import annotations

from typing import Any

import pytest
from brainlake.lake.serve.flight.messages import MESSAGES, PREFIX, pack, unpack, unpack_as
from brainlake.lake.serve.flight.wire import Field, MalformedError, decode, encode
from hypothesis import given, settings
from hypothesis import strategies as st

protobuf = pytest.importorskip(
    "google.protobuf", reason="the other implementation is not installed: pip install protobuf"
)
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory  # noqa: E402

_KINDS = {"text": "STRING", "bytes": "BYTES", "uint": "UINT64", "int": "INT64", "bool": "BOOL"}
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": st.text(max_size=20),
    "bytes": st.binary(max_size=200),
    "uint": st.integers(0, 2**64 - 1),
    "int": st.integers(-(2**63), 2**63 - 1),
    "bool": st.booleans(),
}


def google_classes() -> dict[str, Any]:
    """Our declarations as Google's message classes."""
    file = descriptor_pb2.FileDescriptorProto(name="flight_sql.proto", package="p", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, field in fields.items():
            added = message.field.add(name=field_name, number=field.number)
            added.type = getattr(descriptor_pb2.FieldDescriptorProto, f"TYPE_{_KINDS[field.kind]}")
            added.label = added.LABEL_REPEATED if field.repeated else added.LABEL_OPTIONAL
            if field.optional:
                added.proto3_optional, added.oneof_index = True, len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{field_name}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"p.{name}")) for name in MESSAGES}


GOOGLE = google_classes()


@st.composite
def messages(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    name = draw(st.sampled_from(sorted(MESSAGES)))
    values = {}
    for field_name, field in MESSAGES[name].items():
        value = _VALUES[field.kind]
        value = st.lists(value, max_size=5) if field.repeated else st.none() | value if field.optional else value
        values[field_name] = draw(value)
    return name, values


@given(messages())
def test_what_we_write_google_reads_and_the_other_way_round(drawn: tuple[str, dict[str, Any]]) -> None:
    name, values = drawn
    theirs = GOOGLE[name](**{k: v for k, v in values.items() if v is not None})
    read = GOOGLE[name].FromString(encode(MESSAGES[name], values))
    assert read == theirs
    assert decode(MESSAGES[name], theirs.SerializeToString()) == values


@given(messages())
def test_an_any_is_googles_any(drawn: tuple[str, dict[str, Any]]) -> None:
    name, values = drawn
    read = any_pb2.Any.FromString(pack(name, **values))
    assert read.type_url == PREFIX + name
    assert unpack(read.SerializeToString()) == (name, values)


@settings(max_examples=500)
@given(st.sampled_from(sorted(MESSAGES)), st.binary(max_size=100))
def test_bytes_are_a_message_or_malformed_and_nothing_else(name: str, data: bytes) -> None:
    try:
        ours = decode(MESSAGES[name], data)
    except MalformedError:
        return
    theirs = GOOGLE[name].FromString(data)  # what we take, Google takes
    for field_name, field in MESSAGES[name].items():
        if field.repeated:
            assert list(getattr(theirs, field_name)) == ours[field_name]
        elif not field.optional:
            assert getattr(theirs, field_name) == ours[field_name]


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff", b"\x0a", b"\x0a\x05abc", b"\x00\x01", b"\x0b", b"\x08" + b"\xff" * 11, pack("CommandGetCatalogs")[:-3],
     b"\x0a\x03\xff\xfe\xfd", encode({"a": Field(1, "text")}, {"a": "type.googleapis.com/other.Message"})],
)  # fmt: skip
def test_what_is_no_message_of_flight_sql_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        unpack(data)


def test_a_message_is_not_taken_for_another() -> None:
    with pytest.raises(MalformedError, match="CommandGetCatalogs where a CommandGetTables"):
        unpack_as("CommandGetTables", pack("CommandGetCatalogs"))
