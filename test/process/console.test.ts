/** The console of a running server: every route, on a real session, through the processes that answer it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { ALL_ROUTES } from '../../src/console/api/routes.js';
import type * as Api from '../../src/console/api/schemas.js';
import { makeCertificate, type MadeCertificate } from './support/certificate.js';
import { CONSOLE_PORT, ConsoleClient, consoleSettings, type EventReader, makeToken } from './support/console.js';
import { accountsOf, builtinServer, configureBuiltin } from './support/engines.js';
import { prepareMachine } from './support/monitor.js';
import { enterNamespace, namespaceProcesses } from './support/netns.js';
import { CLIENT_ADDRESSES, endWith, SERVER_ADDRESS, Server } from './support/server.js';
import { PASSWORD, VpnClient } from './support/vpn-client.js';
import { until } from './support/wait.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);
before(prepareMachine);

/** In the rates of a session. */
const RX_BYTES = 2;

interface Running {
  readonly server: Server;
  readonly admin: ConsoleClient;
  readonly viewer: ConsoleClient;
  readonly stranger: ConsoleClient;
}

async function startConsole(t: TestContext): Promise<Running> {
  const server = builtinServer();
  configureBuiltin(server, {
    ...consoleSettings(server),
    accounting: { file: `${server.directory}/accounting/accounting.jsonl` },
    log: { level: 'debug' },
  });
  endWith(t, server);
  const [admin, viewer] = [await makeToken(server, 'boss', 'admin'), await makeToken(server, 'looker', 'view')];
  server.start();
  await server.ready();
  await server.waitForLog('the console to listen', ({ msg }) => msg.startsWith('the console listens'));
  return {
    server,
    admin: new ConsoleClient(admin),
    viewer: new ConsoleClient(viewer),
    stranger: new ConsoleClient(null),
  };
}

let callId = 100;
const logIn = async (t: TestContext, user = 'alice', password: string = PASSWORD): Promise<VpnClient> =>
  VpnClient.loggedIn(t, { user, from: CLIENT_ADDRESSES[0], callId: ++callId, password });

