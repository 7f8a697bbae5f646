"""Google's own library as the outside oracle, both ways."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tink import cleartext_keyset_handle, streaming_aead
from tink.proto import aes_gcm_hkdf_streaming_pb2, common_pb2, tink_pb2

from core.errors import Damaged
from core.secret import Secret
from core.segments import FIRST_PLAIN_SIZE, PLAIN_SIZE, SEGMENT_SIZE, SegmentReader
from tests.core.test_segments import BOUND, KEY, plain_of, seal

SIZES = [0, 1, FIRST_PLAIN_SIZE - 1, FIRST_PLAIN_SIZE, FIRST_PLAIN_SIZE + 1, FIRST_PLAIN_SIZE + 2 * PLAIN_SIZE, 700_001]


class Kept(io.BytesIO):
    """Tink closes what it writes to; the test still wants the bytes."""

    content = b""

    def close(self) -> None:
        if not self.closed:
            self.content = self.getvalue()
        super().close()


def tinks(key: Secret[bytes]) -> streaming_aead.StreamingAead:
    """Tink's primitive for our parameters and this key."""
    streaming_aead.register()
    inner = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey(
        key_value=key.reveal(),
        params=aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingParams(
            ciphertext_segment_size=SEGMENT_SIZE, derived_key_size=32, hkdf_hash_type=common_pb2.SHA256
        ),
    )
    keyset = tink_pb2.Keyset(primary_key_id=1)
    entry = keyset.key.add(key_id=1, status=tink_pb2.ENABLED, output_prefix_type=tink_pb2.RAW)
    entry.key_data.type_url = "type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey"
    entry.key_data.value = inner.SerializeToString()
    entry.key_data.key_material_type = tink_pb2.KeyData.SYMMETRIC
    return cleartext_keyset_handle.from_keyset(keyset).primitive(streaming_aead.StreamingAead)


@pytest.mark.parametrize("size", SIZES)
def test_tink_opens_what_we_seal(size: int) -> None:
    made = seal(plain_of(size)[:size])
    with tinks(KEY).new_decrypting_stream(io.BytesIO(made.sealed), BOUND) as stream:
        assert stream.read() == made.plain


@pytest.mark.parametrize("size", SIZES)
def test_we_open_what_tink_seals(size: int) -> None:
    plain, place = plain_of(size)[:size], Kept()
    with tinks(KEY).new_encrypting_stream(place, BOUND) as stream:
        stream.write(plain)
    data = place.content
    reader = SegmentReader(
        KEY, associated_data=BOUND, size=len(data), header=data[:40], read_at=lambda at, n: data[at : at + n]
    )
    assert reader.read(0, size) == plain
    assert reader.plain_size == size


@settings(max_examples=25, deadline=None)
@given(
    size=st.integers(0, FIRST_PLAIN_SIZE + PLAIN_SIZE + 100),
    step=st.integers(1, SEGMENT_SIZE * 2),
    key=st.binary(min_size=32, max_size=32),
    bound=st.binary(max_size=200),
)
def test_any_object_of_any_key_and_binding_goes_both_ways(size: int, step: int, key: bytes, bound: bytes) -> None:
    plain, secret = plain_of(size)[:size], Secret(key)
    made = seal(plain, step=max(step, size // 20 + 1), key=secret, bound=bound)
    with tinks(secret).new_decrypting_stream(io.BytesIO(made.sealed), bound) as stream:
        assert stream.read() == plain
    place = Kept()
    with tinks(secret).new_encrypting_stream(place, bound) as stream:
        for start in range(0, size, max(step, size // 20 + 1)):
            stream.write(plain[start : start + max(step, size // 20 + 1)])
    data = place.content
    reader = SegmentReader(
        secret, associated_data=bound, size=len(data), header=data[:40], read_at=lambda at, n: data[at : at + n]
    )
    assert reader.read(0, size) == plain


def test_we_refuse_bytes_after_a_full_last_segment_where_tinks_python_lets_them_pass() -> None:
    made = seal(plain_of(FIRST_PLAIN_SIZE)[:FIRST_PLAIN_SIZE])
    longer = made.sealed + b"appended"
    with tinks(KEY).new_decrypting_stream(io.BytesIO(longer), BOUND) as stream:
        assert stream.read(FIRST_PLAIN_SIZE) == made.plain
    with pytest.raises(Damaged):
        made.reader(longer, size=len(longer)).read(0, FIRST_PLAIN_SIZE)
