"""Which loudspeaker a channel is for."""

import pytest

from tonearm.dsp.channels import speakers


def test_layouts_carry_ffmpegs_names():
    assert speakers(6, "5.1(side)") == ("FL", "FR", "FC", "LFE", "SL", "SR")
    assert speakers(4, "4.0") == ("FL", "FR", "FC", "BC")


@pytest.mark.parametrize("layout", ["", "6 channels", "stereo"])
def test_a_layout_that_cannot_be_is_read_by_its_count(layout: str):
    assert speakers(6, layout) == ("FL", "FR", "FC", "LFE", "BL", "BR")


@pytest.mark.parametrize("channels", [0, 9])
def test_counts_without_an_order_are_refused(channels: int):
    with pytest.raises(ValueError, match=r"1\.\.8"):
        speakers(channels, "")