test('every route answers about a live session, and each role may do what it may', async (t) => {
  const { server, admin, viewer, stranger } = await startConsole(t);
  for (const { method, path, role } of ALL_ROUTES) {
    if (role === null) continue;
    const concrete = path.replace('{id}', 'abc123').replace('{name}', 'alice').replace('{address}', '192.0.2.7');
    assert.equal((await stranger.ask(concrete, { method })).status, 401, `${method} ${path} without a login`);
    if (role === 'admin') assert.equal((await viewer.ask(concrete, { method })).status, 403, `${method} ${path}`);
  }

  const events = await viewer.events();
  t.after(() => events.close());
  await events.events.find('the first batch', ({ event }) => event === 'snapshot');
  const client = await logIn(t);
  const [session] = await server.sessions();
  const id = session?.session ?? assert.fail('no session');
  await events.events.find(
    'the row of the session that is up',
    ({ event, data }) => event === 'session' && data.id === id && data.phase === 'up',
  );
  await events.events.find(
    'the login as a happening',
    ({ event, data }) => event === 'happening' && data.session === id && data.event === 'authenticated',
  );
  await client.echo();
  // The first measurement may be of an interface that has carried nothing yet.
  await events.events.find(
    'rates of what the client has sent',
    ({ event, data }) => event === 'rates' && (data[id]?.[RX_BYTES] ?? 0) > 0,
  );

  const status = await viewer.get<Api.Status>('/status');
  assert.deepEqual(status.manager, { answers: true, why: null });
  assert.deepEqual(status.sessions, { total: 1, byPhase: { up: 1 } });
  assert.deepEqual(status.addresses, { used: 1, total: 20 });
  assert.equal(status.server?.listening, '192.0.2.1:1723');
  const { sessions } = await viewer.get<Api.SessionList>('/sessions?user=alice&client=198.51.100.0/24');
  assert.deepEqual(
    sessions.map((row) => [row.id, row.user, row.client, row.link]),
    [[id, 'alice', CLIENT_ADDRESSES[0], 'tun']],
  );
  assert.ok((sessions[0]?.rxBytes ?? 0) > 0);
  assert.deepEqual((await viewer.get<Api.SessionList>('/sessions?user=bob')).sessions, []);
  const detail = await viewer.get<Api.SessionDetail>(`/sessions/${id}`);
  assert.equal(detail.state.user, 'alice');
  const named = detail.counters.find(({ name }) => name === 'rxPackets');
  assert.ok((named?.value ?? 0) > 0 && named?.words !== null);
  const negotiation = detail.sections.find(({ title }) => title === 'PPP negotiation')?.rows ?? [];
  assert.ok(negotiation.some(({ name, value }) => name === 'encryption' && value.startsWith('MPPE 128')));
  assert.equal((await viewer.ask('/sessions/zzzzzz')).status, 404);

  assert.deepEqual(await admin.get(`/sessions/${id}/debug`, { method: 'POST', body: { minutes: 5 } }), {
    level: 'debug',
  });
  assert.deepEqual(await admin.get(`/sessions/${id}/debug`, { method: 'POST', body: { minutes: 'off' } }), {
    level: 'debug',
  });
  let isCaptured = false;
  const capturing = admin.ask(`/sessions/${id}/capture?seconds=30&packets=2`).finally(() => (isCaptured = true));
  // Whenever it begins.
  await until('the capture to end', async () => {
    await client.echo();
    return isCaptured;
  });
  const captured = await capturing;
  assert.equal(captured.status, 200);
  assert.equal(captured.headers['content-disposition'], `attachment; filename="session-${id}.pcapng"`);
  assert.equal(Buffer.from(captured.text, 'latin1').readUInt32LE(0), 0x0a0d0d0a, 'a section header of pcapng');

  const { points } = await viewer.get<Api.Traffic>('/traffic');
  assert.ok(Array.isArray(points));
  assert.deepEqual(await viewer.get('/blocks'), { blocks: [] });
  assert.equal((await admin.ask('/blocks/192.0.2.7', { method: 'DELETE' })).status, 404);
  assert.deepEqual(await admin.get('/blocks', { method: 'DELETE' }), { unblocked: [] });
  assert.deepEqual(await admin.get('/reload', { method: 'POST' }), { problems: [] });
  assert.deepEqual(await admin.get('/check', { method: 'POST', body: {} }), { problems: [] });
  const { problems } = await admin.get<Api.Problems>('/check', { method: 'POST', body: { text: '{"listen": 1}' } });
  assert.match(problems.join('\n'), /listen/);
  const { findings } = await viewer.get<Api.Findings>('/doctor');
  assert.ok(findings.some(({ check, level }) => check === 'Node.js' && level === 'ok'));

  // Users of the VPN, whose file only root may read.
  const listed = await viewer.get<Api.Users>('/users');
  assert.deepEqual(
    listed.users.map(({ name, live }) => [name, live]),
    [
      ['alice', [id]],
      ['bob', []],
    ],
  );
  const carol = { name: 'carol <b>', password: 'a password', fields: { sessions: 2, note: '<script>' } };
  assert.deepEqual(await admin.get('/users', { method: 'POST', body: carol }), { remarks: [] });
  await events.events.find('the users to have changed', ({ event }) => event === 'users');
  assert.equal((await admin.ask('/users', { method: 'POST', body: carol })).status, 409);
  const path = `/users/${encodeURIComponent(carol.name)}`;
  assert.equal((await viewer.get<Api.ApiUser>(path)).sessions, 2);
  await admin.get(path, { method: 'PATCH', body: { sessions: null, speed: { up: 1_000_000 } } });
  const changed = await viewer.get<Api.ApiUser>(path);
  assert.deepEqual([changed.sessions, changed.speed, changed.note], [null, { up: 1_000_000 }, '<script>']);
  await admin.get(`${path}/disable`, { method: 'POST' });
  assert.equal((await viewer.get<Api.ApiUser>(path)).hindrance, 'disabled');
  await admin.get(`${path}/enable`, { method: 'POST' });
  await admin.get(`${path}/password`, { method: 'PUT', body: { password: 'another' } });
  assert.doesNotMatch((await viewer.ask('/users')).text, /another|a password|ntHash/);
  assert.match(readFileSync(accountsOf(server), 'utf8'), /carol <b>/);
  await admin.get(path, { method: 'DELETE' });
  assert.equal((await viewer.ask(path)).status, 404);
  assert.equal((await admin.ask(path, { method: 'DELETE' })).status, 404);

  // A failed login has its cause and remedy; the ended session is in the history.
  const refused = await VpnClient.call(t, {
    user: 'alice',
    from: CLIENT_ADDRESSES[1],
    callId: ++callId,
    password: 'wrong',
  });
  refused.negotiate();
  await refused.gone();
  const failed = await events.events.find(
    'the failed login',
    ({ event, data }) => event === 'happening' && data.event === 'failed',
  );
  assert.ok(failed.event === 'happening');
  const { failures, byCause } = await viewer.get<Api.Failures>('/failures?since=1h');
  assert.deepEqual(
    failures.map((each) => [each.session, each.client, each.user]),
    [[failed.data.session, CLIENT_ADDRESSES[1], 'alice']],
  );
  assert.doesNotMatch(failures[0]?.text ?? '', /remedy/);
  assert.match(failures[0]?.remedy ?? '', /chap-secrets/);
  assert.deepEqual(Object.values(byCause), [1]);
  assert.deepEqual(await admin.get(`/sessions/${id}/kick`, { method: 'POST', body: { reason: 'a test' } }), {
    ended: [id],
    failed: [],
  });
  await events.events.find('the session to be gone', ({ event, data }) => event === 'gone' && data.id === id);
  assert.equal((await admin.ask('/sessions/kick', { method: 'POST', body: { user: 'alice' } })).status, 404);
  // Each worker writes its own, after its client was told.
  await until(
    'the records of both sessions',
    async () => (await viewer.get<Api.History>('/history')).sessions.length === 2,
  );
  const history = await viewer.get<Api.History>('/history?user=alice&search=kicked');
  assert.deepEqual([history.sessions[0]?.session, history.sessions[0]?.detail, history.next], [id, 'a test', null]);
  const first = await viewer.get<Api.History>('/history?limit=1');
  const second = await viewer.get<Api.History>(`/history?limit=1&before=${first.next ?? ''}`);
  assert.equal(second.sessions.length, 1);
  assert.notEqual(second.sessions[0]?.session, first.sessions[0]?.session);

  let isNextCaptured = false;
  const next = admin.ask('/capture?next=198.51.100.3&seconds=60&packets=1').finally(() => (isNextCaptured = true));
  const logInBob = async (): Promise<VpnClient> =>
    VpnClient.loggedIn(t, { user: 'bob', from: CLIENT_ADDRESSES[2], callId: ++callId, password: PASSWORD });
  // Whenever it begins to wait.
  await until('the capture of the next session', async () => {
    await (await logInBob()).leave();
    return isNextCaptured;
  });
  assert.equal((await next).status, 200);
  await logInBob();
  const ended = await admin.get<Api.Ended>('/sessions/kick', { method: 'POST', body: { user: 'bob' } });
  assert.equal(ended.ended.length, 1);
  const openApi = await viewer.get<{ paths: object }>('/openapi.json');
  assert.equal(Object.keys(openApi.paths).length, new Set(ALL_ROUTES.map((each) => each.path)).size);
  assert.equal((await viewer.get<Api.Me>('/me')).name, 'looker');

  // Changes are logged with who made them.
  await server.waitForLog(
    'the kick in the log',
    ({ who, path: on }) => who === 'boss' && on === `/api/v1/sessions/${id}/kick`,
  );
  const { command } = namespaceProcesses().find((each) => each.command.startsWith('pptpd-ts console')) ?? {};
  assert.ok(command !== undefined);
});

