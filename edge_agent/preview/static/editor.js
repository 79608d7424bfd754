// Polygons that can be dragged, in shares of the picture.
const NAMESPACE = "http://www.w3.org/2000/svg";

export class Editor {
  constructor(svg, redraw) {
    this.svg = svg;
    this.redraw = redraw;
    this.areas = null;
    this.dragged = null;
    svg.addEventListener("pointermove", (event) => this.move(event));
    svg.addEventListener("pointerup", () => this.drop());
    svg.addEventListener("pointercancel", () => this.drop());
  }

  get active() {
    return this.areas !== null;
  }

  begin(camera) {
    const copy = (parts) => parts.map((part) => part.polygon.map(([x, y]) => [x, y]));
    this.areas = { zones: copy(camera.zones), masks: copy(camera.masks) };
    this.redraw();
  }

  end() {
    this.areas = null;
    this.dragged = null;
    this.redraw();
  }

  drop() {
    this.dragged = null;
  }

  move(event) {
    if (!this.dragged) return;
    const frame = this.svg.getBoundingClientRect();
    const share = (value) => Math.min(1, Math.max(0, Math.round(value * 1000) / 1000));
    this.dragged[0] = share((event.clientX - frame.left) / frame.width);
    this.dragged[1] = share((event.clientY - frame.top) / frame.height);
    this.redraw();
  }

  grips(width, height) {
    const radius = Math.max(width, height) / (this.svg.clientWidth < 500 ? 42 : 90);
    for (const polygon of [...this.areas.zones, ...this.areas.masks]) {
      polygon.forEach((point, index) => {
        const next = polygon[(index + 1) % polygon.length];
        const middle = [(point[0] + next[0]) / 2, (point[1] + next[1]) / 2];
        this.grip(middle, width, height, radius * 0.75, true, (event) => {
          polygon.splice(index + 1, 0, middle);
          this.take(middle, event);
          this.redraw();
        });
        const dot = this.grip(point, width, height, radius, false, (event) => this.take(point, event));
        dot.addEventListener("dblclick", () => {
          if (polygon.length > 3) polygon.splice(index, 1);
          this.redraw();
        });
      });
    }
  }

  take(point, event) {
    event.preventDefault();
    this.dragged = point; // Not drawn anew: a double click needs both clicks on the same dot.
  }

  grip(point, width, height, radius, isMiddle, taken) {
    const dot = document.createElementNS(NAMESPACE, "circle");
    dot.setAttribute("class", isMiddle ? "grip middle" : "grip");
    dot.setAttribute("cx", point[0] * width);
    dot.setAttribute("cy", point[1] * height);
    dot.setAttribute("r", radius);
    dot.setAttribute("stroke-width", radius / 3);
    dot.addEventListener("pointerdown", taken);
    this.svg.append(dot);
    return dot;
  }
}
