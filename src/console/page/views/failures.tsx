/** Why logins and sessions failed, in sentences, and what to do. */
import { useEffect, useState } from 'preact/hooks';
import { useApplication, useLive, useLoaded, useNow } from '../app.js';
import type { Failure, Failures as Answer } from '../../api/schemas.js';
import { count, inWords, moment } from '../model/format.js';
import { Name } from '../parts/cells.js';
import { Empty, Remedy, sentence, Shown } from '../parts/notice.js';

const SPANS = [
  ['1h', 'Last hour'],
  ['24h', 'Last 24 hours'],
  ['7d', 'Last 7 days'],
] as const;

const LIMIT = 200;

export function Failures() {
  const { api } = useApplication();
  const live = useLive();
  const [since, setSince] = useState('24h');
  const [cause, setCause] = useState(new URLSearchParams(location.search).get('cause') ?? '');
  const failed = live.happenings.filter(({ event }) => event === 'failed').length;
  // Of all causes, so that the choice stays whole.
  const [loaded, again] = useLoaded(
    async (signal) => api.get<Answer>('/failures', { since, cause, limit: LIMIT }, signal),
    [api, since, cause, failed],
  );
  const [causes, setCauses] = useState<Answer['byCause']>({});
  useEffect(() => {
    if (loaded.state === 'loaded') setCauses((last) => ({ ...(cause === '' ? {} : last), ...loaded.value.byCause }));
  }, [loaded]);
  return (
    <>
      <header class="head">
        <h1>Failures</h1>
        <div class="tools">
          <label>
            <span class="hidden">Cause</span>
            <select value={cause} onChange={({ currentTarget }) => setCause(currentTarget.value)}>
              <option value="">All causes</option>
              {Array.from(new Set([...Object.keys(causes), ...(cause === '' ? [] : [cause])])).map((each) => (
                <option key={each} value={each}>
                  {inWords(each)}
                  {causes[each] === undefined ? '' : ` (${count(causes[each])})`}
                </option>
              ))}
            </select>
          </label>
          <label>
            <span class="hidden">Time</span>
            <select value={since} onChange={({ currentTarget }) => setSince(currentTarget.value)}>
              {SPANS.map(([value, name]) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        </div>
      </header>
      <Shown of={loaded} again={again}>
        {({ failures }) =>
          failures.length === 0 ? (
            <div class="card">
              <Empty icon="ok" title="Nothing failed">
                {cause === ''
                  ? 'No login and no session failed in this time.'
                  : `No failure “${inWords(cause)}” in this time.`}
              </Empty>
            </div>
          ) : (
            <ul class="failures">
              {failures.map((failure) => (
                <Card key={`${failure.time}${failure.session}`} failure={failure} />
              ))}
              {failures.length === LIMIT ? <li class="muted">Only the newest {LIMIT} are shown.</li> : null}
            </ul>
          )
        }
      </Shown>
    </>
  );
}

function Card({ failure }: { failure: Failure }) {
  const now = useNow(60);
  return (
    <li class="card failure">
      <div class="failure-head">
        <h2>{inWords(failure.cause ?? 'unknown')}</h2>
        <span class="muted">
          <a href={`/history?search=${encodeURIComponent(failure.user ?? failure.client)}`}>
            <Name of={failure.user} />
          </a>{' '}
          from {failure.client}
        </span>
        <time class="muted number" dateTime={new Date(failure.time).toISOString()}>
          {moment(failure.time, now)}
        </time>
      </div>
      <p>{sentence(failure.text)}</p>
      {failure.remedy === null ? null : <Remedy>{failure.remedy}</Remedy>}
    </li>
  );
}
