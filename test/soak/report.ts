/** What a soak has shown: findings, each good or bad, as a table; and the samples as curves. */
import { type Curve, curvesChart } from '../chart/curves.js';
import type { SoakResult } from './run.js';
import type { Sample } from './sampler.js';

export interface Finding {
  readonly what: string;
  readonly value: string;
  readonly good: boolean;
  /** All that is wrong, a line each. */
  readonly details: readonly string[];
}

/** Memory that a run is watched for at least before its slope is judged, seconds. */
const MIN_WATCHED = 1800;
/** A manager and its workers fill their caches first. */
const SETTLING = 120;
/** V8 collects when it likes to: the least of so many seconds is next to what is in use. */
const TROUGH = 600;
/** MiB an hour, of the troughs: what V8's own growth makes of an hour's watch. A leak of 4 KiB a login would be forty. */
const MAX_SLOPE = { manager: 24, worker: 6 } as const;
const SECONDS_PER_HOUR = 3600;

type Point = readonly [seconds: number, value: number];

/** Least-squares slope, an hour; null for fewer than two points. */
export function slope(points: readonly Point[]): number | null {
  const mean = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length;
  const [x, y] = [mean(points.map(([at]) => at)), mean(points.map(([, value]) => value))];
  const spread = points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
  if (spread === 0 || points.length < 2) return null;
  return (points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0) / spread) * SECONDS_PER_HOUR;
}

/** The least value of each stretch of TROUGH seconds, where it was. */
export function troughs(points: readonly Point[]): Point[] {
  const least = new Map<number, Point>();
  for (const point of points) {
    const stretch = Math.floor((point[0] - (points[0]?.[0] ?? 0)) / TROUGH);
    const known = least.get(stretch);
    if (known === undefined || point[1] < known[1]) least.set(stretch, point);
  }
  return [...least.values()];
}

const perWorker = ({ workersMemory, workers }: Sample): number => (workers === 0 ? 0 : workersMemory / workers);

export function findings(result: SoakResult): Finding[] {
  const { options, before, after, audit, faults, logins, stderr } = result;
  return [
    figure('logins', `${logins} of ${options.logins}, ${result.visits} visits`, logins >= options.logins, []),
    figure('echoes through tunnels', String(result.echoes), result.echoes >= logins, []),
    figure('visits that went wrong', String(faults.length), faults.length === 0, faults),
    figure(
      'accounting',
      `${audit.ended} records of ${audit.sessions} sessions, ${audit.problems.length} wrong`,
      audit.problems.length === 0,
      audit.problems,
    ),
    nothing('sessions left', after.sessions),
    nothing('files left in the run directory', after.files),
    nothing('addresses still lent', after.lent ?? Number.NaN),
    nothing('pppds left', after.pppds),
    nothing('zombies', after.zombies),
    noMore("manager's descriptors", before.managerDescriptors ?? 0, after.managerDescriptors ?? Number.NaN),
    noMore(
      'descriptors of an idle worker',
      before.workersDescriptors / before.workers,
      after.workersDescriptors / after.workers,
    ),
    ...growth(result),
    figure('said on standard error', stderr === '' ? 'nothing' : stderr.slice(0, 200), stderr === '', []),
  ];
}

const figure = (what: string, value: string, good: boolean, details: readonly string[]): Finding => ({
  what,
  value,
  good,
  details,
});
const nothing = (what: string, count: number): Finding => figure(what, String(count), count === 0, []);
const noMore = (what: string, before: number, after: number): Finding =>
  figure(what, `${before} before, ${after} after`, after <= before + 1, []);

/** Memory since the last manager came and has settled. */
function growth({ incidents, samples }: SoakResult): Finding[] {
  const last = incidents.findLast(({ name }) => name.startsWith('manager'))?.at ?? 0;
  const watched = samples.filter(({ seconds }) => seconds > last + SETTLING);
  const duration = (watched.at(-1)?.seconds ?? 0) - (watched[0]?.seconds ?? 0);
  if (duration < MIN_WATCHED) return [];
  const minutes = Math.round(duration / 60);
  const of = (what: string, points: readonly Point[], most: number): Finding => {
    const grows = slope(points);
    return figure(
      what,
      `${grows?.toFixed(2)} MiB/h over the last ${minutes} minutes`,
      grows !== null && grows <= most,
      [],
    );
  };
  const ofManager = watched.map((each): Point => [each.seconds, each.managerMemory ?? 0]);
  // Of many workers the collections even out.
  const ofWorkers = watched.map((each): Point => [each.seconds, perWorker(each)]);
  return [
    of("manager's memory grows by", troughs(ofManager), MAX_SLOPE.manager),
    of("a worker's memory grows by", ofWorkers, MAX_SLOPE.worker),
  ];
}

export function table(found: readonly Finding[]): string {
  const width = Math.max(...found.map(({ what }) => what.length));
  return found
    .flatMap(({ what, value, good, details }) => [
      `${good ? 'ok    ' : 'WRONG '} ${what.padEnd(width)}  ${value}`,
      ...details.map((line) => `         ${line}`),
    ])
    .join('\n');
}

export function soakChart({ options, samples, incidents, logins, seconds }: SoakResult): string {
  const curve = (name: string, colour: Curve['colour'], value: (sample: Sample) => number | null): Curve => ({
    name,
    colour,
    points: samples.map((each) => [each.seconds, value(each)]),
  });
  return curvesChart({
    title: `A soak of ${Math.round(seconds / 60)} minutes: ${logins} logins at ${options.loss / 10} % loss each way`,
    subtitle: 'orange: the manager is killed or replaced, and finds every session again',
    marks: incidents.filter(({ name }) => name.startsWith('manager')).map(({ at }) => at),
    panels: [
      {
        title: 'Sessions',
        curves: [
          curve('in the run directory', 'green', (each) => each.sessions),
          curve('addresses lent', 'blue', (each) => each.lent),
        ],
      },
      {
        title: 'Memory, MiB',
        curves: [
          curve('manager', 'green', (each) => each.managerMemory),
          curve('a worker, on average', 'blue', perWorker),
        ],
      },
      {
        title: 'Open',
        curves: [
          curve("manager's descriptors", 'green', (each) => each.managerDescriptors),
          curve('files in the run directory', 'blue', (each) => each.files),
          curve('zombies', 'grey', (each) => each.zombies),
        ],
      },
      { title: 'Logins', curves: [curve('so far', 'green', (each) => each.logins)] },
    ],
  });
}
