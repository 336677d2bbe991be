// Draws the same readings with both programs, by turns, and tells the server what each of them took.
import init, { Chart, bytes_in_use } from "./chart_benchmark.js";

const WIDTH = 1200, HEIGHT = 600, MINUTE = 60_000, START = 1_700_000_000_000;
const INKS = ["#187a3c", "#1f6fb5", "#b3541e", "#8d2f8f", "#0f5f66", "#b3261e", "#8a7a12", "#3b2f8f"];

// Soil that dries and is watered, with a sensor's noise: the same for both.
function* readings(nSeries, nPoints) {
    let state = 1;
    const random = () => (state = (state * 1_664_525 + 1_013_904_223) >>> 0) / 2 ** 32;
    const level = Array.from({ length: nSeries }, () => 15 + 30 * random());
    const values = new Float32Array(nSeries);
    for (let number = 0; number < nPoints; number++) {
        for (let series = 0; series < nSeries; series++) {
            level[series] = random() < 8 / nPoints ? 45 : level[series] * (1 - 6 / nPoints);
            values[series] = level[series] + random();
        }
        yield [START + number * MINUTE, values];
    }
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
const collect = () => { for (let turn = 0; turn < 3; turn++) globalThis.gc(); };
// What is only recorded is not drawn yet: a pixel that is read has to be there.
const finish = (canvas) => canvas.getContext("2d").getImageData(canvas.width - 1, canvas.height - 1, 1, 1);

function timed(work) {
    const start = performance.now();
    work();
    return performance.now() - start;
}

class Rootzone {
    constructor(nSeries, nPoints) {
        this.canvas = document.createElement("canvas");
        document.getElementById("rootzone").replaceChildren(this.canvas);
        const before = bytes_in_use();
        this.chart = Chart.on(this.canvas, nSeries, nPoints + APPENDED);
        for (const [time, values] of readings(nSeries, nPoints)) this.chart.append(time, values);
        this.bytes = bytes_in_use() - before;
    }
    append(time, values) { this.chart.append(time, values); }
    draw(start, end) { this.chart.draw(start, end); finish(this.canvas); }
    point(x) { this.words = this.chart.point(x); }
    close() { this.chart.free(); }
}

class UPlot {
    constructor(nSeries, nPoints) {
        collect();
        const before = performance.memory.usedJSHeapSize;
        this.data = Array.from({ length: nSeries + 1 }, () => []);
        for (const [time, values] of readings(nSeries, nPoints)) this.push(time, values);
        collect();
        this.bytes = performance.memory.usedJSHeapSize - before;
        const line = (number) => ({ label: `${number}`, stroke: INKS[number % 8], width: 1.75, points: { show: false } });
        this.plot = new uPlot({
            width: WIDTH, height: HEIGHT,
            // As ours: lines across, none upright.
            axes: [{ grid: { show: false } }, {}],
            series: [{}, ...Array.from({ length: nSeries }, (_, number) => line(number))],
        }, this.data, document.getElementById("uplot"));
    }
    push(time, values) {
        this.data[0].push(time / 1000);
        for (let series = 0; series < values.length; series++) this.data[series + 1].push(values[series]);
    }
    append(time, values) { this.push(time, values); this.plot.setData(this.data, false); }
    draw(start, end) {
        this.plot.batch(() => this.plot.setScale("x", { min: start / 1000, max: end / 1000 }));
        finish(this.plot.ctx.canvas);
    }
    point(x) { this.plot.setCursor({ left: x, top: 100 }); }
    close() { this.plot.destroy(); }
}

const APPENDED = 200;
const PROGRAMS = [["rootzone", Rootzone], ["uplot", UPlot]];

function measure(scenario, nSeries, nPoints, nRedraws) {
    const running = PROGRAMS.map(([name, Program]) => ({ name, program: new Program(nSeries, nPoints) }));
    const end = START + (nPoints - 1) * MINUTE, step = (end - START) / 1000;
    const times = running.map(() => ({ redraw: [], pointer: [], append: [] }));
    // Both by turns, so that whatever else the machine does meets them alike; the first turns are not counted.
    for (let turn = -2; turn < nRedraws; turn++) {
        const window = [START + (turn + 3) * step / 4, end - (turn + 3) * step / 5];
        running.forEach(({ program }, at) => {
            const took = timed(() => program.draw(...window));
            if (turn >= 0) times[at].redraw.push(took);
        });
    }
    for (let turn = 0; turn < 60; turn++) {
        running.forEach(({ program }, at) => times[at].pointer.push(timed(() => program.point(100 + turn * 15.3))));
    }
    const values = new Float32Array(nSeries).fill(20);
    for (let turn = 0; turn < APPENDED / 10; turn++) {
        running.forEach(({ program }, at) => {
            const took = timed(() => {
                for (let number = 0; number < 10; number++) program.append(end + (turn * 10 + number + 1) * MINUTE, values);
            });
            times[at].append.push(took * 1000 / (10 * nSeries));
        });
    }
    const figures = running.flatMap(({ name, program }, at) => [
        ["redraw_ms", median(times[at].redraw), "ms"],
        ["append_us", median(times[at].append), "us"],
        ["pointer_ms", median(times[at].pointer), "ms"],
        ["bytes_per_point", program.bytes / (nSeries * nPoints), "bytes"],
    ].map(([metric, value, unit]) => ({ scenario, program: name, metric, value, unit })));
    running.forEach(({ program }) => program.close());
    return figures;
}

// From five years of hourly readings with gaps to an hour, and back, a frame for each step.
function zoom() {
    const [nSeries, nPoints, hour] = [24, 41_000, 60 * MINUTE];
    const canvas = document.createElement("canvas");
    document.getElementById("rootzone").replaceChildren(canvas);
    const chart = Chart.on(canvas, nSeries, nPoints);
    let number = 0;
    for (const [, values] of readings(nSeries, nPoints)) {
        // Each series misses a day now and then, at other times than the others.
        const gappy = values.map((value, series) => (number + 300 * series) % 5_000 < 24 ? NaN : value);
        chart.append(START + number++ * hour, gappy);
    }
    const end = START + (nPoints - 1) * hour, frames = [];
    for (let step = -100; step <= 100; step++) {
        const duration = hour * nPoints ** (Math.abs(step) / 100);
        const middle = START + 0.7 * (end - START);
        const start = Math.max(START, middle - duration * 0.7);
        frames.push(timed(() => { chart.draw(start, Math.min(end, start + duration)); finish(canvas); }));
    }
    chart.free();
    const row = (metric, value) => ({ scenario: "zoom-24x41k", program: "rootzone", metric, value, unit: "ms" });
    return [row("frame_ms", median(frames)), row("frame_p99_ms", frames[Math.floor(0.99 * frames.length)])];
}

// A hundred small charts of which each takes ten readings a second; those in view are drawn, once a frame at most.
async function grid() {
    const [nCharts, nPoints, perSecond, seconds, second] = [100, 2_000, 10, 5, 1000];
    const page = document.getElementById("rootzone");
    page.replaceChildren();
    page.className = "grid";
    const charts = Array.from({ length: nCharts }, () => {
        const canvas = page.appendChild(document.createElement("canvas"));
        const chart = Chart.on(canvas, 1, nPoints + 4 * seconds * perSecond);
        for (const [time, values] of readings(1, nPoints)) chart.append(time / 600, values);
        return { canvas, chart, inSight: false };
    });
    const sight = new IntersectionObserver((entries) => entries.forEach((entry) => {
        charts.find(({ canvas }) => canvas === entry.target).inSight = entry.isIntersecting;
    }));
    charts.forEach(({ canvas }) => sight.observe(canvas));
    const last = (START + nPoints * MINUTE) / 600, values = new Float32Array(1);
    let taken = 0;
    const run = async (scrolls) => {
        const frames = [];
        let busy = 0, start = await new Promise(requestAnimationFrame), before = start, first = taken;
        while (before - start < seconds * second) {
            const now = await new Promise(requestAnimationFrame);
            frames.push(now - before);
            before = now;
            busy += timed(() => {
                const due = first + Math.floor((now - start) * perSecond * nCharts / second), touched = new Set();
                for (; taken < due; taken++) {
                    values[0] = 20 + (taken * 7 % 31) / 10;
                    const at = charts[taken % nCharts];
                    at.chart.append(last + Math.floor(taken / nCharts) * second / perSecond, values);
                    touched.add(at);
                }
                const end = last + taken / nCharts * second / perSecond;
                for (const { chart, inSight } of touched) if (inSight) chart.draw(end - 200 * second, end);
                if (scrolls) window.scrollBy(0, 6);
            });
        }
        frames.sort((a, b) => a - b);
        return [100 * busy / (before - start), frames[Math.floor(0.95 * frames.length)]];
    };
    const [script] = await run(false), [, frame] = await run(true);
    sight.disconnect();
    charts.forEach(({ chart }) => chart.free());
    page.className = "";
    const row = (metric, value, unit) => ({ scenario: "grid-100", program: "rootzone", metric, value, unit });
    return [row("script_percent", script, "%"), row("scroll_frame_p95_ms", frame, "ms")];
}

const tell = (path, what) => fetch(path, { method: "POST", body: JSON.stringify(what) });

try {
    await init();
    for (const { name, series, points, redraws } of await (await fetch("scenarios.json")).json()) {
        await tell("figures", measure(name, series, points, redraws));
    }
    await tell("figures", zoom());
    await tell("figures", await grid());
    await tell("end", "");
} catch (error) {
    await tell("failure", `${error.stack ?? error}`);
}
