"""Runs models: the only door to onnxruntime. A file that disagrees with its manifest is refused."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from contracts.events import ModelRef
from contracts.model_manifest import (
    MANIFEST_NAME,
    Manifest,
    ManifestError,
    ModelInput,
    read_manifest,
)

Tensor = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Model:
    """A model that agrees with its manifest. Several threads may run it at once."""

    manifest: Manifest
    session: Any

    @property
    def reference(self) -> ModelRef:
        """What observations say about it."""
        return ModelRef(self.manifest.id, self.manifest.version, self.manifest.sha256)

    def run(self, tensor: Tensor) -> Sequence[Tensor]:
        """The outputs, in the manifest's order, for an input [batch, 3, height, width]."""
        names = list(self.manifest.output.names)
        outputs: Sequence[Tensor] = self.session.run(names, {self.manifest.input.name: tensor})
        return outputs


def open_model(folder: Path, *, task: str, threads: int = 1) -> Model:
    """Open the model of a folder for `task` (``detect`` or ``classify``).

    The bytes that are hashed are the bytes that are run. Raises ManifestError that names the file,
    and the manifest's key, if hash, task or geometry disagree.
    """
    manifest = read_manifest(folder)
    where = folder / MANIFEST_NAME
    if manifest.task != task:
        raise ManifestError(f"{where}: `task` is {manifest.task!r}, {task!r} is wanted here")
    path = folder / manifest.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ManifestError(f"{path}: {error.strerror}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != manifest.sha256.lower():
        raise ManifestError(f"{path}: sha256 is {found}, `sha256` of {where} says another")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # A thread that spins while it waits takes a whole core of a small box.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001  # its own errors share no narrower class
        raise ManifestError(f"{path}: cannot be loaded: {error}") from None
    for key, fault in _disagreements(manifest, session):
        raise ManifestError(f"{path}: `{key}` of {where} {fault}")
    return Model(manifest, session)


def _disagreements(manifest: Manifest, session: Any) -> list[tuple[str, str]]:
    """Where the file's own geometry is not the manifest's: (key, fault) each."""
    wanted = manifest.input
    found: list[tuple[str, str]] = []
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if [part.name for part in inputs] != [wanted.name]:
        found.append(("input.name", f"is {wanted.name!r}, not {[part.name for part in inputs]}"))
    elif not _takes(inputs[0].shape, wanted):
        size = f"{wanted.width}x{wanted.height}" + (", any multiple" if wanted.multiple else "")
        found.append(("input.width/height", f"say {size}, the file takes {inputs[0].shape}"))
    elif inputs[0].type != "tensor(float)":
        found.append(("input", f"is of floats, the file takes {inputs[0].type}"))
    names = tuple(part.name for part in outputs)
    if names != manifest.output.names:
        return [*found, ("output.names", f"are {list(manifest.output.names)}, not {list(names)}")]
    labels, candidates = len(manifest.output.labels), manifest.output.candidates
    shapes = [list(part.shape) for part in outputs]
    if manifest.output.kind == "boxes_scores":
        if candidates == 0:  # as many as the input is large: the file names no number
            shapes = [
                [0 if isinstance(shape[0], str) else shape[0], *shape[1:]] for shape in shapes
            ]
        if shapes != [[candidates, 4], [candidates, labels]]:
            found.append(("output", f"says {candidates} x {labels} labels, the file {shapes}"))
    elif shapes[0][1:] != [labels]:
        found.append(("output.labels", f"are {labels}, the file gives {shapes[0]}"))
    return found


def _takes(shape: Sequence[int | str], wanted: ModelInput) -> bool:
    """Does a file with an input of this shape (names stand for any length) take what is wanted?"""
    if wanted.multiple:
        return shape[1] == 3 and all(isinstance(side, str) for side in shape[2:])
    return list(shape[1:]) == [3, wanted.height, wanted.width]
