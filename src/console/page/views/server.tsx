/** The server itself: its processes, the machine's checks, blocked addresses, its configuration. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useApplication, useLive, useLoaded, useNow } from '../app.js';
import type { Blocks as Blocked, Findings } from '../../api/schemas.js';
import type { ManagerStatus } from '../../../session/manager-status.js';
import { duration } from '../../../admin/units.js';
import { counted, inWords, moment } from '../model/format.js';
import { Facts, orNone } from '../parts/cells.js';
import { Configuration } from '../parts/configuration.js';
import { FormDialog } from '../parts/dialog.js';
import { Empty, Remedy, Shown } from '../parts/notice.js';

const counts = (values: Readonly<Record<string, number>>): string | null =>
  Object.entries(values)
    .map(([name, number]) => `${number.toLocaleString('en')} ${inWords(name).toLowerCase()}`)
    .join(', ') || null;

export function Server() {
  return (
    <>
      <header class="head">
        <h1>Server</h1>
      </header>
      <Processes />
      <Doctor />
      <Blocks />
      <Configuration />
    </>
  );
}

function Processes() {
  const { status } = useLive();
  const now = useNow(30);
  if (status === null) return null;
  const { server } = status;
  return (
    <section class="card" aria-labelledby="processes">
      <div class="card-head">
        <h2 id="processes">Processes</h2>
        <span class={`pill ${status.manager.answers ? 'ok' : 'bad'}`}>
          {status.manager.answers ? 'Running' : 'Manager does not answer'}
        </span>
      </div>
      <Facts
        of={[
          ['Console', `version ${status.version}, since ${moment(status.console.since, now)}`],
          ...(server === null ? [] : factsOf(server, now)),
        ]}
      />
    </section>
  );
}

const factsOf = (server: ManagerStatus, now: number): readonly (readonly [string, ComponentChildren])[] => [
  ['Manager', `version ${server.version}, process ${server.pid}, since ${moment(server.since, now)}`],
  ['Listens on', server.listening],
  ['Runs as', server.runsAs],
  ['PPP engine', server.engine],
  ['Workers', `${server.workers.idle} spare, ${server.workers.starting} starting`],
  ['Refused clients', orNone(counts(server.turnedAway))],
];

const LEVELS: Readonly<Record<string, string>> = { ok: 'ok', warn: 'warn', fail: 'bad' };
const LEVEL_NAMES: Readonly<Record<string, string>> = { ok: 'OK', warn: 'Warning', fail: 'Failed' };

function Doctor() {
  const { api } = useApplication();
  const [loaded, again] = useLoaded(async (signal) => api.get<Findings>('/doctor', {}, signal), [api]);
  const [isAll, setAll] = useState(false);
  return (
    <section class="card" aria-labelledby="checks">
      <div class="card-head">
        <h2 id="checks">Doctor</h2>
        <button type="button" class="button" onClick={again}>
          Check again
        </button>
      </div>
      <Shown of={loaded} again={again}>
        {({ findings }) => {
          const bad = findings.filter(({ level }) => level !== 'ok');
          return (
            <>
              {bad.length === 0 && !isAll ? (
                <Empty icon="ok" title={`${counted(findings.length, 'check')}, no problems`} />
              ) : (
                <ul class="checks">
                  {(isAll ? findings : bad).map(({ check, level, text, remedy }) => (
                    <li key={`${check}${text}`}>
                      <span class={`pill ${LEVELS[level] ?? 'warn'}`}>{LEVEL_NAMES[level] ?? level}</span>
                      <div>
                        <p>
                          <b>{check}</b> {text}
                        </p>
                        {remedy === null ? null : <Remedy>{remedy}</Remedy>}
                      </div>
                    </li>
                  ))}
                </ul>
              )}
              <button type="button" class="link" aria-expanded={isAll} onClick={() => setAll(!isAll)}>
                {isAll ? 'Only findings' : `Show all ${counted(findings.length, 'check')}`}
              </button>
            </>
          );
        }}
      </Shown>
    </section>
  );
}

function Blocks() {
  const { api, me, say } = useApplication();
  const { status } = useLive();
  const [loaded, again] = useLoaded(
    async (signal) => api.get<Blocked>('/blocks', {}, signal),
    [api, status?.server?.blocked, status?.manager.answers],
  );
  const [chosen, setChosen] = useState<string | null>(null);
  const unblock = async (address: string): Promise<void> => {
    await api.change('DELETE', address === '*' ? '/blocks' : `/blocks/${address}`);
    say(address === '*' ? 'All addresses may log in again.' : `${address} may log in again.`);
    again();
  };
  return (
    <section class="card" aria-labelledby="blocks">
      <div class="card-head">
        <h2 id="blocks">Blocked addresses</h2>
        {me.role === 'admin' && loaded.state === 'loaded' && loaded.value.blocks.length > 1 ? (
          <button type="button" class="button" onClick={() => setChosen('*')}>
            Unblock all…
          </button>
        ) : null}
      </div>
      <Shown of={loaded} again={again}>
        {({ blocks }) =>
          blocks.length === 0 ? (
            <Empty icon="ok" title="No address is blocked">
              An address is blocked for a while after too many failed logins.
            </Empty>
          ) : (
            <ul class="list">
              {blocks.map(({ address, failedLogins, remaining }) => (
                <li key={address}>
                  <b>{address}</b>
                  <span class="grow muted">
                    {counted(failedLogins, 'failed login')}, blocked for another {duration(remaining)}
                  </span>
                  {me.role === 'admin' ? (
                    <button
                      type="button"
                      class="button small"
                      onClick={() => setChosen(address)}
                      aria-label={`Unblock ${address}`}
                    >
                      Unblock…
                    </button>
                  ) : null}
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
      {chosen === null ? null : (
        <FormDialog
          title={chosen === '*' ? 'Unblock all addresses?' : `Unblock ${chosen}?`}
          action="Unblock"
          onClose={() => setChosen(null)}
          onSubmit={async () => unblock(chosen)}
        >
          <p>Clients there may log in again at once. Further failed logins block them again.</p>
        </FormDialog>
      )}
    </section>
  );
}
