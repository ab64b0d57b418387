"""What a client says of its own playing."""

from tonearm.protocol.flow import Flow


def test_only_a_full_buffer_proves_flow_control():
    flow = Flow(flow_controlled=False, paused=False)
    flow.set_full(False)
    assert not flow.flow_controlled
    flow.set_full(True)
    flow.set_full(False)
    assert flow.flow_controlled
    assert not flow.held


def test_a_stream_born_in_a_pause_is_held_by_the_next_pause():
    flow = Flow(flow_controlled=False, paused=True)
    assert not flow.held
    flow.set_paused(False)
    assert not flow.paused
    flow.set_paused(True)
    assert flow.held
