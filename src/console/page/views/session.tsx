/** One session: its user, its negotiation, its traffic, its log. */
import { useMemo, useState } from 'preact/hooks';
import { ApiError } from '../api.js';
import { useApplication, useLive, useLoaded, useNow } from '../app.js';
import type { SessionDetail, SessionRow } from '../../api/schemas.js';
import { duration, octets } from '../../../admin/units.js';
import { bitRate, count, inWords, moment } from '../model/format.js';
import { RATE_SAMPLES, RATE_SECONDS } from '../model/live-state.js';
import { Facts, Name, orNone, pathOf, Phase } from '../parts/cells.js';
import { ChartLegend, TrafficChart } from '../parts/chart.js';
import { Icon } from '../parts/icons.js';
import { Empty, Loading, Notice, Problem, sentence } from '../parts/notice.js';
import { CaptureDialog, DebugDialog, KickDialog } from '../parts/session-dialogs.js';

/** Seconds after which counters and log are asked for again. */
const REFRESH = 5;

export function Session({ id }: { id: string }) {
  const { api } = useApplication();
  const live = useLive();
  const row = live.rows.get(id);
  const tick = Math.floor(useNow(REFRESH) / (REFRESH * 1000));
  const [loaded, again] = useLoaded(
    async (signal) => api.get<SessionDetail>(`/sessions/${id}`, {}, signal),
    [api, id, row?.phase, tick],
  );
  // The last detail stays on the page when the session has ended.
  const [last, setLast] = useState<SessionDetail | null>(null);
  if (loaded.state === 'loaded' && loaded.value !== last) setLast(loaded.value);
  const shown = row ?? last?.row;
  const isOver = loaded.state === 'failed' && loaded.error instanceof ApiError && loaded.error.status === 404;

  return (
    <>
      <p class="trail">
        <a href="/sessions">
          <Icon name="back" /> Sessions
        </a>
      </p>
      {shown === undefined ? null : <Head row={shown} isOver={isOver} />}
      {isOver && shown !== undefined ? (
        <Notice kind="info">
          <p>
            This session is over. <a href={`/history?search=${encodeURIComponent(id)}`}>Look for it in the history</a>
          </p>
        </Notice>
      ) : null}
      {isOver && shown === undefined ? (
        <>
          <h1>No such session</h1>
          <Empty icon="sessions" title={`There is no live session ${id}`}>
            It may have ended: <a href={`/history?search=${encodeURIComponent(id)}`}>look for it in the history</a>.
          </Empty>
        </>
      ) : null}
      {loaded.state === 'failed' && !isOver ? <Problem error={loaded.error} again={again} /> : null}
      {last === null ? loaded.state === 'loading' ? <Loading /> : null : <Body detail={last} row={shown ?? last.row} />}
    </>
  );
}

function Head({ row, isOver }: { row: SessionRow; isOver: boolean }) {
  const { me } = useApplication();
  const [open, setOpen] = useState<'kick' | 'debug' | 'capture' | null>(null);
  const close = (): void => setOpen(null);
  return (
    <header class="head">
      <h1 class="cut">
        <Name of={row.user} />
      </h1>
      {isOver ? <span class="pill">Over</span> : <Phase phase={row.phase} />}
      {me.role === 'admin' && !isOver ? (
        <div class="tools">
          <button type="button" class="button" onClick={() => setOpen('capture')}>
            <Icon name="capture" /> Capture…
          </button>
          <button type="button" class="button" onClick={() => setOpen('debug')}>
            Log more…
          </button>
          <button type="button" class="button danger" onClick={() => setOpen('kick')}>
            <Icon name="kick" /> Disconnect…
          </button>
        </div>
      ) : null}
      {open === 'kick' ? <KickDialog row={row} onClose={close} /> : null}
      {open === 'debug' ? <DebugDialog row={row} onClose={close} /> : null}
      {open === 'capture' ? <CaptureDialog row={row} onClose={close} /> : null}
    </header>
  );
}

