/** Curves over time, in panels one below the other that share their axis. */
import { COLOURS, escape, svgDocument } from './document.js';

export interface Curve {
  readonly name: string;
  readonly colour: keyof typeof COLOURS;
  /** Seconds, and the value; null interrupts the curve. */
  readonly points: readonly (readonly [seconds: number, value: number | null])[];
}

export interface Panel {
  readonly title: string;
  readonly curves: readonly Curve[];
}

export interface Curves {
  readonly title: string;
  readonly subtitle: string;
  readonly panels: readonly Panel[];
  /** Moments that every panel shows, seconds. */
  readonly marks: readonly number[];
}

const WIDTH = 760;
const LEFT = 64;
const RIGHT = 20;
const TOP = 60;
const PANEL = 150;
const PLOT = 104;
const MARK_COLOUR = COLOURS.orange;
/** Ticks of an axis, at most. */
const TICKS = 5;

export function curvesChart({ title, subtitle, panels, marks }: Curves): string {
  const last = Math.max(1, ...panels.flatMap(({ curves }) => curves.flatMap(({ points }) => points.map(([at]) => at))));
  const x = (seconds: number): number => LEFT + (seconds / last) * (WIDTH - LEFT - RIGHT);
  const body = panels.map((panel, index) => panelOf(panel, TOP + index * PANEL, x, last, marks)).join('\n');
  return svgDocument({ width: WIDTH, height: TOP + panels.length * PANEL + 8, title, subtitle, body });
}

function panelOf(
  { title, curves }: Panel,
  top: number,
  x: (seconds: number) => number,
  last: number,
  marks: readonly number[],
): string {
  const bottom = top + 20 + PLOT;
  const values = curves.flatMap(({ points }) => points.flatMap(([, value]) => value ?? []));
  const step = stepOf(Math.max(1, ...values));
  const highest = step * Math.ceil(Math.max(1, ...values) / step);
  const y = (value: number): number => bottom - (value / highest) * PLOT;
  const minutes = stepOf(last / 60);
  const rows = upTo(highest, step).map((value) => {
    const at = y(value).toFixed(1);
    return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" stroke="${COLOURS.line}"/><text x="${LEFT - 8}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end" fill="${COLOURS.pale}">${value}</text>`;
  });
  const columns = upTo(last / 60, minutes).map(
    (minute) =>
      `<text x="${x(minute * 60).toFixed(1)}" y="${bottom + 16}" text-anchor="middle" fill="${COLOURS.pale}">${minute === 0 ? '0' : `${minute} min`}</text>`,
  );
  const ticks = marks.map(
    (at) =>
      `<line x1="${x(at).toFixed(1)}" x2="${x(at).toFixed(1)}" y1="${bottom - PLOT}" y2="${bottom}" stroke="${MARK_COLOUR}" stroke-opacity="0.35"/>`,
  );
  let keyAt = LEFT + 8 * title.length + 24;
  const keys = curves.map(({ name, colour }) => {
    const at = keyAt;
    keyAt += 7 * name.length + 36;
    return `<line x1="${at}" x2="${at + 16}" y1="${top + 8}" y2="${top + 8}" stroke="${COLOURS[colour]}" stroke-width="2"/><text x="${at + 21}" y="${top + 12}" fill="${COLOURS.pale}">${escape(name)}</text>`;
  });
  const lines = curves.map(
    (curve) => `<path d="${pathOf(curve, x, y)}" fill="none" stroke="${COLOURS[curve.colour]}" stroke-width="1.5"/>`,
  );
  const head = `<text x="${LEFT}" y="${top + 12}" font-weight="600">${escape(title)}</text>`;
  return [head, ...keys, ...rows, ...columns, ...ticks, ...lines].join('\n');
}

function pathOf({ points }: Curve, x: (seconds: number) => number, y: (value: number) => number): string {
  let drawing = false;
  return points
    .flatMap(([seconds, value]) => {
      if (value === null) {
        drawing = false;
        return [];
      }
      const command = drawing ? 'L' : 'M';
      drawing = true;
      return `${command}${x(seconds).toFixed(1)} ${y(value).toFixed(1)}`;
    })
    .join(' ');
}

/** 1, 2 or 5 times a power of ten, so that there are TICKS at most. */
function stepOf(range: number): number {
  const power = 10 ** Math.floor(Math.log10(range / TICKS));
  return ([1, 2, 5, 10].find((factor) => range / (factor * power) <= TICKS) ?? 10) * power;
}

const upTo = (highest: number, step: number): number[] =>
  Array.from({ length: Math.floor(highest / step + 1e-9) + 1 }, (_, index) => Number((index * step).toPrecision(6)));
