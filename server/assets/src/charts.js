// Charts of an establishment's file: temperature with its limit, inhibition with the limit and the
// grey zone; and of what alerts were worth: figures by week. Only what is used of ECharts is
// bundled. Words and colours come from the page.
import { BarChart, LineChart, ScatterChart } from "echarts/charts";
import {
  AriaComponent,
  GridComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TooltipComponent,
} from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([
  BarChart, LineChart, ScatterChart, AriaComponent, GridComponent, LegendComponent, MarkAreaComponent,
  MarkLineComponent, TooltipComponent, CanvasRenderer,
]);

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const zone = "Asia/Shanghai";
const language = document.documentElement.lang || "zh-CN";
const clock = new Intl.DateTimeFormat(language, { timeZone: zone, hour: "2-digit", minute: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat(language, { timeZone: zone, month: "numeric", day: "numeric" });
const full = new Intl.DateTimeFormat(language, { timeZone: zone, month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });

function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: of("ink"), ink2: of("ink-2"), ink3: of("ink-3"), line: of("line"), paper: of("paper"),
    brand: of("brand"), bad: of("class-1"), warn: of("class-2"), note: of("class-3"), ok: of("ok"),
    mute: of("mute"), badWash: of("class-1-wash"), warnWash: of("class-2-wash"),
    font: getComputedStyle(document.body).fontFamily,
  };
}

function frame(paint, facts) {
  const label = { color: paint.ink3, fontSize: 12, fontFamily: paint.font };
  return {
    animation: false,
    aria: { enabled: true, description: facts.description },
    textStyle: { fontFamily: paint.font },
    grid: { left: 8, right: 64, top: 34, bottom: 6, containLabel: true },
    // Rich text is drawn on the canvas: no inline style reaches the document.
    tooltip: {
      renderMode: "richText", confine: true, backgroundColor: paint.paper,
      borderColor: paint.line, textStyle: { color: paint.ink, fontSize: 13 },
    },
    xAxis: {
      type: "time", min: facts.start, max: facts.end, splitNumber: 5,
      axisLine: { lineStyle: { color: paint.line } }, axisTick: { show: false },
      axisLabel: {
        ...label, hideOverlap: true,
        formatter: (at) => (facts.days > 3 ? day.format(at) : clock.format(at)),
      },
    },
    yAxis: {
      type: "value", scale: facts.scale ?? false, name: facts.unit, nameTextStyle: { ...label, align: "right" },
      min: facts.min, max: facts.max,
      splitLine: { lineStyle: { color: paint.line } }, axisLabel: label,
    },
  };
}

function limitLine(paint, limit) {
  return {
    silent: true, symbol: "none", animation: false,
    lineStyle: { color: paint.bad, type: [6, 4], width: 1.5 },
    label: { color: paint.bad, fontSize: 12, formatter: limit.label, position: "end" },
    data: [{ yAxis: limit.value }],
  };
}

// Stretches in which readings lay beyond their limit.
function crossed(paint, stretches) {
  return {
    silent: true, itemStyle: { color: paint.bad, opacity: 0.12 },
    data: stretches.map(([begin, end]) => [{ xAxis: begin }, { xAxis: end }]),
  };
}

// The moment that a chart is about, as a line that stands in it.
function atMoment(paint, moment, line) {
  if (!moment) return line;
  const mark = { xAxis: moment, lineStyle: { color: paint.ink3, type: "solid", width: 1 }, label: { formatter: "▼", color: paint.ink3, position: "end", distance: 0 } };
  return line ? { ...line, data: [...line.data, mark] } : { silent: true, symbol: "none", animation: false, data: [mark] };
}

