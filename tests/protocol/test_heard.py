"""What a listener has heard, by what was sent and by the clock."""

from dataclasses import replace

import pytest

from tonearm.model.plan import Preset
from tonearm.protocol.flow import Flow
from tonearm.protocol.heard import Ear, Heard
from tonearm.protocol.messages import StreamRequest, StreamType
from tonearm.protocol.requests import Transport

PLAY = StreamRequest(
    track_id=1,
    stream_type=StreamType.ENHANCED,
    preset=Preset.ADAPTIVE,
    intensity=1.0,
    start_position=0.0,
    transport=Transport.BINARY,
    epoch=1,
)


class Listener:
    """One connection: says what happens and lets the time pass."""

    def __init__(self) -> None:
        self.ear, self.now, self.flow = Ear(), 100.0, Flow(flow_controlled=False, paused=False)

    def play(self, request: StreamRequest = PLAY) -> Heard | None:
        self.flow = Flow(flow_controlled=False, paused=self.flow.paused)
        over = self.ear.begins(request, self.flow, self.now)
        self.flow.watch(lambda: self.ear.turn(self.now))
        return over

    def hears(self, seconds: float, sent: float | None = None) -> None:
        self.ear.sent(seconds if sent is None else sent, self.now)
        self.now += seconds


@pytest.fixture
def listener() -> Listener:
    return Listener()


def test_a_whole_track_counts_what_lies_ahead(listener: Listener) -> None:
    listener.play()
    listener.hears(3.0, sent=20.0)
    listener.hears(0.0, sent=5.0)
    assert listener.ear.completes(listener.now) == Heard(1, 25.0, completed=True, ago_s=3.0)
    assert listener.ear.ends(listener.now) is None


def test_who_stops_has_heard_what_the_clock_says(listener: Listener) -> None:
    listener.play()
    listener.hears(8.0, sent=20.0)
    assert listener.ear.ends(listener.now) == Heard(1, 8.0, completed=False, ago_s=8.0)


def test_nobody_hears_more_than_was_sent(listener: Listener) -> None:
    listener.play()
    listener.hears(60.0, sent=6.0)
    listener.hears(1.0, sent=6.0)
    assert listener.ear.ends(listener.now) == Heard(1, 7.0, completed=False, ago_s=61.0)


def test_a_pause_is_not_heard(listener: Listener) -> None:
    listener.play()
    listener.hears(6.0, sent=20.0)
    listener.flow.set_paused(True)
    listener.now += 1_000.0
    listener.flow.set_paused(False)
    listener.now += 2.0
    heard = listener.ear.ends(listener.now)
    assert heard is not None
    assert heard.seconds == pytest.approx(8.0)


def test_a_seek_and_a_switch_go_on_with_the_same_play(listener: Listener) -> None:
    listener.play()
    listener.hears(6.0, sent=20.0)
    assert listener.play(replace(PLAY, epoch=2, is_seek=True, start_position=60.0)) is None
    listener.hears(4.0, sent=20.0)
    switched = replace(PLAY, epoch=3, stream_type=StreamType.NORMAL, start_position=64.0)
    assert listener.play(switched) is None
    listener.hears(5.0, sent=20.0)
    heard = listener.ear.completes(listener.now)
    assert heard == Heard(1, 30.0, completed=False, ago_s=15.0)


def test_another_track_or_the_same_from_its_start_is_another_play(listener: Listener) -> None:
    listener.play()
    listener.hears(6.0, sent=20.0)
    assert listener.play() == Heard(1, 6.0, completed=False, ago_s=6.0)
    listener.hears(7.0, sent=20.0)
    assert listener.play(replace(PLAY, track_id=2, is_seek=True)) == Heard(1, 7.0, completed=False, ago_s=7.0)


def test_clicks_are_no_plays(listener: Listener) -> None:
    listener.play()
    listener.hears(4.9, sent=20.0)
    assert listener.play(replace(PLAY, track_id=2)) is None
    assert listener.ear.ends(listener.now) is None


def test_a_short_track_heard_whole_is_one(listener: Listener) -> None:
    listener.play()
    listener.hears(0.1, sent=2.0)
    assert listener.ear.completes(listener.now) == Heard(1, 2.0, completed=True, ago_s=pytest.approx(0.1))


def test_a_seek_while_paused_is_not_heard_before_it_goes_on(listener: Listener) -> None:
    listener.play()
    listener.hears(6.0, sent=20.0)
    listener.flow.set_paused(True)
    listener.play(replace(PLAY, is_seek=True, start_position=30.0))
    listener.hears(50.0, sent=20.0)
    assert listener.ear.ends(listener.now) == Heard(1, 6.0, completed=False, ago_s=56.0)
