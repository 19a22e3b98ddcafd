"""Promises of the reader that finds frames without looking into them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.swarm.walker import FrameWalker
from server.web.frames import PING, text_frame

DELTAS = [
    text_frame(b'{"type":"delta","room":"r","position":"7-%d","filled":"%b"}' % (n, b"x" * size))
    for n, size in ((1, 5), (2, 300), (3, 70_000))
]
ANSWERS = [text_frame(b'{"type":"pong"}'), PING, text_frame(b'{"type":"gift_ack","id":"1"}')]


@settings(deadline=None)
@given(st.lists(st.integers(0, len(DELTAS + ANSWERS) - 1), max_size=12), st.integers(1, 997))
def test_however_the_bytes_arrive_the_same_frames_come_out(chosen: list[int], piece: int) -> None:
    frames = [(DELTAS + ANSWERS)[n] for n in chosen]
    stream = b"".join(frames)
    walker = FrameWalker()
    found = [payload for at in range(0, len(stream), piece) for _, payload in walker.walk(stream[at : at + piece])]
    assert found == [b"" if frame == PING else frame[2:] for frame in frames if frame in ANSWERS]
    assert walker.deltas == sum(frame in DELTAS for frame in frames)


def test_it_resumes_after_the_last_whole_delta() -> None:
    walker = FrameWalker()
    assert walker.position is None
    list(walker.walk(DELTAS[0] + DELTAS[1][:-1]))
    assert walker.position == "7-1"
    list(walker.walk(DELTAS[1][-1:]))
    assert walker.position == "7-2"


def test_a_half_frame_of_a_lost_connection_is_not_taken_for_the_next_ones() -> None:
    walker = FrameWalker()
    list(walker.walk(DELTAS[0] + DELTAS[2][:50]))
    walker.forget()
    assert [payload for _, payload in walker.walk(ANSWERS[0])] == [b'{"type":"pong"}']
    assert walker.position == "7-1"
