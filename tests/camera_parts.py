"""Parts for camera tests: tiny real ONNX models, pictures they understand, a sink to wait for.

To these models a head is a blue block on a grid of 160 pixels; green in its upper half is a hat,
green in its lower half a mask, and a block of middling green cannot be told.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from contracts.events import Evidence, Observation, Status
from contracts.topics import Identity
from edge_agent.ports import Fact

Pixels = npt.NDArray[np.uint8]
WIDTH, HEIGHT, BLOCK = 640, 360, 160
SIDE, CELLS = 64, 4
"""Of the tiny detector's input: pixels, and cells in a row."""

_MANIFEST = """id = "{id}"
version = "0.0.1"
task = "{task}"
file = "{id}.onnx"
sha256 = "{sha256}"
licence = "Apache-2.0"
[input]
name = "{input}"
width = {width}
height = {height}
colour = "bgr"
layout = "nchw"
scale = 1.0
mean = [0.0, 0.0, 0.0]
std = [1.0, 1.0, 1.0]
resize = "{resize}"
[output]
kind = "{kind}"
names = {names}
labels = {labels}
{more}
[limits]
min_box_px = {min_box}
[training]
data = ["none"]
start = "none"
date = "2026-01-01"
seed = 0
minutes = 0.0
"""


def _constant(name: str, values: Any, kind: type = np.float32) -> Any:
    return numpy_helper.from_array(np.array(values, kind), name)


def _save(folder: Path, graph: Any, manifest: dict[str, Any]) -> None:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    content = model.SerializeToString()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{manifest['id']}.onnx").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    text = _MANIFEST.format(sha256=digest, **manifest)
    (folder / "manifest.toml").write_text(text, "utf-8")


def write_detector(folder: Path) -> None:
    """One candidate per cell; its score is how much bluer than red the cell is."""
    step = SIDE // CELLS
    boxes = [
        (x * step, y * step, (x + 1) * step, (y + 1) * step)
        for y in range(CELLS)
        for x in range(CELLS)
    ]
    nodes = [
        helper.make_node("AveragePool", ["images"], ["mean"], kernel_shape=[step, step],
                         strides=[step, step]),
        helper.make_node("Split", ["mean"], ["b", "g", "r"], axis=1),
        helper.make_node("Sub", ["b", "r"], ["bluer"]),
        helper.make_node("Div", ["bluer", "full"], ["share"]),
        helper.make_node("Reshape", ["share", "flat"], ["scores"]),
        helper.make_node("Identity", ["cells"], ["boxes"]),
    ]  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "blocks",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [CELLS**2, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [CELLS**2, 1]),
        ],
        [_constant("full", 255.0), _constant("flat", [CELLS**2, 1], np.int64),
         _constant("cells", boxes)],
    )  # fmt: skip
    _save(folder, graph, {
        "id": "blocks", "task": "detect", "input": "images", "width": SIDE, "height": SIDE,
        "resize": "letterbox", "kind": "boxes_scores", "names": '["boxes", "scores"]',
        "labels": '["head"]', "min_box": 8,
        "more": f"candidates = {CELLS**2}\n[thresholds.head]\nyes = 0.5",
    })  # fmt: skip


def write_classifier(folder: Path, min_box: float = 16, *, across: bool = False) -> None:
    """Logit = a tenth of how far the half's mean green is from the middle: the hat is read in the
    upper half and the mask in the lower one; `across`, in the left and in the right one."""
    high, wide = 32, 24
    along, long = (3, wide) if across else (2, high)
    nodes = []
    for half, label in enumerate(("hat", "mask")):
        ends = (f"from_{label}", f"to_{label}", "axes")
        nodes += [
            helper.make_node("Slice", ["heads", *ends], [f"half_{label}"]),
            helper.make_node("ReduceMean", [f"half_{label}"], [f"mean_{label}"], axes=[2, 3]),
        ]
        _ = half
    nodes += [
        helper.make_node(
            "Concat", [f"mean_{label}" for label in ("hat", "mask")], ["both"], axis=1
        ),
        helper.make_node("Reshape", ["both", "flat"], ["means"]),
        helper.make_node("Sub", ["means", "middle"], ["off"]),
        helper.make_node("Mul", ["off", "tenth"], ["logits"]),
    ]
    ends = {
        "from_hat": [1, 0], "to_hat": [2, long // 2],
        "from_mask": [1, long // 2], "to_mask": [2, long], "axes": [1, along], "flat": [-1, 2],
    }  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "halves",
        [helper.make_tensor_value_info("heads", TensorProto.FLOAT, ["batch", 3, high, wide])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])],
        [_constant(name, values, np.int64) for name, values in ends.items()]
        + [_constant("middle", 127.0), _constant("tenth", 0.1)],
    )
    _save(folder, graph, {
        "id": "halves", "task": "classify", "input": "heads", "width": wide, "height": high,
        "resize": "stretch", "kind": "logits", "names": '["logits"]',
        "labels": '["hat", "mask"]', "min_box": min_box,
        "more": "[thresholds.hat]\nyes = 0.8\nno = 0.2\n[thresholds.mask]\nyes = 0.8\nno = 0.2",
    })  # fmt: skip