function readings(facts, paint) {
  const lines = [paint.note, paint.brand, paint.warn, paint.mute];
  const series = facts.series.map((one, index) => ({
    type: "line", name: one.name, data: one.points, showSymbol: false, connectNulls: false,
    lineStyle: { width: 2 }, color: lines[index % lines.length], sampling: "lttb",
    markLine: atMoment(paint, index ? null : facts.moment, one.limit ? limitLine(paint, one.limit) : undefined),
    markArea: one.crossings?.length ? crossed(paint, one.crossings) : undefined,
  }));
  const base = frame(paint, { ...facts, scale: true });
  base.tooltip = {
    ...base.tooltip, trigger: "axis",
    formatter: (items) =>
      [full.format(items[0].value[0]), ...items.map((item) => `${item.seriesName}  ${item.value[1]?.toFixed(1)} ${facts.unit}`)].join("\n"),
  };
  base.legend = series.length > 1
    ? { top: 0, right: 0, icon: "roundRect", itemWidth: 14, itemHeight: 3, textStyle: { color: paint.ink2 } }
    : undefined;
  return { ...base, series };
}

function inhibition(facts, paint) {
  const tone = { pass: paint.ok, suspect: paint.warn, positive: paint.bad, invalid: paint.mute, none: paint.mute };
  const shape = { pass: "circle", suspect: "diamond", positive: "triangle", invalid: "emptyCircle", none: "emptyCircle" };
  const series = facts.groups.map((group, index) => ({
    type: "scatter", name: group.name, data: group.points, color: tone[group.verdict],
    symbol: shape[group.verdict], symbolSize: group.verdict === "positive" ? 12 : 9,
    markLine: index ? undefined : atMoment(paint, facts.moment, facts.limit ? limitLine(paint, facts.limit) : undefined),
    markArea: index === 0 && facts.grey
      ? { silent: true, itemStyle: { color: paint.warnWash }, data: [[{ yAxis: facts.grey[0] }, { yAxis: facts.grey[1] }]] }
      : undefined,
  }));
  const base = frame(paint, facts);
  base.tooltip = {
    ...base.tooltip, trigger: "item",
    formatter: (item) => `${item.value[2]}\n${full.format(item.value[0])}  ${item.value[1]} ${facts.unit}  ${item.seriesName}`,
  };
  base.legend = { top: 0, right: 0, itemWidth: 10, itemHeight: 10, textStyle: { color: paint.ink2 } };
  return { ...base, series };
}

function weeks(facts, paint) {
  const bars = facts.shape === "bar";
  const tones = bars ? [paint.brand, paint.note, paint.ok, paint.mute] : [paint.brand, paint.warn];
  const base = frame(paint, facts);
  return {
    ...base,
    grid: { ...base.grid, right: 12 },
    xAxis: {
      type: "category", data: facts.weeks, boundaryGap: bars,
      axisLine: { lineStyle: { color: paint.line } }, axisTick: { show: false },
      axisLabel: { ...base.yAxis.axisLabel, hideOverlap: true },
    },
    tooltip: {
      ...base.tooltip, trigger: "axis",
      formatter: (items) =>
        [items[0].name + (facts.counts ? `  n = ${facts.counts[items[0].dataIndex]}` : ""),
          ...items.filter((item) => item.value !== null && item.value !== undefined)
            .map((item) => `${item.seriesName}  ${item.value} ${facts.unit}`)].join("\n"),
    },
    legend: { top: 0, right: 0, icon: "roundRect", itemWidth: 14, itemHeight: bars ? 10 : 3, textStyle: { color: paint.ink2 } },
    series: facts.series.map((one, index) => ({
      type: bars ? "bar" : "line", name: one.name, data: one.points, color: paint[one.tone] ?? tones[index % tones.length],
      stack: bars ? "all" : undefined, barMaxWidth: 26, connectNulls: false, symbolSize: 6,
      lineStyle: { width: 2, type: index ? [6, 4] : "solid" },
    })),
  };
}

const KINDS = { readings, inhibition, weeks };

async function draw(place) {
  const answer = await fetch(place.dataset.chart, { headers: { accept: "application/json" } });
  if (!answer.ok) {
    place.textContent = place.dataset.failed;
    return;
  }
  const facts = await answer.json();
  if (!facts.filled) {
    place.textContent = place.dataset.none;
    place.classList.add("empty");
    return;
  }
  const chart = init(place, null, { renderer: "canvas" });
  const paint = () => chart.setOption(KINDS[facts.kind](facts, colours()), true);
  paint();
  dark.addEventListener("change", paint);
  new ResizeObserver(() => chart.resize()).observe(place);
  place.dataset.drawn = "";
}

for (const place of document.querySelectorAll("[data-chart]")) draw(place);
