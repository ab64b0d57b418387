"""EBU Tech 3342, table 1: loudness range of steps of 20 s (5 and 6 are recordings); tolerance 1 LU."""

import numpy as np
import pytest

from tonearm.dsp.loudness import LoudnessMeter, channel_weights


@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize(
    ("levels", "wanted"),
    [
        pytest.param((-20, -30), 10.0, id="1"),
        pytest.param((-20, -15), 5.0, id="2"),
        pytest.param((-40, -20), 20.0, id="3"),
        pytest.param((-50, -35, -20, -35, -50), 15.0, id="4"),
    ],
)
def test_loudness_range(levels: tuple[float, ...], wanted: float, rate: int):
    gains = np.repeat(10 ** (np.array(levels) / 20), 20 * rate)
    tone = gains * np.sin(2 * np.pi * 1000 * np.arange(len(gains)) / rate)
    meter = LoudnessMeter(rate, channel_weights(2, "stereo"))
    meter.process(np.repeat(tone.astype(np.float32)[:, None], 2, axis=1))
    assert meter.loudness_range() == pytest.approx(wanted, abs=0.1)