function Body({ detail, row }: { detail: SessionDetail; row: SessionRow }) {
  const now = useNow();
  const { state, sections, counters, log } = detail;
  return (
    <>
      {row.loginFailure === null ? null : (
        <Notice kind="bad">
          <p>{sentence(row.loginFailure)}</p>
        </Notice>
      )}
      {row.warning === null ? null : (
        <Notice kind="warn">
          <p>{sentence(row.warning)}</p>
        </Notice>
      )}
      <section class="card" aria-label="Who">
        <Facts
          of={[
            ['Client', `${state.peer.address}, port ${state.peer.port}`],
            ['Address in the tunnel', orNone(row.address, 'none yet')],
            ['Connected', `for ${duration((now - row.since) / 1000)}, since ${moment(row.since, now)}`],
            ['Encryption', orNone(row.encryption)],
            ['Interface', orNone(row.interface)],
            ['Path of the packets', orNone(pathOf(row.link))],
            ['Down, to the client', octets(row.txBytes)],
            ['Up, from the client', octets(row.rxBytes)],
          ]}
        />
      </section>
      <section class="card" aria-labelledby="live">
        <div class="card-head">
          <h2 id="live">Traffic, live</h2>
          <ChartLegend down={row.txRate ?? 0} up={row.rxRate ?? 0} whose="client" />
        </div>
        <LiveChart id={row.id} now={now} />
      </section>
      <div class="columns">
        {/* The first one is who the session is of, which is above: its details come last. */}
        {[...sections.slice(1), ...sections.slice(0, 1)].map(({ title, rows }) => (
          <section key={title} class="card" aria-label={title}>
            <div class="card-head">
              <h2>{title.charAt(0).toUpperCase() + title.slice(1)}</h2>
            </div>
            <dl class="rows">
              {rows.map(({ name, value }) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>{value}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      {counters.length === 0 ? null : (
        <details class="card">
          <summary>All {counters.length} counters</summary>
          <dl class="rows numbers">
            {counters.map(({ name, words, value }) => (
              <div key={name}>
                <dt>{words ?? inWords(name)}</dt>
                <dd>{count(value)}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
      <section class="card" aria-labelledby="log">
        <div class="card-head">
          <h2 id="log">Log</h2>
          {state.log === null ? null : <span class="muted">level {state.log.level}</span>}
        </div>
        {log.length === 0 ? (
          <Empty icon="history" title="This session has no log of its own">
            With <code>log.directory</code> in the configuration each session gets a file, and its last lines are here.
          </Empty>
        ) : (
          // A region that scrolls must be reachable by keyboard.
          <pre tabIndex={0} role="region" aria-label="Last lines of the log">
            {log.map(({ time, level, text }) => `${time}  ${level.padEnd(5)}  ${text}`).join('\n')}
          </pre>
        )}
      </section>
    </>
  );
}

function LiveChart({ id, now }: { id: string; now: number }) {
  const { live } = useApplication();
  const rates = live.ratesOf(id);
  const newest = rates.at(-1);
  const series = useMemo(
    () => ({
      times: rates.map((_, index) => now / 1000 - (rates.length - 1 - index) * RATE_SECONDS),
      down: rates.map(([, tx]) => tx),
      up: rates.map(([rx]) => rx),
    }),
    [rates.length, newest],
  );
  if (rates.length < 2) {
    return (
      <Empty icon="overview" title="The chart starts now">
        It gets a point every {RATE_SECONDS} seconds.
      </Empty>
    );
  }
  return (
    <TrafficChart
      series={series}
      span={RATE_SAMPLES * RATE_SECONDS}
      height={180}
      summary={`Traffic of the last minutes, now ${bitRate(newest?.[1] ?? 0)} to the client and ${bitRate(newest?.[0] ?? 0)} from it.`}
    />
  );
}