def write_models(folder: Path) -> Path:
    """Both tiny models under the names that cameras ask for."""
    write_detector(folder / "kitchen_heads")
    write_classifier(folder / "head_attributes")
    return folder


Person = tuple[int, int, bool | None, bool | None]
"""Column (0..3), row (0..1), hat, mask; None: cannot be told."""

_NOISE = np.random.default_rng(0).normal(0, 3, (HEIGHT, WIDTH, 1)).astype(np.float32)


def kitchen(people: Sequence[Person] = (), *, seed: int = 0, light: float = 1.0) -> Pixels:
    """A noisy picture of grey tiles with blocks for heads."""
    rows, columns = np.arange(HEIGHT)[:, None] // 20, np.arange(WIDTH)[None, :] // 20
    tiles = np.where((rows + columns) % 2, 80, 160).astype(np.float32)
    picture = np.repeat(tiles[:, :, None], 3, axis=2)
    for column, row, hat, mask in people:
        x, y = column * BLOCK, row * BLOCK
        picture[y : y + BLOCK, x : x + BLOCK] = (250, 0, 0)
        for half, worn in enumerate((hat, mask)):
            top = y + half * BLOCK // 2
            green = 127 if worn is None else 230 if worn else 20
            picture[top : top + BLOCK // 2, x : x + BLOCK, 1] = green
    # Turned by steps that share no divisor with its sides: no two seeds give the same noise.
    noise = np.roll(_NOISE, (seed * 7, seed * 101), axis=(0, 1))
    return np.clip(picture * np.float32(light) + noise, 0, 255).astype(np.uint8)


SCENE = """version = 1
title = "test"
[[zones]]
name = "专间"
kind = "special_room"
required = ["hat", "mask"]
polygon = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]
[[zones]]
name = "热厨"
kind = "general"
required = ["hat"]
polygon = [[0.5, 0.0], [0.75, 0.0], [0.75, 1.0], [0.5, 1.0]]
[[masks]]
name = "海报"
polygon = [[0.75, 0.0], [1.0, 0.0], [1.0, 1.0], [0.75, 1.0]]
[persistence]
window_s = 2.0
enter_votes = 4
enter_share = 0.7
enter_s = 0.5
leave_share = 0.3
leave_s = 2.0
merge_s = 0.0
hold_s = 20.0
[stillness]
life_first = false
"""


class CollectingSink:
    """Keeps what it is given; `wait` returns when it holds what is asked for."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.statuses: list[tuple[Identity, Status]] = []
        self.set_aside: list[str] = []
        self._changed = threading.Condition()

    def put(self, facts: Sequence[Fact]) -> None:
        with self._changed:
            self.facts.extend(facts)
            self._changed.notify_all()

    def quarantine(self, who: Identity, content: bytes, reason: str, at: object) -> None:
        self.set_aside.append(reason)

    def report(self, who: Identity, status: Status) -> None:
        with self._changed:
            self.statuses.append((who, status))
            self._changed.notify_all()

    def wait(self, asked: Callable[["CollectingSink"], object], limit_s: float = 20.0) -> None:
        with self._changed:
            came = self._changed.wait_for(lambda: bool(asked(self)), limit_s)
        assert came, [(o.kind, o.phase.value) for o in self.observations] + self.statuses[-3:]

    @property
    def observations(self) -> list[Observation]:
        return [fact.data for fact in self.facts if isinstance(fact.data, Observation)]

    @property
    def evidence(self) -> list[Evidence]:
        return [fact.data for fact in self.facts if isinstance(fact.data, Evidence)]

    def phases(self, kind: str) -> list[str]:
        return [one.phase.value for one in self.observations if one.kind == kind]

    def state(self, device: str) -> str:
        said = [status.state.value for who, status in self.statuses if who.device == device]
        return said[-1] if said else ""


def wait_until(asked: Callable[[], object], limit_s: float = 20.0) -> None:
    """Return as soon as `asked` says yes."""
    until = time.monotonic() + limit_s
    while not asked():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.01)


def clip(
    parts: Sequence[tuple[float, Sequence[Person]]], *, fps: float = 10.0, light: float = 1.0
) -> Iterator[tuple[float, Pixels]]:
    """Pictures with their times: each part lasts so many seconds and shows those people."""
    number = 0
    for lasts_s, people in parts:
        for _ in range(round(lasts_s * fps)):
            yield number / fps, kitchen(people, seed=number, light=light)
            number += 1
