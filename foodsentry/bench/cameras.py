"""`foodsentry bench cameras`: what a look costs, with the committed models on the demo's film."""

from itertools import islice

import cv2

from edge_agent.cameras.attributes import read_attributes
from edge_agent.cameras.detect import detect
from edge_agent.cameras.replay import play
from edge_agent.cameras.scene import read_scene
from edge_agent.cameras.settings import CameraSettings
from edge_agent.cameras.workers import open_models
from edge_agent.simulation.film import CANTEEN, pictures
from foodsentry.bench.figures import Figure, rate
from foodsentry.demo.files import CONFIGS, ROOT

_FPS = 5.0


def measure(runs: int) -> list[Figure]:
    """Detection, attributes, and the whole pipeline with motion gate; one thread."""
    cv2.setNumThreads(1)
    models = open_models(ROOT / "models", "kitchen_heads", "head_attributes")
    scene = read_scene(CONFIGS / "scenes" / "demo_canteen.toml")
    settings = CameraSettings(device="cam-1", source="file:film", scene="demo_canteen")
    film = [(number / _FPS, one) for number, one in enumerate(pictures(CANTEEN, fps=_FPS))]
    busy = film[len(film) // 4][1]
    heads = detect(models.detector, busy)

    def look() -> int:
        detect(models.detector, busy)
        return 1

    def read() -> int:
        read_attributes(models.classifier, busy, heads)
        return len(heads)

    def pipeline() -> int:
        steps = list(play(islice(film, 60), settings, scene, models))
        return len(steps)

    return [
        rate("detect heads, 960×540, one core", "frames/s", look, runs),
        rate("hat and mask of a head", "heads/s", read, runs),
        rate("whole pipeline, people in view", "looks/s", pipeline, runs, 1.0),
    ]
