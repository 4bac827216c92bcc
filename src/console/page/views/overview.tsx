/** Summary of the whole server. */
import { useMemo } from 'preact/hooks';
import { useApplication, useLive, useLoaded, useNow } from '../app.js';
import type { Failures, Findings, Status, TrafficPoint } from '../../api/schemas.js';
import { duration } from '../../../admin/units.js';
import { bitRate, count, counted, inWords, moment } from '../model/format.js';
import type { LiveState } from '../model/live-state.js';
import { ordered } from '../model/session-rows.js';
import { Meter, Name } from '../parts/cells.js';
import { ChartLegend, TrafficChart } from '../parts/chart.js';
import { Icon } from '../parts/icons.js';
import { Empty, Loading, Problem, sentence, Shown } from '../parts/notice.js';

export function Overview() {
  const live = useLive();
  return (
    <>
      <header class="head">
        <h1>Overview</h1>
        <Running status={live.status} />
      </header>
      <Tiles live={live} />
      <section class="card" aria-labelledby="traffic">
        <div class="card-head">
          <h2 id="traffic">Traffic, last hour</h2>
          <ChartLegend down={sum(live, 'txRate')} up={sum(live, 'rxRate')} />
        </div>
        <Traffic points={live.traffic} />
      </section>
      <div class="columns">
        <Busiest live={live} />
        <FailedLogins />
        <Happenings live={live} />
        <Doctor />
      </div>
    </>
  );
}

const sum = (live: LiveState, key: 'rxRate' | 'txRate'): number =>
  Array.from(live.rows.values()).reduce((total, row) => total + (row[key] ?? 0), 0);

function Running({ status }: { status: Status | null }) {
  const now = useNow(30);
  if (status === null) return null;
  if (!status.manager.answers) return <span class="pill bad">Manager does not answer</span>;
  return (
    <p class="muted running">
      <span class="pill ok">Running</span>
      {status.server === null
        ? ''
        : `for ${duration((now - status.server.since) / 1000)}, on ${status.server.listening}`}
    </p>
  );
}

function Tiles({ live }: { live: LiveState }) {
  const { status, rows } = live;
  const up = Array.from(rows.values()).filter(({ phase }) => phase === 'up').length;
  const others = rows.size - up;
  const warned = Array.from(rows.values()).filter(({ warning }) => warning !== null).length;
  const addresses = status?.addresses ?? null;
  const server = status?.server ?? null;
  const refused = Object.values(server?.turnedAway ?? {}).reduce((total, each) => total + each, 0);
  return (
    <ul class="tiles">
      <li>
        <a href="/sessions">
          <span class="tile-name">Sessions</span>
          <span class="tile-value">
            {count(up)}
            {addresses === null ? null : <small> of {count(addresses.total)}</small>}
          </span>
          <span class="tile-note">
            {others === 0 ? 'all are up' : `${count(others)} not up`}
            {warned === 0 ? '' : `, ${counted(warned, 'warning')}`}
          </span>
        </a>
      </li>
      <li>
        <div>
          <span class="tile-name">Free addresses</span>
          <span class="tile-value">{addresses === null ? '–' : count(addresses.total - addresses.used)}</span>
          <span class="tile-note">
            {addresses === null ? 'not known' : <Meter share={addresses.used / addresses.total} />}
            {addresses === null ? null : <span>{count(addresses.used)} used</span>}
          </span>
        </div>
      </li>
      <li>
        <div>
          <span class="tile-name">Traffic now</span>
          <span class="tile-value rate">
            <Icon name="down" />
            {bitRate(sum(live, 'txRate'))}
          </span>
          <span class="tile-note rate">
            <Icon name="up" />
            {bitRate(sum(live, 'rxRate'))}
          </span>
        </div>
      </li>
      <li>
        <a href="/server">
          <span class="tile-name">Kept out</span>
          <span class="tile-value">
            {server === null ? '–' : count(server.blocked)}
            {server === null ? null : <small> blocked</small>}
          </span>
          <span class="tile-note">{count(refused)} refused since the start</span>
        </a>
      </li>
    </ul>
  );
}

function Traffic({ points }: { points: readonly TrafficPoint[] }) {
  const series = useMemo(
    () => ({
      times: points.map(({ time }) => time / 1000),
      down: points.map(({ tx }) => tx),
      up: points.map(({ rx }) => rx),
    }),
    [points],
  );
  if (points.length < 2) {
    return (
      <Empty icon="overview" title="The chart starts now">
        It gets a point every ten seconds.
      </Empty>
    );
  }
  const most = (values: readonly number[]): string => bitRate(Math.max(...values));
  return (
    <TrafficChart
      series={series}
      span={3600}
      summary={`Traffic of the last hour: at most ${most(series.down)} to the clients and ${most(series.up)} from them.`}
    />
  );
}