test('garbage on every route is refused in a sentence, and the console goes on', async (t) => {
  const { server, admin } = await startConsole(t);
  const console = server.consoleProcess();
  const paths = [
    '/sessions/..%2f..%2fetc%2fpasswd',
    '/sessions/ABCDEF',
    '/sessions?client=192.0.2.0/33',
    '/sessions?user=a&user=b',
    '/sessions?nonsense=1',
    '/sessions/abc123/capture?seconds=0',
    '/capture',
    '/capture?next=everywhere',
    '/history?limit=0&before=x',
    '/failures?since=yesterday',
    '/users/%ff%fe',
    `/users/${'x'.repeat(300)}`,
  ];
  for (const path of paths) {
    const { status, json } = await admin.ask(path);
    assert.ok(status === 400 || status === 404, `${path}: ${status}`);
    assert.equal(typeof (json as Api.ApiError).error, 'string', path);
  }
  const texts = ['{', '[]', 'null', '"text"', '{"__proto__": {"a": 1}}', '\u0000', `{"name": "${'x'.repeat(10_000)}"}`];
  for (const { method, path, body } of ALL_ROUTES) {
    if (body === undefined || path === '/login') continue;
    const concrete = path.replace('{id}', 'abc123').replace('{name}', 'alice');
    for (const text of texts) {
      const { status, json } = await admin.ask(concrete, { method, text });
      assert.ok(status === 400 || status === 404, `${method} ${path} ${text.slice(0, 20)}: ${status}`);
      assert.equal(typeof (json as Api.ApiError).error, 'string');
    }
    const huge = JSON.stringify({ text: 'x'.repeat(200_000) });
    assert.equal((await admin.ask(concrete, { method, text: huge })).status, 413, `${method} ${path}`);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    assert.equal((await admin.ask(concrete, { method, text: 'a=b', headers: form })).status, 415, `${method} ${path}`);
  }
  for (const path of ['//../../etc/passwd', '//%2e%2e/%2e%2e/etc/passwd', '//page.js', '//.git/config', '/nothing']) {
    const { status, text } = await admin.ask(path);
    assert.equal(status, 404, path);
    assert.doesNotMatch(text, /root:/);
  }
  const { status, headers } = await admin.ask('/status', { headers: { host: 'evil.example' } });
  assert.equal(status, 403);
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(server.consoleProcess(), console, 'the process is the same');
});

