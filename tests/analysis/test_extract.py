"""What must hold for every fingerprint, whatever the audio."""

import tracemalloc
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sounds import Samples, analysed, clicks, drums, noise, sine

from tonearm.analysis.extract import Extractor, warm
from tonearm.model.errors import DecodeError, NotEnoughAudio
from tonearm.model.measures import Analysis

RATE = 44_100
LEVEL_DIMENSIONS = {"lufs"}
LEVEL_MEASURES = {
    "true_peak_dbtp",
    "downmix_true_peak_dbtp",
    "downmix_lufs",
    "clipped_ppm",
    "dc_offset",
    "third_octaves_db",
    "gating_histogram",
    "waveform",
}


def music(seconds: float = 6.0, rate: int = RATE) -> Samples:
    """Drums in the middle, a detuned tone at the sides, some air."""
    x = drums(120.0, seconds, rate)
    x[:, 0] += 0.05 * sine(330.0, seconds, rate)[:, 0]
    x[:, 1] += 0.04 * sine(333.0, seconds, rate)[:, 1]
    return x + 0.003 * np.random.default_rng(9).standard_normal(x.shape).astype(np.float32)


def values(analysis: Analysis) -> dict[str, object]:
    return analysis.fingerprint.as_mapping() | asdict(analysis.measures)


def assert_same(found: Analysis, wanted: Analysis, but: set[str], tolerance: float) -> None:
    for name, value in values(wanted).items():
        if name in but:
            continue
        if isinstance(value, bytes):
            assert values(found)[name] == value, name
        else:
            assert values(found)[name] == pytest.approx(value, rel=tolerance, abs=tolerance), name


@settings(max_examples=8, deadline=None)
@given(cuts=st.lists(st.integers(0, 2 * 22_050 + 501), max_size=12))
def test_block_size_never_changes_the_result(cuts: list[int]):
    x = music(2.5, 22_050)[: 2 * 22_050 + 501]
    stream = Extractor(22_050, 2, "stereo")
    for part in np.split(x, sorted(cuts)):
        stream.process(part)
    assert stream.finish() == analysed(x, 22_050)


@pytest.mark.parametrize("size", [997, 65_536])
def test_blocks_across_the_internal_grid_change_nothing(size: int):
    x = music(10.0)
    stream = Extractor(RATE, 2, "stereo")
    for start in range(0, len(x), size):
        stream.process(x[start : start + size])
    assert stream.finish() == analysed(x, RATE)


def test_gain_changes_only_levels():
    x = music()
    whole, quiet = analysed(x, RATE), analysed(x * np.float32(0.1), RATE)
    assert_same(quiet, whole, LEVEL_DIMENSIONS | LEVEL_MEASURES, 2e-3)
    assert quiet.fingerprint.lufs == pytest.approx(whole.fingerprint.lufs - 20, abs=0.01)
    assert quiet.measures.true_peak_dbtp == pytest.approx(whole.measures.true_peak_dbtp - 20, abs=0.01)
    np.testing.assert_allclose(
        np.array(quiet.measures.third_octaves_db) + 20, whole.measures.third_octaves_db, atol=0.01
    )


def test_swapped_channels_change_nothing():
    x = music()
    assert analysed(np.ascontiguousarray(x[:, ::-1]), RATE) == analysed(x, RATE)


def test_polarity_changes_nothing():
    x = music()
    assert_same(analysed(-x, RATE), analysed(x, RATE), {"waveform"}, 1e-9)


def test_mono_and_its_stereo_copy_agree():
    x = music()[:, :1]
    one, two = analysed(x, RATE), analysed(np.repeat(x, 2, axis=1), RATE)
    assert one.fingerprint == two.fingerprint
    assert_same(one, two, {"channels"}, 0.0)


