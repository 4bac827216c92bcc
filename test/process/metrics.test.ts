/** The metrics of a running server, over HTTP: what sessions carry is in them, and one that hangs holds nobody up. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test, type TestContext } from 'node:test';
import { Client, START } from './support/client.js';
import { forBothEngines } from './support/engines.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS, Server, endWith, startServer } from './support/server.js';
import { Tunnel } from './support/tunnel.js';
import { LIMIT_MS } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

const METRICS = { address: SERVER_ADDRESS, port: 9723 } as const;
const FROM_CLIENT = 'pptpd_tunnel_packets_total{direction="fromClient"}';

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

async function ask(path: string, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { address, port } = METRICS;
    const asked = request({ host: address, port, path, method, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    asked.on('error', reject).end();
  });
}

type Series = ReadonlyMap<string, number>;

async function scrape(): Promise<Series> {
  const { status, text } = await ask('/metrics');
  assert.equal(status, 200);
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

/** Resolves with the first scrape that `accepts` takes. */
async function scrapeUntil(what: string, accepts: (series: Series) => boolean): Promise<Series> {
  const limit = performance.now() + LIMIT_MS;
  for (;;) {
    const series = await scrape();
    if (accepts(series)) return series;
    assert(performance.now() < limit, `waited in vain for ${what}: ${JSON.stringify([...series])}`);
  }
}

async function carry(t: TestContext): Promise<Tunnel> {
  const tunnel = await Tunnel.open(t);
  await tunnel.openLcp();
  await tunnel.assertRelays('there and back');
  return tunnel;
}

forBothEngines((engine) => {
  test('what sessions do and carry is in the metrics, and stays when they are over', async (t) => {
    await engine.startServer(t, { metrics: METRICS });
    const { headers } = await ask('/metrics');
    assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/);
    const guest = await engine.loggedIn(t, 'alice', CLIENT_ADDRESSES[0]);
    await guest.echo();
    const series = await scrapeUntil('a session', (each) => each.get('pptpd_sessions{phase="up"}') === 1);
    const carried = series.get(FROM_CLIENT) ?? 0;
    assert(carried >= 5, `${carried} frames from the client: LCP's, CHAP's, IPCP's and the data's`);
    assert((series.get('pptpd_tunnel_bytes_total{direction="toClient"}') ?? 0) >= 'there and back'.length);
    assert.equal(series.get('pptpd_sessions_started_total'), 1);
    assert.equal(series.get('pptpd_handoff_seconds_count'), 1);
    assert((series.get('process_resident_memory_bytes') ?? 0) > 0);
    guest.client.end();
    const after = await scrapeUntil(
      'its end',
      (each) => each.get('pptpd_sessions_ended_total{reason="clientClosed"}') === 1,
    );
    assert((after.get(FROM_CLIENT) ?? 0) >= carried);
    assert.equal(after.get('pptpd_sessions{phase="up"}'), 0);
    assert.equal(after.get('pptpd_logins_total{result="up"}'), 1);
  });
});

test('a login that is not finished is counted as that', async (t) => {
  await startServer(t, { metrics: METRICS });
  const tunnel = await carry(t);
  await scrapeUntil('a session', (each) => each.get('pptpd_sessions{phase="negotiating"}') === 1);
  tunnel.client.end();
  await scrapeUntil('its end', (each) => each.get('pptpd_logins_total{result="unfinished"}') === 1);
});

test('why a session ended is heard, however soon after its beginning', async (t) => {
  await startServer(t, { metrics: METRICS });
  const client = await Client.connect();
  client.send(START, { type: 'StopControlConnectionRequest', reason: 1 });
  await client.closed;
  await scrapeUntil('its end', (each) => each.get('pptpd_sessions_ended_total{reason="clientStopped"}') === 1);
});

test('clients turned away and workers killed are counted', async (t) => {
  const server = await startServer(t, { metrics: METRICS });
  const client = await Client.connect();
  client.sendBytes(Buffer.alloc(156));
  await client.closed;
  await Client.call(CLIENT_ADDRESSES[1]);
  const [session] = await server.sessions();
  assert(session !== undefined);
  process.kill(session.pid, 'SIGKILL');
  const series = await scrapeUntil(
    'the death',
    (each) =>
      each.get('pptpd_sessions_ended_total{reason="workerFailed"}') === 1 &&
      each.get('pptpd_workers_ended_total{how="died"}') === 1,
  );
  assert.equal(series.get('pptpd_turned_away_total{cause="notPptp"}'), 1);
});

test('a session that hangs holds no scrape up, and is told of', async (t) => {
  const server = await startServer(t, { metrics: METRICS });
  const tunnel = await carry(t);
  const [session] = await server.sessions();
  assert(session !== undefined);
  const before = await scrape();
  process.kill(session.pid, 'SIGSTOP');
  const [series, same] = await Promise.all([scrape(), scrape()]);
  assert.equal(series.get('pptpd_sessions_unanswered'), 1);
  assert.equal(same.get('pptpd_sessions_unanswered'), 1);
  assert.equal(series.get(FROM_CLIENT), before.get(FROM_CLIENT));
  process.kill(session.pid, 'SIGCONT');
  await tunnel.assertRelays('it goes on');
  await scrapeUntil('its answer', (each) => (each.get(FROM_CLIENT) ?? 0) > (before.get(FROM_CLIENT) ?? 0));
  await scrapeUntil('a scrape that it answers', (each) => each.get('pptpd_sessions_unanswered') === 0);
});

test('a manager that takes sessions over counts what they carry from then on', async (t) => {
  const first = new Server();
  first.configure({ metrics: METRICS });
  endWith(t, first);
  first.start();
  await first.ready();
  const tunnel = await carry(t);
  first.signal('SIGKILL');
  await first.exited();
  first.start();
  await first.ready();
  const taken = await scrapeUntil('the session', (each) => each.get('pptpd_sessions{phase="negotiating"}') === 1);
  assert.equal(taken.get(FROM_CLIENT), 0);
  assert.equal(taken.get('pptpd_sessions_started_total'), 0);
  await tunnel.assertRelays('once more');
  await scrapeUntil('what it carries', (each) => each.get(FROM_CLIENT) === 1);
});

test('GET /metrics and nothing else', async (t) => {
  await startServer(t, { metrics: METRICS });
  assert.equal((await ask('/')).status, 404);
  assert.equal((await ask('/metrics/../etc/passwd')).status, 404);
  const refused = await ask('/metrics', 'POST');
  assert.deepEqual([refused.status, refused.headers['allow']], [405, 'GET']);
  assert.equal((await ask('/metrics?x=1')).status, 200);
});