test('200 event streams get the same, also while one of them does not read; one more is refused', async (t) => {
  const { server, viewer } = await startConsole(t);
  const readers: EventReader[] = [];
  for (let page = 0; readers.length < 199; page += 1) {
    const client = new ConsoleClient(await makeToken(server, `page${page}`, 'view'));
    for (let count = 0; count < 20 && readers.length < 199; count += 1) readers.push(await client.events());
  }
  t.after(() => {
    for (const reader of readers) reader.close();
  });
  const deaf = viewer.open('/events');
  deaf.on('error', () => undefined);
  await new Promise((resolve) => deaf.on('response', (response) => resolve(response.pause())));
  assert.equal((await viewer.ask('/events')).status, 503);
  const client = await logIn(t);
  const [session] = await server.sessions();
  for (const reader of readers) {
    await reader.events.find(
      'the session',
      ({ event, data }) => event === 'session' && data.id === session?.session && data.phase === 'up',
    );
  }
  readers.pop()?.close();
  await until('a place to be free again', async () => {
    const another = await viewer.events().catch(() => null);
    another?.close();
    return another !== null;
  });
  deaf.destroy();
  client.close();
});

test('a manager that is killed and started again, and a session that hangs, are told as what they are', async (t) => {
  const { server, admin, viewer } = await startConsole(t);
  await logIn(t);
  const [session] = await server.sessions();
  const [id, worker] = [session?.session ?? '', session?.pid ?? 0];
  const events = await viewer.events();
  t.after(() => events.close());
  await until(
    'the console to know the session',
    async () => (await viewer.get<Api.SessionList>('/sessions')).sessions.length === 1,
  );
  await events.events.next('the manager to answer', ({ event, data }) => event === 'status' && data.manager.answers);
  const console = server.consoleProcess();
  server.signal('SIGQUIT');
  await server.exited();
  await events.events.next(
    'the manager to be missed',
    ({ event, data }) => event === 'status' && !data.manager.answers && /no manager/.test(data.manager.why ?? ''),
  );
  const reload = await admin.ask('/reload', { method: 'POST' });
  assert.equal(reload.status, 502);
  assert.match((reload.json as Api.ApiError).error, /no manager is running.*the sessions continue/);
  assert.equal((await viewer.get<Api.SessionList>('/sessions')).sessions.length, 1);
  server.start();
  await server.ready();
  await events.events.next('the manager to be back', ({ event, data }) => event === 'status' && data.manager.answers);
  assert.equal(server.consoleProcess(), console, 'the console outlives the manager');

  process.kill(worker, 'SIGSTOP');
  const hanging = await viewer.ask(`/sessions/${id}`);
  assert.equal(hanging.status, 502);
  assert.match((hanging.json as Api.ApiError).error, new RegExp(`session ${id} does not answer`));
  assert.equal((await viewer.get<Api.SessionList>('/sessions')).sessions.length, 1, 'it is shown with what is known');
  const byClient = { method: 'POST', body: { client: '198.51.100.0/24' } };
  assert.equal((await admin.ask('/sessions/kick', byClient)).status, 404, 'whose client it is nobody says');
  process.kill(worker, 'SIGCONT');
  assert.equal((await viewer.ask(`/sessions/${id}`)).status, 200);

  // It is killed: its parent starts it again, and the tokens still count.
  process.kill(console ?? 0, 'SIGKILL');
  await server.waitForLog(
    'the console to listen again',
    ({ msg, pid }) => msg.startsWith('the console listens') && pid !== console,
  );
  await until(
    'the session to be found again',
    async () => (await viewer.get<Api.SessionList>('/sessions')).sessions.length === 1,
  );
});