function Busiest({ live }: { live: LiveState }) {
  const rows = ordered(Array.from(live.rows.values()), { column: 'down', descending: true })
    .toSorted((a, b) => (b.rxRate ?? 0) + (b.txRate ?? 0) - (a.rxRate ?? 0) - (a.txRate ?? 0))
    .slice(0, 6);
  return (
    <section class="card" aria-labelledby="busiest">
      <div class="card-head">
        <h2 id="busiest">Busiest sessions</h2>
        <a href="/sessions">All sessions</a>
      </div>
      {rows.length === 0 ? (
        <Empty icon="sessions" title="Nobody is connected">
          Sessions appear here as soon as clients log in.
        </Empty>
      ) : (
        <ul class="list">
          {rows.map((row) => (
            <li key={row.id}>
              <a href={`/sessions/${row.id}`} class="grow cut">
                <Name of={row.user} />
              </a>
              <span class="number key-down">{bitRate(row.txRate)}</span>
              <span class="number key-up">{bitRate(row.rxRate)}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function FailedLogins() {
  const { api, live } = useApplication();
  // A failure is a happening: then the list is asked for again.
  const failed = live.happenings.filter(({ event }) => event === 'failed').length;
  const [loaded, again] = useLoaded(
    async (signal) => api.get<Failures>('/failures', { since: '24h', limit: 1 }, signal),
    [api, failed],
  );
  return (
    <section class="card" aria-labelledby="failed">
      <div class="card-head">
        <h2 id="failed">Failures, last 24 hours</h2>
        <a href="/failures">Explain them</a>
      </div>
      <Shown of={loaded} again={again}>
        {({ byCause }) => <ByCause byCause={byCause} />}
      </Shown>
    </section>
  );
}

function ByCause({ byCause }: Failures | { byCause: Failures['byCause'] }) {
  const causes = Object.entries(byCause).toSorted(([, a], [, b]) => b - a);
  const most = Math.max(...causes.map(([, number]) => number));
  if (causes.length === 0) return <Empty icon="ok" title="No login failed" />;
  return (
    <ul class="bars">
      {causes.slice(0, 6).map(([cause, number]) => (
        <li key={cause}>
          <a href={`/failures?cause=${encodeURIComponent(cause)}`}>{inWords(cause)}</a>
          <span class="number">{count(number)}</span>
          <span class="bar" aria-hidden="true">
            <span style={{ width: `${(number * 100) / most}%` }} />
          </span>
        </li>
      ))}
    </ul>
  );
}

const EVENT_KINDS: Readonly<Record<string, string>> = { up: 'ok', failed: 'bad', warning: 'warn' };

function Happenings({ live }: { live: LiveState }) {
  const now = useNow(60);
  return (
    <section class="card" aria-labelledby="happenings">
      <div class="card-head">
        <h2 id="happenings">Since you opened this page</h2>
      </div>
      {live.happenings.length === 0 ? (
        <Empty icon="history" title="Nothing has happened yet">
          Logins, failures and ends appear here as they happen.
        </Empty>
      ) : (
        <ul class="list">
          {live.happenings.slice(0, 7).map((each) => (
            <li key={`${each.time}${each.session}${each.event}`}>
              <span class={`dot ${EVENT_KINDS[each.event] ?? ''}`} aria-hidden="true" />
              <span class="grow cut">
                <b>
                  <bdi>{each.user ?? each.client}</bdi>
                </b>{' '}
                {each.event}
                {each.cause === null || each.cause === undefined ? '' : `: ${inWords(each.cause)}`}
              </span>
              <time class="muted number">{moment(each.time, now)}</time>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Doctor() {
  const { api } = useApplication();
  const [loaded, again] = useLoaded(async (signal) => api.get<Findings>('/doctor', {}, signal), [api]);
  return (
    <section class="card" aria-labelledby="doctor">
      <div class="card-head">
        <h2 id="doctor">Doctor</h2>
        <a href="/server">All checks</a>
      </div>
      {loaded.state === 'loading' ? <Loading /> : null}
      {loaded.state === 'failed' ? <Problem error={loaded.error} again={again} /> : null}
      {loaded.state === 'loaded' ? <Complaints of={loaded.value.findings} /> : null}
    </section>
  );
}

function Complaints({ of }: { of: Findings['findings'] }) {
  const bad = of.filter(({ level }) => level !== 'ok');
  if (bad.length === 0) return <Empty icon="ok" title={`${counted(of.length, 'check')}, no problems`} />;
  return (
    <ul class="list findings">
      {bad.slice(0, 4).map(({ check, level, text }) => (
        <li key={`${check}${text}`}>
          <span class={`dot ${level === 'fail' ? 'bad' : 'warn'}`} aria-hidden="true" />
          <span class="grow clamp">{sentence(`${check}: ${text}`)}</span>
        </li>
      ))}
      {bad.length > 4 ? <li class="muted">and {count(bad.length - 4)} more</li> : null}
    </ul>
  );
}
