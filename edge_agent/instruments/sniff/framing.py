"""Where frames may begin and end in unknown bytes: framers tried, and how well each fits."""

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from contracts.profile_framing import (
    FixedFramer,
    Framer,
    IdleFramer,
    LengthFramer,
    LineFramer,
    Order,
    StartEndFramer,
)
from edge_agent.instruments.sniff.checks import CheckGuess, find_check
from edge_agent.instruments.sniff.text import text_share
from edge_agent.protocols.events import Frame
from edge_agent.protocols.framing import make_framer

HEADS = 8
"""Bytes that are tried as the first of a frame."""
PLACES = 120
"""Places of a head that are looked at."""
LONGEST = 600
TRIED = 12
"""Best voted length rules that are tried in full."""


class Fit(msgspec.Struct, frozen=True):
    """A framer with the frames that it finds, and the share of the bytes that they make up."""

    framer: Framer
    frames: tuple[bytes, ...]
    covered: float
    check: CheckGuess | None = None

    @property
    def score(self) -> float:
        """To compare fits: bytes explained, then proof by a check, then plain frames."""
        kind = self.framer.__struct_config__.tag
        text = kind in ("line", "start_end")
        score = self.covered
        if text:
            score *= text_share(b"".join(self.frames)) ** 4
            score += 0.05 if kind == "start_end" else 0.02
        if self.check is not None:
            score += 0.5 * self.check.held / self.check.of
        elif not text:
            score *= 0.85  # nothing proves it
        return score - (0.3 if len(set(self.frames)) < 2 else 0.0)


def fits(content: bytes, bursts: Sequence[int] = ()) -> list[Fit]:
    """Every framer that explains some of the bytes, best first. `bursts`: where silences ended."""
    found = [fit for framer in _framers(content, bursts) if (fit := try_framer(framer, content))]
    return sorted(found, key=lambda fit: -fit.score)


def try_framer(framer: Framer, content: bytes) -> Fit | None:
    """How well a framer fits; with the check that its frames agree on, if there is one."""
    fit = _run(framer, content)
    if fit is None or isinstance(framer, LineFramer | IdleFramer):
        return fit
    guess = find_check(fit.frames)
    if guess is None:
        return fit
    verified = _run(msgspec.structs.replace(framer, check=guess.check), content)
    if verified is None:
        return fit
    return msgspec.structs.replace(verified, check=guess)


def idle_fit(content: bytes, bursts: Sequence[int]) -> Fit:
    """The last resort: what comes between two silences."""
    places = [0, *(at for at in bursts if 0 < at < len(content)), len(content)]
    frames = tuple(content[a:b] for a, b in zip(places, places[1:], strict=False))  # noqa: RUF007
    return Fit(IdleFramer(max_bytes=_room(frames)), frames, 0.3)


def _run(framer: Framer, content: bytes) -> Fit | None:
    reader = make_framer(framer)
    events = [*reader.receive(content), *reader.flush()]
    frames = tuple(event.content for event in events if isinstance(event, Frame))
    if not frames:
        return None
    return Fit(framer, frames, sum(map(len, frames)) / len(content))


def _framers(content: bytes, bursts: Sequence[int]) -> Iterator[Framer]:
    yield from _text_framers(content)
    heads = _heads(content, bursts)
    if text_share(content) > 0.97:  # letters and digits of a text begin no frames
        heads = [head for head in heads if head < 0x20]
    yield from _fixed_framers(content, heads)
    yield from _length_framers(content, heads)


def _text_framers(content: bytes) -> Iterator[Framer]:
    for head, tail in ((0x02, "03"), (0x02, "0D"), (0x01, "04"), (0x3A, "0A"), (0x24, "0A")):
        if content.count(head) and content.count(bytes.fromhex(tail)):
            yield StartEndFramer(head=f"{head:02X}", tail=tail, max_bytes=2048)
    if b"\n" in content:
        yield LineFramer(end="0A", max_bytes=1024)
    elif b"\r" in content:
        yield LineFramer(end="0D", max_bytes=1024)


def _heads(content: bytes, bursts: Sequence[int]) -> list[int]:
    """Bytes that may begin frames: what came after silence, and what is frequent."""
    votes: Counter[int] = Counter()
    for at in {0, *bursts}:
        if at < len(content):
            votes[content[at]] += 10
    votes.update(dict(Counter(content).most_common(HEADS)))
    first = list(dict.fromkeys(content[:4]))
    return list(dict.fromkeys([*first[:2], *(byte for byte, _ in votes.most_common(HEADS))]))


def _places(content: bytes, head: int) -> list[int]:
    return [at for at, byte in enumerate(content) if byte == head][:PLACES]


def _fixed_framers(content: bytes, heads: Sequence[int]) -> Iterator[Framer]:
    for head in heads:
        places = _places(content, head)
        votes: Counter[int] = Counter()
        for index, at in enumerate(places):
            for other in places[index + 1 : index + 30]:
                if other - at <= LONGEST:
                    votes[other - at] += 1
        for size, count in votes.most_common(3):
            if count < 2 or size < 4:
                continue
            frames = [content[at : at + size] for at in places if at + size <= len(content)]
            (tail, times), *_ = Counter(frame[-1] for frame in frames).most_common(1)
            closed = f"{tail:02X}" if times >= 0.6 * len(frames) else ""
            yield FixedFramer(size=size, head=f"{head:02X}", tail=closed)


def _length_framers(content: bytes, heads: Sequence[int]) -> Iterator[Framer]:
    """Rules by which the number at a place says how far it is to the next head, or the end."""
    votes: Counter[tuple[int, int, int, Order, int]] = Counter()
    for head in heads:
        places = _places(content, head)
        for at, size, order in _LENGTHS:
            for index, place in enumerate(places):
                number = int.from_bytes(content[place + at : place + at + size], order)
                if number > LONGEST or place + at + size > len(content):
                    continue
                for other in (*places[index + 1 : index + 12], len(content)):
                    adds = other - place - number
                    if -2 <= adds <= 12:
                        votes[head, at, size, order, adds] += 1
    ranked = sorted(votes.items(), key=lambda item: (-item[1], -item[0][2]))
    for (head, at, size, order, adds), count in ranked[:TRIED]:
        if count < 2:
            return
        spec = LengthFramer(
            head=f"{head:02X}", length_at=at, length_size=size, length_order=order,
            length_adds=adds, min_bytes=max(at + size + 1, 4), max_bytes=1024,
        )  # fmt: skip
        yield from _with_tail(spec, content)


def _with_tail(spec: LengthFramer, content: bytes) -> Iterator[Framer]:
    fit = _run(spec, content)
    if fit is None:
        return
    (tail, times), *_ = Counter(frame[-1] for frame in fit.frames).most_common(1)
    if times >= 2 and times >= 0.6 * len(fit.frames):
        yield msgspec.structs.replace(spec, tail=f"{tail:02X}")
    else:
        yield spec


_ORDERS: tuple[tuple[int, Order], ...] = ((1, "little"), (2, "little"), (2, "big"))
_LENGTHS = [(at, size, order) for at in range(1, 6) for size, order in _ORDERS]


def _room(frames: Sequence[bytes]) -> int:
    return max(64, 2 * max(map(len, frames), default=0))