test("with pppd the console changes pppd's users, and may use what the server's group may", async (t) => {
  const secrets = '/etc/ppp/chap-secrets';
  writeFileSync(secrets, '# the first line\nalice * "a secret" *\n', { mode: 0o600 });
  const server = new Server();
  chmodSync(server.directory, 0o755);
  // As long as the longest section may be: root's announcement of it is longer than a worker's messages.
  const names = Array.from({ length: 20 }, (_, index) => `${'x'.repeat(240)}.example${index}`);
  const { console } = consoleSettings(server);
  server.configure({ user: 'nobody', ppp: { engine: 'pppd' }, console: { ...console, names } });
  endWith(t, server);
  const admin = new ConsoleClient(await makeToken(server, 'boss', 'admin'));
  server.start();
  await server.ready();
  await server.waitForLog('the console to listen', ({ msg }) => msg.startsWith('the console listens'));
  const { users, file, keeps } = await admin.get<Api.Users>('/users');
  assert.deepEqual([users.map(({ name }) => name), file, keeps], [['alice'], secrets, ['address']]);
  const limited = { name: 'bob', password: 'x', fields: { sessions: 2 } };
  const { status, json } = await admin.ask('/users', { method: 'POST', body: limited });
  assert.equal(status, 400);
  assert.match((json as Api.ApiError).error, /pppd cannot keep sessions/);
  await admin.get('/users', { method: 'POST', body: { ...limited, fields: { address: '203.0.113.12' } } });
  assert.match(readFileSync(secrets, 'utf8'), /^# the first line\nalice .*\n.*bob.*203\.0\.113\.12/s);
  assert.equal((await admin.get<Api.Status>('/status')).manager.answers, true);
  assert.equal((await admin.ask('/history')).status, 404);
});

test('a renewed certificate is used without a restart, and files that are none are not', async (t) => {
  const server = builtinServer();
  const links = { certificate: join(server.directory, 'console.pem'), key: join(server.directory, 'console.key') };
  // As certbot does: the link is replaced, one after the other.
  const install = ({ files }: Pick<MadeCertificate, 'files'>): void => {
    for (const name of ['certificate', 'key'] as const) {
      symlinkSync(files[name], `${links[name]}.new`);
      renameSync(`${links[name]}.new`, links[name]);
    }
  };
  const certificates = ['first', 'second'].map((name) => makeCertificate(server.directory, name, '127.0.0.1'));
  const [first, second] = certificates as [MadeCertificate, MadeCertificate];
  install(first);
  configureBuiltin(server, { console: { ...consoleSettings(server)['console'], tls: links } });
  endWith(t, server);
  server.start();
  await server.ready();
  await server.waitForLog('the console to listen', ({ msg }) => msg.startsWith('the console listens'));
  const isServed = async ({ certificate: ca }: MadeCertificate): Promise<boolean> => {
    const socket = connectTls({ host: '127.0.0.1', port: CONSOLE_PORT, ca });
    return once(socket, 'secureConnect')
      .then(
        () => true,
        () => false,
      )
      .finally(() => socket.destroy());
  };
  assert.deepEqual([await isServed(first), await isServed(second)], [true, false]);
  install({ files: { certificate: second.files.certificate, key: first.files.key } });
  await server.waitForLog('the refusal of another key', ({ msg }) =>
    /earlier ones stay.*the key belongs to another certificate/.test(msg),
  );
  assert.equal(await isServed(first), true);
  install({ files: { certificate: second.files.certificate, key: join(server.directory, 'none') } });
  await server.waitForLog('the refusal of no file', ({ msg }) => /keeps the certificate.*no such file/.test(msg));
  assert.equal(await isServed(first), true);
  install(second);
  await server.waitForLog('the renewal', ({ msg }) => msg.startsWith('new connections get the renewed certificate'));
  assert.deepEqual([await isServed(first), await isServed(second)], [false, true]);
  // Also by the file itself, through the link.
  writeFileSync(second.files.key, first.key);
  writeFileSync(second.files.certificate, first.certificate);
  await until('the first to be served again', async () => isServed(first));
});