def test_an_empty_centre_and_back_change_nothing_but_weights():
    x = music()
    six = np.zeros((len(x), 6), dtype=np.float32)
    six[:, :2] = x
    front, surround = analysed(x, RATE), analysed(six, RATE, "5.1")
    assert surround.fingerprint.lufs == pytest.approx(front.fingerprint.lufs, abs=1e-9)
    assert surround.fingerprint.stereo_width == pytest.approx(front.fingerprint.stereo_width)
    assert surround.fingerprint.spectral_centroid == front.fingerprint.spectral_centroid
    assert surround.measures.downmix_true_peak_dbtp == front.measures.true_peak_dbtp


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 32_000, 48_000, 96_000, 192_000, 384_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_every_rate_and_layout_has_a_fingerprint(rate: int, channels: int):
    x = np.repeat(music(1.5, rate)[:, :1], channels, axis=1)
    analysis = analysed(x, rate)
    assert analysis.measures.frames == len(x)
    assert (analysis.measures.rate, analysis.measures.channels) == (rate, channels)


@pytest.mark.parametrize(
    "x",
    [
        np.zeros((0, 2)),
        np.ones((1, 2)),
        noise(0.39),
        np.zeros((RATE * 2, 2)),
        1e-5 * noise(2.0),
        np.full((RATE * 2, 2), np.nan),
        np.full((RATE * 2, 2), np.inf),
    ],
    ids=["nothing", "one sample", "short", "silence", "quiet", "nan", "infinite"],
)
def test_too_little_audio_has_no_fingerprint(x: Samples):
    with pytest.raises(NotEnoughAudio):
        analysed(x.astype(np.float32), RATE)


def test_four_tenths_of_a_second_have_one():
    assert analysed(noise(0.4), RATE).fingerprint.lufs < 0


@pytest.mark.parametrize("damage", [np.nan, np.inf, -np.inf, 1e30])
def test_damaged_samples_count_as_silence(damage: float):
    x = music()
    x[10_000:10_010, 0] = 0.0
    wanted = analysed(x, RATE)
    x[10_000:10_010, 0] = damage
    assert analysed(x, RATE) == wanted


def test_samples_that_are_not_scaled_as_audio_are_refused():
    with pytest.raises(DecodeError, match="LUFS"):
        analysed(music() * np.float32(32_768), RATE)


@settings(max_examples=25, deadline=None)
@given(
    x=arrays.arrays(
        np.float32,
        st.tuples(st.integers(0, 6_000), st.integers(1, 3)),
        elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
        fill=st.floats(-1, 1, width=32),
    )
)
def test_no_input_gives_anything_but_numbers_or_a_typed_error(x: Samples):
    try:
        analysis = analysed(x, 8_000)
    except (NotEnoughAudio, DecodeError):
        return
    assert np.isfinite(analysis.fingerprint.as_vector()).all()


def test_no_dimension_is_a_constant():
    sounds = [noise(), sine(440.0), music(), 0.5 * clicks(0.2 + 0.7 * np.arange(5), 4.0), drums(97.0, 6.0)]
    gap = music()
    gap[RATE : 3 * RATE] *= 0.0
    vectors = np.array([analysed(x, RATE).fingerprint.as_vector() for x in (*sounds, gap)])
    assert (np.ptp(vectors, axis=0) > 0).all()


def test_memory_hardly_grows_with_the_length():
    minute = music(60.0, 8_000)[:, :1]
    analysed(minute, 8_000)  # so that no kernel is compiled under measurement
    extractor = Extractor(8_000, 1, "mono")
    tracemalloc.start()
    held = []
    for _ in range(2):
        for _ in range(10):
            extractor.process(minute)
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.reset_peak()
    extractor.finish()
    end = tracemalloc.get_traced_memory()[1] - held[1]
    tracemalloc.stop()
    assert held[1] - held[0] < 10 * 240_000  # 240 kB a minute: 43 MB for three hours
    assert end < 20 * 200_000  # 36 MB more for the conclusions from three hours


@pytest.mark.parametrize("shape", [(100, 1), (100, 3), (100,)])
def test_another_shape_is_refused(shape: tuple[int, ...]):
    with pytest.raises(ValueError, match="frames, 2"):
        Extractor(RATE, 2, "stereo").process(np.zeros(shape, dtype=np.float32))


@pytest.mark.parametrize(("rate", "channels"), [(7_999, 2), (400_000, 2), (44_100, 0), (44_100, 9)])
def test_what_is_not_supported_is_refused(rate: int, channels: int):
    with pytest.raises(ValueError, match="must lie in"):
        Extractor(rate, channels, "")


def test_warming_up_needs_nothing():
    warm()
