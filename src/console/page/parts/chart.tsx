/** A chart of traffic over time, drawn by uPlot on a canvas; its summary in words is what a screen reader reads. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { bitRate } from '../model/format.js';
import { useTheme } from '../theme.js';

export interface TrafficSeries {
  /** Seconds since the epoch. */
  readonly times: readonly number[];
  /** Bits per second to the client, and from it. */
  readonly down: readonly number[];
  readonly up: readonly number[];
}

/** A chart that has just begun is not shorter: seconds. */
const LEAST_SPAN = 60;

/** Space above the highest point, and a scale that does not blow noise up. */
const range = (_: uPlot, _least: number, most: number): [number, number] => [0, Math.max(most * 1.15, 1000)];

/** The colours are the style sheet's; they are registered as colours there, so that they arrive resolved. */
const colourOf = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function options(width: number, height: number, span: number): uPlot.Options {
  const [down, downFill, up, upFill, grid, text] = [
    '--down',
    '--down-fill',
    '--up',
    '--up-fill',
    '--line',
    '--muted',
  ].map(colourOf) as [string, string, string, string, string, string];
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  return {
    width,
    height,
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    legend: { show: false },
    padding: [8, 4, 0, 0],
    scales: {
      x: { time: true, range: (_, first, last) => [Math.max(last - span, Math.min(first, last - LEAST_SPAN)), last] },
      y: { range },
    },
    axes: [
      {
        stroke: text,
        font,
        grid: { show: false },
        ticks: { show: false },
        ...ticksOf(span),
        size: 24,
      },
      {
        stroke: text,
        font,
        grid: { stroke: grid, width: 1 },
        ticks: { show: false },
        size: 86,
        space: 44,
        values: (_, splits) => splits.map(bitRate),
      },
    ],
    series: [
      {},
      { label: 'Down', stroke: down, fill: downFill, width: 2, points: { show: false } },
      { label: 'Up', stroke: up, fill: upFill, width: 2, points: { show: false } },
    ],
  };
}

/** Steps of the time axis in seconds, and how they are written. */
const ticksOf = (span: number): Pick<uPlot.Axis, 'values' | 'incrs' | 'space'> =>
  span > 900
    ? { values: '{HH}:{mm}', incrs: [300, 600, 900, 1800], space: 52 }
    : { values: '{HH}:{mm}:{ss}', incrs: [10, 30, 60, 120], space: 72 };

const dataOf = ({ times, down, up }: TrafficSeries): uPlot.AlignedData => [[...times], [...down], [...up]];

interface ChartOptions {
  readonly series: TrafficSeries;
  /** Seconds that the chart shows at most, up to the newest point. */
  readonly span: number;
  readonly height?: number;
  readonly summary: string;
}

export function TrafficChart({ series, span, height = 220, summary }: ChartOptions) {
  const place = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const { theme } = useTheme();

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const drawn = new uPlot(options(element.clientWidth, height, span), dataOf(series), element);
    drawn.setData(dataOf(series));
    chart.current = drawn;
    const showTip = (plot: uPlot): void => {
      if (tip.current === null) return;
      const { idx, left = 0 } = plot.cursor;
      const time = idx === null || idx === undefined ? undefined : plot.data[0][idx];
      tip.current.hidden = time === undefined || left < 0;
      if (time === undefined || idx === null || idx === undefined) return;
      const clock = new Date(time * 1000).toLocaleTimeString([], { hour12: false });
      tip.current.textContent = `${clock}   ↓ ${bitRate(plot.data[1]?.[idx] ?? 0)}   ↑ ${bitRate(plot.data[2]?.[idx] ?? 0)}`;
    };
    drawn.hooks.setCursor = [showTip];
    const observer = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      drawn.destroy();
      chart.current = null;
    };
    // The colours are read when the chart is made.
  }, [height, theme, span]);

  useEffect(() => chart.current?.setData(dataOf(series)), [series]);

  return (
    <div class="chart" role="img" aria-label={summary}>
      <div ref={tip} class="chart-tip" hidden aria-hidden="true" />
      <div ref={place} aria-hidden="true" />
    </div>
  );
}

export function ChartLegend({
  down,
  up,
  whose = 'clients',
}: {
  down: number;
  up: number;
  whose?: 'clients' | 'client';
}) {
  return (
    <p class="chart-legend">
      <span class="key-down">
        Down, to the {whose} <b>{bitRate(down)}</b>
      </span>
      <span class="key-up">
        Up, from the {whose} <b>{bitRate(up)}</b>
      </span>
    </p>
  );
}
