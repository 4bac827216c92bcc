/** All live sessions: search, order, rates. Only the rows in view exist in the document. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useApplication, useLive, useNow } from '../app.js';
import type { SessionRow } from '../../api/schemas.js';
import { duration, octets } from '../../../admin/units.js';
import { bitRate, count, counted } from '../model/format.js';
import { clicked, type Column, found, type Order, ordered } from '../model/session-rows.js';
import { sliceOf } from '../model/virtual-list.js';
import { Name, nameOf, orNone, pathOf, Phase } from '../parts/cells.js';
import { Icon } from '../parts/icons.js';
import { Empty, Notice } from '../parts/notice.js';
import { SearchField } from '../parts/search-field.js';
import { CaptureDialog, KickDialog } from '../parts/session-dialogs.js';
import { Sparkline } from '../parts/sparkline.js';

const HEADINGS: readonly { column: Column; name: string; isNumber?: true }[] = [
  { column: 'user', name: 'User' },
  { column: 'address', name: 'Address' },
  { column: 'client', name: 'Client' },
  { column: 'since', name: 'Up for', isNumber: true },
  { column: 'down', name: 'Down', isNumber: true },
  { column: 'up', name: 'Up', isNumber: true },
  { column: 'total', name: 'Total', isNumber: true },
  { column: 'encryption', name: 'Encryption' },
];

export function Sessions() {
  const live = useLive();
  const { me } = useApplication();
  const [search, setSearch] = useState(new URLSearchParams(location.search).get('search') ?? '');
  const [order, setOrder] = useState<Order>({ column: 'since', descending: true });
  const [kicked, setKicked] = useState<SessionRow | null>(null);
  const [captures, setCaptures] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const rows = useMemo(() => ordered(found(Array.from(live.rows.values()), search), order), [live.rows, search, order]);

  useEffect(() => {
    const focusSearch = (event: KeyboardEvent): void => {
      if (event.key !== '/' || event.target instanceof HTMLInputElement || document.querySelector('dialog[open]'))
        return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener('keydown', focusSearch);
    return () => removeEventListener('keydown', focusSearch);
  }, []);

  return (
    <>
      <header class="head">
        <h1>Sessions</h1>
        <div class="tools">
          <SearchField
            label="Search user, address or id"
            placeholder="User, address or id"
            value={search}
            onChange={setSearch}
            field={field}
            shortcut="/"
          />
          {me.role === 'admin' ? (
            <button type="button" class="button" onClick={() => setCaptures(true)}>
              <Icon name="capture" /> Capture a login…
            </button>
          ) : null}
        </div>
      </header>
      <p class="muted count" role="status">
        {search.trim() === ''
          ? counted(live.rows.size, 'session')
          : `${count(rows.length)} of ${counted(live.rows.size, 'session')}`}
      </p>
      {live.unreachable.size === 0 ? null : (
        <Notice kind="warn">
          <p>{counted(live.unreachable.size, 'session does', 'sessions do')} not answer:</p>
          <ul>
            {Array.from(live.unreachable, ([id, why]) => (
              <li key={id}>
                {id}: {why}
              </li>
            ))}
          </ul>
        </Notice>
      )}
      {live.rows.size === 0 ? (
        <div class="card">
          {live.connection === 'connecting' ? (
            <p class="loading">Loading…</p>
          ) : (
            <Empty icon="sessions" title="Nobody is connected">
              Sessions appear here as soon as clients log in. If a login fails, <a href="/failures">Failures</a> says
              why.
            </Empty>
          )}
        </div>
      ) : rows.length === 0 ? (
        <div class="card">
          <Empty icon="search" title="No session matches">
            <button type="button" class="button" onClick={() => setSearch('')}>
              Show all {count(live.rows.size)}
            </button>
          </Empty>
        </div>
      ) : (
        <Table
          rows={rows}
          order={order}
          onOrder={(column) => setOrder((last) => clicked(last, column))}
          onKick={setKicked}
        />
      )}
      {kicked === null ? null : <KickDialog row={kicked} onClose={() => setKicked(null)} />}
      {captures ? <CaptureDialog row={null} onClose={() => setCaptures(false)} /> : null}
    </>
  );
}

interface TableOptions {
  readonly rows: readonly SessionRow[];
  readonly order: Order;
  readonly onOrder: (column: Column) => void;
  readonly onKick: (row: SessionRow) => void;
}

/** Where the page is scrolled to in relation to the table's body, and how high a row is there (the style sheet decides). */
function useView(
  body: { current: HTMLElement | null },
  rows: number,
): { scrolled: number; height: number; rowHeight: number } {
  const [view, setView] = useState({ scrolled: 0, height: innerHeight, rowHeight: 44 });
  useLayoutEffect(() => {
    const measure = (): void => {
      if (body.current === null) return;
      const rowHeight = Number.parseFloat(getComputedStyle(body.current).getPropertyValue('--row')) || 44;
      // To whole rows, so that not every pixel renders.
      const scrolled = Math.floor(-body.current.getBoundingClientRect().top / rowHeight) * rowHeight;
      setView((last) =>
        last.scrolled === scrolled && last.height === innerHeight && last.rowHeight === rowHeight
          ? last
          : { scrolled, height: innerHeight, rowHeight },
      );
    };
    measure();
    addEventListener('scroll', measure, { passive: true });
    addEventListener('resize', measure);
    return () => {
      removeEventListener('scroll', measure);
      removeEventListener('resize', measure);
    };
  }, [rows]);
  return view;
}

