"""The library call: a file and its samples give one answer, and what is neither gets a clear error."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile
from music import clip

import tonearm
from tonearm.model.errors import DecodeError, FileMissing, NotEnoughAudio
from tonearm.rendering.measure import measure_file

CLIP = clip("loop_tabla.flac")
RATE = 44_100
TONE = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE).astype(np.float32)


def test_a_file_and_its_samples_give_the_same() -> None:
    samples, rate = soundfile.read(CLIP, dtype="float32")
    of_file = tonearm.fingerprint(CLIP)
    assert of_file == tonearm.fingerprint(str(CLIP)) == measure_file(CLIP)
    assert tonearm.fingerprint(samples, rate=rate) == of_file
    assert tonearm.fingerprint(samples.astype(np.float64), rate=rate) == of_file
    assert tonearm.fingerprint(np.asfortranarray(samples), rate=rate) == of_file


def test_one_dimension_is_one_channel() -> None:
    flat = tonearm.fingerprint(TONE, rate=RATE)
    assert flat == tonearm.fingerprint(TONE[:, None], rate=RATE)
    assert flat.measures.channels == 1
    assert flat.fingerprint.crest_db == pytest.approx(3.01, abs=0.05)


@pytest.mark.parametrize(
    ("source", "rate", "said"),
    [
        (TONE, None, "needs its sample rate"),
        (CLIP, RATE, "knows its own rate"),
        ((TONE * 32_000).astype(np.int16), RATE, "int16"),
        ([0.0, 1.0], RATE, "list"),
        (None, None, "NoneType"),
        (TONE.astype(np.complex64), RATE, "complex64"),
    ],
)
def test_what_is_neither_a_path_nor_sound_is_a_type_error(source, rate, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        tonearm.fingerprint(source, rate=rate)


@pytest.mark.parametrize(
    ("samples", "rate"),
    [
        (np.zeros((2, 2, 2)), RATE),
        (np.zeros((RATE, 9)), RATE),
        (np.zeros((RATE, 0)), RATE),
        (np.full((), 0.5), RATE),
        (TONE, 7_999),
        (TONE, 0),
        (TONE, -1),
        (TONE, 384_001),
    ],
)
def test_a_shape_or_a_rate_that_is_not_supported_is_a_value_error(samples, rate: int) -> None:
    with pytest.raises(ValueError, match="got"):
        tonearm.fingerprint(samples, rate=rate)


def test_what_cannot_be_measured_is_told_as_of_a_file(tmp_path) -> None:
    with pytest.raises(NotEnoughAudio):
        tonearm.fingerprint(np.zeros(0, np.float32), rate=RATE)
    with pytest.raises(NotEnoughAudio):
        tonearm.fingerprint(np.full(2 * RATE, np.nan), rate=RATE)
    with pytest.raises(NotEnoughAudio):
        tonearm.fingerprint(np.full(2 * RATE, 1e300), rate=RATE)
    with pytest.raises(DecodeError):
        tonearm.fingerprint(TONE * 32_000, rate=RATE)
    with pytest.raises(FileMissing):
        tonearm.fingerprint(tmp_path / "absent.flac")


def test_it_needs_no_server() -> None:
    code = (
        "import sys, tonearm\n"
        f"tonearm.fingerprint({str(CLIP)!r})\n"
        "print({'fastapi', 'starlette', 'uvicorn', 'sqlalchemy', 'alembic', 'grpc', 'structlog'}"
        " & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
