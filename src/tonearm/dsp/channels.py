"""Which loudspeaker each channel of a layout is meant for.

Layouts carry FFmpeg's names ("5.1(side)"), channels the usual abbreviations: F(ront), B(ack),
S(ide), T(op) with L(eft), R(ight), C(entre), and LFE.

Source: FFmpeg, libavutil/channel_layout.c; the order without a layout is that of WAVE files.
"""

from typing import Final

_LAYOUTS: Final = {
    name: tuple(speakers.split())
    for name, speakers in {
        "mono": "FC",
        "stereo": "FL FR",
        "downmix": "FL FR",
        "2.1": "FL FR LFE",
        "3.0": "FL FR FC",
        "3.0(back)": "FL FR BC",
        "3.1": "FL FR FC LFE",
        "4.0": "FL FR FC BC",
        "quad": "FL FR BL BR",
        "quad(side)": "FL FR SL SR",
        "4.1": "FL FR FC LFE BC",
        "5.0": "FL FR FC BL BR",
        "5.0(side)": "FL FR FC SL SR",
        "5.1": "FL FR FC LFE BL BR",
        "5.1(side)": "FL FR FC LFE SL SR",
        "6.0": "FL FR FC BC SL SR",
        "6.0(front)": "FL FR FLC FRC SL SR",
        "hexagonal": "FL FR FC BL BR BC",
        "3.1.2": "FL FR FC LFE TFL TFR",
        "6.1": "FL FR FC LFE BC SL SR",
        "6.1(back)": "FL FR FC LFE BL BR BC",
        "6.1(front)": "FL FR LFE FLC FRC SL SR",
        "7.0": "FL FR FC BL BR SL SR",
        "7.0(front)": "FL FR FC FLC FRC SL SR",
        "7.1": "FL FR FC LFE BL BR SL SR",
        "7.1(wide)": "FL FR FC LFE BL BR FLC FRC",
        "7.1(wide-side)": "FL FR FC LFE FLC FRC SL SR",
        "5.1.2": "FL FR FC LFE SL SR TFL TFR",
        "5.1.2(back)": "FL FR FC LFE BL BR TFL TFR",
        "octagonal": "FL FR FC BL BR BC SL SR",
        "cube": "FL FR BL BR TFL TFR TBL TBR",
    }.items()
}

_BY_COUNT: Final = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


def speakers(channels: int, layout: str) -> tuple[str, ...]:
    """The loudspeaker of each channel.

    A layout that is not known, or has another number of channels, is read as the usual order of
    that many channels: files without a channel mask are common and mean just this.

    Raises:
        ValueError: fewer than 1 or more than 8 channels.
    """
    if channels not in _BY_COUNT:
        raise ValueError(f"channels must lie in 1..{max(_BY_COUNT)}, got {channels}")
    named = _LAYOUTS.get(layout, ())
    return named if len(named) == channels else _LAYOUTS[_BY_COUNT[channels]]
