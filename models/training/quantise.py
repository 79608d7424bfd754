"""Make an INT8 variant of a model folder: `python -m models.training.quantise --help`. Whether it
is worth shipping is for `foodsentry models evaluate` to say."""

import argparse
import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from contracts.events import Box
from contracts.model_manifest import MANIFEST_NAME, Manifest, read_manifest, verify
from edge_agent.cameras.eyes.tensors import cut, fit, to_tensor
from models.training.scenes import read_picture
from models.truth import Photo, read_truth
from models.validation import split

Feed = dict[str, Any]


class Pictures(CalibrationDataReader):  # type: ignore[misc]
    """Inputs of a model, made from labelled photographs as the edge makes them."""

    def __init__(self, manifest: Manifest, photos: Sequence[Photo]) -> None:
        self._feeds = self._make(manifest, photos)

    def get_next(self) -> Feed | None:
        """The next input, or None."""
        return next(self._feeds, None)

    @staticmethod
    def _make(manifest: Manifest, photos: Sequence[Photo]) -> Iterator[Feed]:
        wanted = manifest.input
        for photo in photos:
            picture = read_picture(photo)
            if manifest.task == "detect":
                yield {wanted.name: to_tensor([fit(picture, wanted)[0]], wanted)}
                continue
            for label in photo.labels[:1]:
                part = cut(picture, Box("head", *label.box, 1.0), wanted.crop_margin)
                yield {wanted.name: to_tensor([fit(part, wanted)[0]], wanted)}


def main(argv: Sequence[str] | None = None) -> int:
    """Write the model folder `--out`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="labelled folders")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--keep", nargs="*", default=[], help="nodes (regex) that stay in floats")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args(argv)
    training, _ = split([photo for folder in arguments.data for photo in read_truth(folder)])
    chosen = np.random.default_rng(arguments.seed).permutation(len(training))
    photos = [training[int(index)] for index in chosen[: arguments.pictures]]
    quantise(arguments.model, photos, arguments.out, arguments.keep)
    return 0


def quantise(folder: Path, photos: Sequence[Photo], out: Path, keep: Sequence[str] = ()) -> None:
    """INT8 weights a channel, UINT8 activations, ranges from the photographs; the manifest goes
    along with the new hash. Raises ManifestError."""
    manifest = verify(folder)
    out.mkdir(parents=True, exist_ok=True)
    path, prepared = out / manifest.file, out / "prepared.onnx"
    quant_pre_process(str(folder / manifest.file), str(prepared), skip_symbolic_shape=True)
    names = [node.name for node in onnx.load(str(prepared)).graph.node]
    left = [name for name in names if any(re.search(pattern, name) for pattern in keep)]
    quantize_static(
        str(prepared),
        str(path),
        Pictures(manifest, photos),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
        nodes_to_exclude=left,
    )
    prepared.unlink()
    text = (folder / MANIFEST_NAME).read_text("utf-8")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    text = text.replace(manifest.sha256, digest)
    text = text.replace(f'id = "{manifest.id}"', f'id = "{out.name}"', 1)
    (out / MANIFEST_NAME).write_text(text, "utf-8")
    read_manifest(out)


if __name__ == "__main__":
    raise SystemExit(main())
