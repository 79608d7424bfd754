"""Writes a scene as an annotated TOML file, as a technician wants to find it."""

import json
from collections.abc import Sequence

from edge_agent.cameras.rule.polygons import Point
from edge_agent.cameras.rule.scene import Scene

_HEAD = """\
# {title}
# Written by `foodsentry vision setup` from a short watch. Read it, name the zones, move the points
# (here, or by dragging on the preview page), then look at it: foodsentry vision check-scene {file}
# 由 `foodsentry vision setup` 生成：请核对区域名称、类型与要求，再用 check-scene 查看效果。
# Points are shares of the picture: 0,0 is its top left corner, 1,1 its bottom right.
version = 1
title = {quoted}
"""
_REFERENCE = """
# The picture of the view as it was set up: a camera that is turned away from it is noticed.
# 安装时的参考画面：镜头被转动后会被发现。
reference = "{reference}"
"""
_ZONES = """
# A head belongs to the first zone that holds its centre: zones lie where heads appear, not feet.
# kind: special_room 专间 | special_area 专用操作区 | rough_processing 粗加工 | washing_up 洗消 |
#       cooking 烹饪 | serving 供餐 | store 库房 | passage 通道 | dining 就餐 | general 一般
# required: what people must wear here. min_head: smaller heads (share of the picture's height)
# are left alone; {seen}
"""
_NOBODY = "nobody came into view: watch again when people are at work."
_MASKS = """
# What hung still during the watch, or must not count: posters, mirrors, screens, a street.
# 画面中静止不动的“人头”（海报、模特）或不应计入的地方（镜子、屏幕、窗外）。
"""
_RULE = """
# How much must be seen before an episode opens, and how little before it closes: the defaults.
#[persistence]
#window_s = {window_s:g}      # the looks at a person of so many seconds count
#enter_votes = {enter_votes}   # so many of them must say "not worn" …
#enter_share = {enter_share:g} # … and at least this share of all looks that read anything …
#enter_s = {enter_s:g}         # … the first and the last so many seconds apart
"""


def scene_text(scene: Scene, file: str, *, least_seen: float) -> str:
    """The file's text. `least_seen` is the smallest usual head that was seen, 0 if nobody came."""
    seen = _NOBODY
    if least_seen:
        seen = f"the smallest usual one that was seen had {least_seen:.3f}."
    parts = [_HEAD.format(title=scene.title, file=file, quoted=_quoted(scene.title))]
    if scene.reference:
        parts.append(_REFERENCE.format(reference=scene.reference))
    parts.append(_ZONES.format(seen=seen))
    for zone in scene.zones:
        required = ", ".join(_quoted(wear.value) for wear in zone.required)
        parts.append(
            f"[[zones]]\nname = {_quoted(zone.name)}\nkind = {_quoted(zone.kind.value)}\n"
            f"required = [{required}]\nmin_head = {zone.min_head:g}\n"
            f"polygon = {_points(zone.polygon)}\n"
        )
    if scene.masks:
        parts.append(_MASKS)
    parts += [
        f"[[masks]]\nname = {_quoted(mask.name)}\npolygon = {_points(mask.polygon)}\n"
        for mask in scene.masks
    ]
    rule = scene.persistence
    parts.append(
        _RULE.format(
            window_s=rule.window_s,
            enter_votes=rule.enter_votes,
            enter_share=rule.enter_share,
            enter_s=rule.enter_s,
        )
    )
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _points(polygon: Sequence[Point]) -> str:
    return "[" + ", ".join(f"[{x:g}, {y:g}]" for x, y in polygon) + "]"
