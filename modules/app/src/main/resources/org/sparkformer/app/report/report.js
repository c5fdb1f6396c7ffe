"use strict";
const run = JSON.parse(document.getElementById("run").textContent);
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const known = (value) => value !== null && value !== undefined;

function short(value) {
  if (!known(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e9) return (value / 1e9).toPrecision(3) + "B";
  if (size >= 1e6) return (value / 1e6).toPrecision(3) + "M";
  if (size >= 1e4) return (value / 1e3).toPrecision(3) + "k";
  if (size >= 1000 || Number.isInteger(value)) return value.toLocaleString("en", { maximumFractionDigits: 0 });
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  if (size >= 0.01) return value.toFixed(3);
  return value.toExponential(1);
}

function duration(seconds) {
  if (!known(seconds)) return "–";
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  if (hours > 0) return `${hours} h ${minutes} m`;
  return minutes > 0 ? `${minutes} m ${whole % 60} s` : `${whole} s`;
}

function element(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
  node.append(...children.filter(known));
  return node;
}

/** Mean over a window round each point, a fortieth of the run wide. */
function smooth(values) {
  const reach = Math.floor(values.length / 80);
  return values.map((value, i) => {
    if (!known(value)) return null;
    const near = values.slice(Math.max(0, i - reach), i + reach + 1).filter(known);
    return near.reduce((sum, each) => sum + each, 0) / near.length;
  });
}

function tick(value) {
  const size = Math.abs(value);
  if (size >= 1e4) return short(value);
  if (size > 0 && size < 0.01) return value.toExponential(1).replace(".0e", "e");
  return Number(value.toPrecision(3)).toLocaleString("en");
}

/** Lines over steps; a chart without any value is left out. */
function chart(title, unit, x, series, options = {}) {
  if (!series.some((line) => line.values.some(known))) return;
  const legend = element("ul", { class: "legend" });
  const holder = element("div", { class: "plot" });
  const heading = element("h3", {}, title + " ", element("span", { class: "unit" }, unit));
  const card = element("div", { class: "chart" + (options.wide ? " wide" : "") },
    element("div", { class: "head" }, heading, legend), holder);
  document.getElementById("charts").append(card);
  const listed = series.filter((line) => !line.quiet);
  const shown = listed.map((line) => {
    const value = element("b");
    const swatch = element("i", { style: `background: var(--${line.color})` });
    legend.append(element("li", {}, swatch, line.name, value));
    return value;
  });
  const tell = (index) => listed.forEach((line, i) => {
    const values = line.own || line.values;
    const from = known(index) ? index : values.length - 1;
    let at = from;
    while (at > 0 && !known(values[at])) at--;
    shown[i].textContent = short(values[at]);
  });
  tell(null);
  let plot = null;
  const draw = () => {
    if (plot) plot.destroy();
    plot = new uPlot(plotOptions(holder.clientWidth, options, series, tell),
      [x, ...series.map((line) => line.values)], holder);
  };
  draw();
  new ResizeObserver(() => {
    if (plot.width !== holder.clientWidth) plot.setSize({ width: holder.clientWidth, height: plot.height });
  }).observe(holder);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

function plotOptions(width, options, series, tell) {
  const axis = {
    stroke: color("muted"), font: "12px system-ui, sans-serif",
    grid: { stroke: color("grid"), width: 1 }, ticks: { stroke: color("rule"), width: 1, size: 4 },
  };
  return {
    width, height: options.wide ? 320 : 220, padding: [10, 22, 0, 0], legend: { show: false },
    cursor: { sync: { key: "step" }, points: { size: 6 }, drag: { x: true, y: false } },
    scales: { x: { time: false }, y: options.fromZero ? { range: (u, low, high) => [0, Math.min(high || 1, options.top || Infinity) * 1.08] } : {} },
    axes: [
      { ...axis, size: 30, values: (u, ticks) => ticks.map(tick) },
      { ...axis, size: 58, values: (u, ticks) => ticks.map(tick) },
    ],
    series: [{}, ...series.map((line) => ({
      stroke: color(line.color), width: line.width || 1.75, alpha: line.alpha || 1, spanGaps: true,
      fill: line.fill ? color(line.color) : undefined,
      points: { show: Boolean(line.points), size: 6, fill: color(line.color) },
    }))],
    hooks: { setCursor: [(u) => tell(u.cursor.idx)] },
  };
}

function lossChart() {
  const steps = [...new Set([...run.steps.step, ...run.evaluations.step])].sort((a, b) => a - b);
  const place = (from, key) => {
    const byStep = new Map(from.step.map((step, i) => [step, from[key][i]]));
    return steps.map((step) => (byStep.has(step) ? byStep.get(step) : null));
  };
  const raw = place(run.steps, "loss");
  chart("Loss", "nats a token, over steps", steps, [
    { name: "training, each step", color: "blue", values: raw, alpha: 0.3, width: 1, quiet: true },
    { name: "training", color: "blue", values: smooth(raw), width: 2 },
    { name: "validation", color: "orange", values: place(run.evaluations, "val_loss"), width: 2, points: true },
  ], { wide: true });
}

/**
 * Where a chart of times ends, and the word for it: the first step builds kernels and others meet a busy machine, so
 * that what is far above the rest, a fiftieth of the steps or the one slowest, is cut off.
 */
function peaks(times) {
  const sorted = times.filter(known).sort((a, b) => a - b);
  const usual = Math.max(0, Math.min(sorted.length - 2, Math.floor(sorted.length * 0.98)));
  const top = 1.2 * sorted[usual];
  return { top, note: sorted[sorted.length - 1] > 1.08 * top ? ", peaks cut off" : "" };
}

/** Parts of a step stacked: what the all-reduce hides behind the backward pass takes no time of its own. */
function timeChart() {
  const column = (key) => run.steps[key] || [];
  const parts = [
    { name: "forward", color: "blue", own: column("forward_ms") },
    { name: "backward", color: "violet", own: column("backward_ms") },
    { name: "all-reduce, not hidden", color: "orange", own: column("allreduce_exposed_ms") },
    { name: "waiting for data", color: "teal", own: column("data_wait_ms") },
  ];
  const whole = column("step_ms");
  const rest = whole.map((step, i) =>
    known(step) ? Math.max(0, step - parts.reduce((sum, part) => sum + (part.own[i] || 0), 0)) : null);
  parts.push({ name: "optimizer and rest", color: "grey", own: rest });
  let below = run.steps.step.map(() => 0);
  for (const part of parts) {
    below = below.map((sum, i) => sum + (part.own[i] || 0));
    part.values = whole.some(known) ? below : [];
    part.fill = true;
    part.width = 0;
  }
  const { top, note } = peaks(whole);
  // The tallest is drawn first, so that those below cover its lower part.
  chart("Time of a step", "milliseconds" + note, run.steps.step, parts.reverse(), { fromZero: true, top });
}

/** How long each rank was busy with a step, where there are several. */
function ranksChart() {
  const { top, note } = peaks(run.ranks.slowest);
  chart("Ranks", "milliseconds without waiting for others" + note, run.steps.step, [
    { name: "slowest", color: "orange", values: run.ranks.slowest },
    { name: "median", color: "blue", values: run.ranks.median },
    { name: "fastest", color: "teal", values: run.ranks.fastest },
  ], { fromZero: true, top });
}

function figure(name, value, unit, note) {
  if (value === "–") return;
  document.getElementById("figures").append(element("div", { class: "figure" },
    element("div", { class: "name" }, name),
    element("div", { class: "value" }, value, unit ? element("small", {}, " " + unit) : null),
    note ? element("div", { class: "note" }, note) : null));
}

function fact(name, value, mono) {
  if (!known(value) || value === "–") return;
  document.getElementById("facts").append(element("dt", {}, name), element("dd", mono ? { class: "mono" } : {}, String(value)));
}

function headline() {
  const losses = run.evaluations.val_loss.filter(known);
  const best = losses.length ? Math.min(...losses) : null;
  const last = run.headline;
  figure("Validation loss", known(last.val_loss) ? last.val_loss.toFixed(4) : "–", "",
    known(best) && best < last.val_loss - 5e-5 ? `best ${best.toFixed(4)}` : "perplexity " + short(Math.exp(last.val_loss)));
  figure("Training loss", known(last.loss) ? last.loss.toFixed(4) : "–", "", "at step " + short(last.step));
  figure("Throughput", short(last.tokens_per_second), "", "tokens/s, median");
  figure("Parameters", short(last.parameters), "", known(last.parameters) ? last.parameters.toLocaleString("en") : "");
  figure("Tokens seen", short(last.tokens), "", known(last.tokens) ? last.tokens.toLocaleString("en") : "");
  figure("Wall time", duration(last.wall_seconds), "", known(last.ranks) ? last.ranks + (last.ranks === 1 ? " rank" : " ranks") : "");
  document.getElementById("summary").textContent = last.summary;
  fact("Device", last.device);
  fact("Ranks", last.ranks);
  fact("Steps", known(last.step) ? last.step.toLocaleString("en") : null);
  fact("Parameters", known(last.parameters) ? last.parameters.toLocaleString("en") : null);
  fact("Tokens seen", known(last.tokens) ? last.tokens.toLocaleString("en") : null);
  for (const [name, value] of Object.entries(run.facts)) fact(name, value);
  fact("Weights, SHA-256", last.weights_sha256, true);
}

function samples() {
  for (const sample of run.samples) {
    const step = known(sample.step) ? element("div", { class: "step" }, "step " + sample.step.toLocaleString("en")) : null;
    const prompt = sample.prompt ? element("span", { class: "prompt" }, sample.prompt) : null;
    document.getElementById("sample-list").append(
      element("article", { class: "sample" }, step, element("p", {}, prompt, sample.text)));
  }
  document.getElementById("samples").hidden = run.samples.length === 0;
}

headline();
lossChart();
chart("Learning rate", "", run.steps.step, [{ name: "rate", color: "teal", values: run.steps.lr }], { fromZero: true });
chart("Throughput", "tokens a second", run.steps.step,
  [{ name: "tokens/s", color: "blue", values: run.steps.tokens_per_second }], { fromZero: true });
timeChart();
ranksChart();
chart("Gradient norm", "before clipping", run.steps.step,
  [{ name: "norm", color: "violet", values: run.steps.grad_norm }], { fromZero: true });
samples();
document.getElementById("configuration").textContent = run.configuration;
document.getElementById("thinning").textContent = run.thinned ? run.thinned + " " : "";
document.documentElement.dataset.ready = String(document.querySelectorAll(".uplot canvas").length);
