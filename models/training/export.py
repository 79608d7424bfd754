"""Turn a checkpoint into a model folder: one ONNX file, its manifest with hash, geometry,
thresholds and calibration."""

import argparse
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
import torch
from torch import nn

from contracts.model_manifest import verify
from models.training import attributes, detector
from models.training.crops import CROP_MARGIN
from models.training.scenes import PAD_VALUE

OPSET = 17
LARGEST_SCALE = 1.5
"""Enlarging tells a detector nothing new, and makes close-ups larger than any head it learned."""


def main(argv: Sequence[str] | None = None) -> int:
    """Write `--out` from `--checkpoint`; the date is an argument, so that the same call gives the
    same manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("detector", "attributes"))
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--date", required=True, help="YYYY-MM-DD")
    parser.add_argument(
        "--threshold",
        action="append",
        default=[],
        help="label=yes, yes:no or yes:no:no by infrared light",
    )
    parser.add_argument(
        "--shift",
        action="append",
        default=[],
        help="label=number: added to a label's logits instead of what training fitted",
    )
    parser.add_argument("--earlier-minutes", type=float, default=0.0, help="of the rounds before")
    parser.add_argument(
        "--size", type=int, default=640, help="longest side of the detector's input"
    )
    arguments = parser.parse_args(argv)
    saved = torch.load(arguments.checkpoint, weights_only=True)
    arguments.out.mkdir(parents=True, exist_ok=True)
    thresholds = dict(item.split("=", 1) for item in arguments.threshold)
    common = {
        "version": arguments.version,
        "date": arguments.date,
        "seed": saved["seed"],
        "minutes": round(saved["seconds"] / 60 + arguments.earlier_minutes, 1),
    }
    if arguments.kind == "detector":
        export_detector(saved, arguments.out, arguments.size, thresholds, common)
    else:
        shifts = {name: float(value) for name, value in (s.split("=") for s in arguments.shift)}
        export_attributes(saved, arguments.out, thresholds, common, shifts)
    verify(arguments.out)
    return 0


def export_detector(
    saved: Mapping[str, object],
    out: Path,
    size: int,
    thresholds: Mapping[str, str],
    common: Mapping[str, object],
) -> None:
    """ONNX with decoded boxes and scores, and the manifest."""
    net = detector.Detector()
    net.load_state_dict(saved["averaged"])
    path = out / "kitchen_heads.onnx"
    write_onnx(
        detector.Decoded(net),
        torch.zeros(1, 3, size, size),
        path,
        {"images": {2: "height", 3: "width"}, "boxes": {0: "n"}, "scores": {0: "n"}},
    )
    text = _head("kitchen_heads", "detect", path, common) + (
        f'[input]\nname = "images"\nwidth = {size}\nheight = {size}\ncolour = "bgr"\n'
        f'layout = "nchw"\n'
        f"scale = 1.0\nmean = [0.0, 0.0, 0.0]\nstd = [1.0, 1.0, 1.0]\n"
        f'resize = "letterbox"\npad_value = {PAD_VALUE}\n'
        f"multiple = {max(detector.STRIDES)}\nlargest_scale = {LARGEST_SCALE}\n\n"
        f'[output]\nkind = "boxes_scores"\nnames = ["boxes", "scores"]\n'
        f"labels = {_texts(detector.LABELS)}\nnms_iou = 0.5\n\n"
    )
    text += _thresholds(detector.LABELS, thresholds) + "[limits]\nmin_box_px = 8.0\n\n"
    text += _training(("hardhat", "cafe", "hygiene"), "yolox_nano (COCO, Apache-2.0)", common)
    (out / "manifest.toml").write_text(text, encoding="utf-8")


def export_attributes(
    saved: Mapping[str, object],
    out: Path,
    thresholds: Mapping[str, str],
    common: Mapping[str, object],
    shifts: Mapping[str, float],
) -> None:
    """ONNX with one logit a label, and the manifest."""
    net = attributes.AttributeNet()
    net.load_state_dict(saved["averaged"])
    calibration: Mapping[str, tuple[float, float]] = saved["calibration"]
    with torch.no_grad():
        net.answer.bias += torch.tensor(
            [shifts.get(label, calibration[label][1]) for label in attributes.LABELS]
        )
    path = out / "head_attributes.onnx"
    write_onnx(
        net,
        torch.zeros(1, 3, attributes.HEIGHT, attributes.WIDTH),
        path,
        {"heads": {0: "batch"}, "logits": {0: "batch"}},
    )
    mean, std = attributes.MEAN, attributes.STD
    text = _head("head_attributes", "classify", path, common) + (
        f'[input]\nname = "heads"\nwidth = {attributes.WIDTH}\nheight = {attributes.HEIGHT}\n'
        f'colour = "rgb"\nlayout = "nchw"\nscale = 1.0\nmean = [{mean}, {mean}, {mean}]\n'
        f'std = [{std}, {std}, {std}]\nresize = "stretch"\n'
        f"pad_value = {PAD_VALUE}\ncrop_margin = {CROP_MARGIN}\n\n"
        f'[output]\nkind = "logits"\nnames = ["logits"]\nlabels = {_texts(attributes.LABELS)}\n'
        + "".join(f'gates.{label} = "{gate}"\n' for label, gate in attributes.GATES.items())
        + "\n"
    )
    text += _thresholds(attributes.LABELS, thresholds)
    text += "[limits]\nmin_box_px = 16.0\nmin_contrast = 10.0\n\n[calibration]\n"
    text += (
        "".join(f"{label} = {temperature}\n" for label, (temperature, _) in calibration.items())
        + "\n"
    )
    text += _training(("hygiene", "hardhat"), "EfficientNet-Lite0 (ImageNet, Apache-2.0)", common)
    (out / "manifest.toml").write_text(text, encoding="utf-8")


def write_onnx(
    net: nn.Module, example: torch.Tensor, path: Path, axes: Mapping[str, Mapping[int, str]]
) -> None:
    """Export, check, and drop what names the machine it was made on. `axes` names the input, then
    the outputs, and which of their axes may have any length."""
    net.eval()
    name, *outputs = axes
    torch.onnx.export(
        net,
        (example,),
        str(path),
        input_names=[name],
        output_names=outputs,
        opset_version=OPSET,
        dynamic_axes={key: dict(value) for key, value in axes.items()},
        dynamo=False,
    )
    model = onnx.load(str(path))
    for node in model.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def _head(identity: str, task: str, path: Path, common: Mapping[str, object]) -> str:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return (
        f'id = "{identity}"\nversion = "{common["version"]}"\ntask = "{task}"\n'
        f'file = "{path.name}"\n'
        f'sha256 = "{digest}"\nlicence = "Apache-2.0"\n\n'
    )


def _thresholds(labels: Sequence[str], given: Mapping[str, str]) -> str:
    lines = []
    for label in labels:
        named = zip(("yes", "no", "no_infrared"), given[label].split(":"), strict=False)
        lines.append(f"[thresholds.{label}]\n")
        lines += [f"{name} = {value}\n" for name, value in named]
        lines.append("\n")
    return "".join(lines)


def _training(data: Sequence[str], start: str, common: Mapping[str, object]) -> str:
    return (
        f'[training]\ndata = {_texts(data)}\nstart = "{start}"\ndate = "{common["date"]}"\n'
        f"seed = {common['seed']}\nminutes = {common['minutes']}\n"
    )


def _texts(values: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


if __name__ == "__main__":
    raise SystemExit(main())
