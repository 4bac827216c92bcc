/** Sessions that are over, from the accounting file. */
import { useEffect, useState } from 'preact/hooks';
import { errorOf } from '../../../sys/thrown.js';
import { useApplication, useLoaded, useNow, useSettled } from '../app.js';
import type { AccountRecord } from '../../../accounting/record.js';
import type { History as Answer } from '../../api/schemas.js';
import { duration, octets } from '../../../admin/units.js';
import { inWords, moment } from '../model/format.js';
import { Name, orNone } from '../parts/cells.js';
import { SearchField } from '../parts/search-field.js';
import { Empty, Loading, Problem } from '../parts/notice.js';

const PAGE = 100;
const DAY = 86_400_000;

/** The begin of a day in the reader's zone, or of the day after; null: none was chosen. */
const dayBegin = (text: string, later = 0): string | null =>
  text === '' ? null : new Date(new Date(`${text}T00:00`).getTime() + later).toISOString();

export function History() {
  const { api } = useApplication();
  const now = useNow(60);
  const [search, setSearch] = useState(new URLSearchParams(location.search).get('search') ?? '');
  const [since, setSince] = useState('');
  const [until, setUntil] = useState('');
  const settled = useSettled(search.trim());
  const query = {
    search: settled,
    since: dayBegin(since),
    until: dayBegin(until, DAY),
    limit: PAGE,
  };
  const [loaded, again] = useLoaded(
    async (signal) => api.get<Answer>('/history', query, signal),
    [api, settled, since, until],
  );
  const [more, setMore] = useState<Answer | null>(null);
  const [moreError, setMoreError] = useState<Error | null>(null);
  useEffect(() => {
    setMore(null);
    setMoreError(null);
  }, [loaded]);
  const first = loaded.state === 'loaded' ? loaded.value : null;
  const rows = [...(first?.sessions ?? []), ...(more?.sessions ?? [])];
  const next = (more ?? first)?.next ?? null;
  const loadMore = async (): Promise<void> => {
    try {
      const answer = await api.get<Answer>('/history', { ...query, before: next });
      setMore((last) => ({ sessions: [...(last?.sessions ?? []), ...answer.sessions], next: answer.next }));
    } catch (error) {
      setMoreError(errorOf(error));
    }
  };
  const isFiltered = settled !== '' || since !== '' || until !== '';
  return (
    <>
      <header class="head">
        <h1>History</h1>
        <div class="tools">
          <SearchField
            label="Search user, address or id"
            placeholder="User, address or id"
            value={search}
            onChange={setSearch}
          />
          <label class="inline">
            From
            <input type="date" value={since} onInput={({ currentTarget }) => setSince(currentTarget.value)} />
          </label>
          <label class="inline">
            to
            <input type="date" value={until} onInput={({ currentTarget }) => setUntil(currentTarget.value)} />
          </label>
        </div>
      </header>
      {loaded.state === 'loading' ? <Loading /> : null}
      {loaded.state === 'failed' ? <Problem error={loaded.error} again={again} /> : null}
      {first !== null && rows.length === 0 ? (
        <div class="card">
          {isFiltered ? (
            <Empty icon="search" title="No session matches">
              <button
                type="button"
                class="button"
                onClick={() => {
                  setSearch('');
                  setSince('');
                  setUntil('');
                }}
              >
                Show all
              </button>
            </Empty>
          ) : (
            <Empty icon="history" title="No session has ended yet" />
          )}
        </div>
      ) : null}
      {rows.length > 0 ? <Table rows={rows} now={now} /> : null}
      {moreError === null ? null : <Problem error={moreError} />}
      {next === null ? null : (
        <p class="more">
          <button type="button" class="button" onClick={() => void loadMore()}>
            Show older sessions
          </button>
        </p>
      )}
    </>
  );
}

function Table({ rows, now }: { rows: readonly AccountRecord[]; now: number }) {
  return (
    <table class="history" role="table" aria-label="Ended sessions">
      <thead role="rowgroup">
        <tr role="row">
          {['User', 'Ended', 'Lasted', 'Client', 'Address'].map((name) => (
            <th
              key={name}
              role="columnheader"
              scope="col"
              class={`${name.toLowerCase()}${name === 'Lasted' ? ' number' : ''}`}
            >
              {name}
            </th>
          ))}
          <th role="columnheader" scope="col" class="down number">
            Down
          </th>
          <th role="columnheader" scope="col" class="up number">
            Up
          </th>
          <th role="columnheader" scope="col" class="why">
            Why it ended
          </th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={`${row.session}${row.start}`} role="row">
            <th role="rowheader" scope="row" class="user">
              <span class="cut">
                <Name of={row.user} />
              </span>
            </th>
            <td role="cell" class="ended">
              <time dateTime={row.end}>{moment(Date.parse(row.end), now)}</time>
            </td>
            <td role="cell" class="lasted number">
              {duration(row.seconds)}
            </td>
            <td role="cell" class="client">
              {row.client}
            </td>
            <td role="cell" class="address">
              {orNone(row.tunnel.remote)}
            </td>
            <td role="cell" class="down number key-down">
              {octets(row.txBytes)}
            </td>
            <td role="cell" class="up number key-up">
              {octets(row.rxBytes)}
            </td>
            <td role="cell" class="why">
              {row.cause === null ? null : <span class="pill bad">{inWords(row.cause)}</span>}
              {row.cause === null && row.reason !== null ? inWords(row.reason) : null}
              {row.detail === null ? null : <span class="muted cut"> {row.detail}</span>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
