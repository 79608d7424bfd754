"""Polygons of a scene: what lies inside, and what makes one unusable. Pure."""

from collections.abc import Sequence

Point = tuple[float, float]


def contains(polygon: Sequence[Point], x: float, y: float) -> bool:
    """True if the point lies in the polygon (even-odd rule; an edge may fall to either side)."""
    inside = False
    for (ax, ay), (bx, by) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            inside = not inside
    return inside


def area(polygon: Sequence[Point]) -> float:
    """The enclosed share of the picture."""
    edges = zip(polygon, (*polygon[1:], polygon[0]), strict=True)
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in edges)) / 2


def crosses_itself(polygon: Sequence[Point]) -> bool:
    """True if two edges that are no neighbours meet in a point."""
    edges = list(zip(polygon, (*polygon[1:], polygon[0]), strict=True))
    last = len(edges) - 1
    return any(
        _meet(*edges[i], *edges[j])
        for i in range(len(edges))
        for j in range(i + 2, len(edges))
        if not (i == 0 and j == last)
    )


def _side(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def polygon_fault(polygon: Sequence[Point]) -> str:
    """What is wrong with a polygon, in words; empty if nothing is."""
    if len(polygon) < 3:
        return f"needs at least 3 points, has {len(polygon)}"
    if len(polygon) > 64:
        return f"has {len(polygon)} points, at most 64 are allowed"
    if crosses_itself(polygon):
        return "its edges cross one another"
    if area(polygon) < 0.0005:
        return "encloses next to nothing"
    return ""