function Table({ rows, order, onOrder, onKick }: TableOptions) {
  const { me, live } = useApplication();
  const now = useNow();
  const body = useRef<HTMLTableSectionElement>(null);
  const view = useView(body, rows.length);
  const slice = sliceOf({ rows: rows.length, ...view });
  /** Arrow keys go from row to row. */
  const step = (event: KeyboardEvent): void => {
    const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (by === 0 || !(event.target instanceof HTMLElement) || !event.target.matches('.row-link')) return;
    const links = Array.from(body.current?.querySelectorAll<HTMLElement>('.row-link') ?? []);
    links[links.indexOf(event.target) + by]?.focus();
    event.preventDefault();
  };
  return (
    <table class="sessions" role="table" aria-label="Sessions" aria-rowcount={rows.length + 1}>
      <thead role="rowgroup">
        <tr role="row" aria-rowindex={1}>
          {HEADINGS.map(({ column, name, isNumber }) => (
            <th
              key={column}
              role="columnheader"
              scope="col"
              class={`${column}${isNumber === true ? ' number' : ''}`}
              aria-sort={order.column === column ? (order.descending ? 'descending' : 'ascending') : 'none'}
            >
              <button type="button" onClick={() => onOrder(column)}>
                {name}
                {order.column === column ? <Icon name={order.descending ? 'sortDown' : 'sortUp'} /> : null}
              </button>
            </th>
          ))}
          <th role="columnheader" scope="col" class="curve">
            Last minute
          </th>
          <th role="columnheader" scope="col" class="path">
            Path
          </th>
          <th role="columnheader" scope="col" class="deed">
            <span class="hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody ref={body} role="rowgroup" onKeyDown={step}>
        <Space height={slice.before} />
        {rows.slice(slice.begin, slice.end).map((row, index) => (
          <tr key={row.id} role="row" aria-rowindex={slice.begin + index + 2}>
            <th role="rowheader" scope="row" class="user">
              <div class="line">
                <a class="row-link cut" href={`/sessions/${row.id}`}>
                  <Name of={row.user} />
                </a>
                {row.warning === null ? null : (
                  <span class="warned" title={row.warning}>
                    <Icon name="warning" />
                    <span class="hidden">{row.warning}</span>
                  </span>
                )}
                {row.phase === 'up' ? null : <Phase phase={row.phase} />}
              </div>
            </th>
            <td role="cell" class="address">
              {orNone(row.address, 'no address yet')}
            </td>
            <td role="cell" class="client">
              {row.client}
            </td>
            <td role="cell" class="since number">
              {duration((now - row.since) / 1000)}
            </td>
            <td role="cell" class="down number key-down">
              {bitRate(row.txRate)}
            </td>
            <td role="cell" class="up number key-up">
              {bitRate(row.rxRate)}
            </td>
            <td role="cell" class="total number">
              {octets(row.rxBytes + row.txBytes)}
            </td>
            <td role="cell" class="encryption">
              <span class="cut" title={row.encryption ?? ''}>
                {orNone(row.encryption?.replace(' stateless', ''))}
              </span>
            </td>
            <td role="cell" class="curve">
              <Sparkline rates={live.ratesOf(row.id)} />
            </td>
            <td role="cell" class="path">
              {orNone(pathOf(row.link))}
            </td>
            <td role="cell" class="deed">
              {me.role === 'admin' ? (
                <button
                  type="button"
                  class="icon-button"
                  aria-label={`Disconnect ${nameOf(row.user)}`}
                  title="Disconnect…"
                  onClick={() => onKick(row)}
                >
                  <Icon name="kick" />
                </button>
              ) : null}
            </td>
          </tr>
        ))}
        <Space height={slice.after} />
      </tbody>
    </table>
  );
}

/** In place of the rows that do not exist. */
function Space({ height }: { height: number }) {
  return height === 0 ? null : (
    <tr class="space" aria-hidden="true" style={{ height: `${height}px` }}>
      <td />
    </tr>
  );
}
