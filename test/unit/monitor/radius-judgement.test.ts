/** What RADIUS's verdict means for a session. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeByRadius, NotJudged, type RadiusContext } from '../../../src/monitor/radius-judgement.js';
import { secretOf } from '../../../src/monitor/radius-secret.js';
import type { RadiusLogin, RadiusVerdict } from '../../../src/radius/protocol.js';

const RETRY = '07'.repeat(16);
const circumstances = {
  settings: {
    servers: [
      { address: '192.0.2.53', authPort: 1812, acctPort: 1813, secretFile: '/etc/secret', timeout: 3, tries: 3 },
    ],
    nasIdentifier: 'server1',
    requireMessageAuthenticator: true,
  },
  stripDomain: false,
  local: '192.0.2.1',
  remote: '203.0.113.10',
  peer: '198.51.100.7',
  unit: 0,
  retryChallenge: RETRY,
};
const login = {
  method: 'pap',
  name: Buffer.from('HOME\\alice'),
  challenge: new Uint8Array(),
  response: Buffer.from('wonderland'),
  identifier: 1,
} as const;
const accepted = {
  outcome: 'accepted',
  message: '',
  keys: null,
  address: null,
  classes: ['c1a5'],
  interim: 120,
  sessionTime: 60,
  idleTime: null,
  routes: [],
  rate: {},
  filter: null,
  notes: [],
} as const;

const judge = async (verdict: RadiusVerdict, change: Partial<RadiusContext> = {}) => {
  const asked: RadiusLogin[] = [];
  const judgement = await judgeByRadius(login, { ...circumstances, ...change }, async (each) => {
    asked.push(each);
    return verdict;
  });
  return { ...judgement, asked };
};

test('the address is that of RADIUS, beyond the lease, too, or that of the lease', async () => {
  const addressFor = async (address: string | null, remote: string | null = circumstances.remote) => {
    const { verdict, grant } = await judge({ ...accepted, address }, { remote });
    assert(verdict.accepted);
    assert.equal(verdict.remote, grant?.remote);
    return verdict.remote;
  };
  assert.equal(await addressFor('203.0.113.77'), '203.0.113.77');
  assert.equal(await addressFor('203.0.113.77', null), '203.0.113.77');
  for (const chosenHere of [null, '255.255.255.254', '255.255.255.255']) {
    assert.equal(await addressFor(chosenHere), '203.0.113.10');
    assert.equal(await addressFor(chosenHere, null), null);
  }
  for (const impossible of ['192.0.2.1', '127.0.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.253'])
    assert.equal(await addressFor(impossible), null, impossible);
});

test('limits are handed on, and the domain is kept unless it is to be stripped', async () => {
  const { verdict, grant, asked } = await judge(accepted);
  assert(verdict.accepted);
  assert.deepEqual(verdict.limits, { account: null, sessions: null, sessionTime: 60, idleTime: null, filter: null });
  assert.equal(grant?.name, 'HOME\\alice');
  const name = Buffer.from('HOME\\alice').toString('hex');
  assert.deepEqual(grant?.radius, { name, classes: ['c1a5'], interim: 120 });
  assert.equal(Buffer.from(asked[0]?.name ?? '', 'hex').toString(), 'HOME\\alice');
  const stripped = await judge(accepted, { stripDomain: true });
  assert.equal(Buffer.from(stripped.asked[0]?.name ?? '', 'hex').toString(), 'alice');
  assert.equal(stripped.grant?.name, 'alice');
});

test('speed, filter and routes that lead to the client become its own, and the log says what does not count', async () => {
  const to = (network: string, gateway: string | null, metric: number | null = null) => ({ network, gateway, metric });
  const { verdict, grant, notes } = await judge({
    ...accepted,
    address: '203.0.113.77',
    rate: { up: 64_000 },
    filter: 'guests',
    routes: [
      to('198.51.100.0/25', null, 3),
      to('198.51.100.128/26', '203.0.113.77'),
      to('198.51.100.192/26', '192.0.2.9'),
    ],
    notes: ['something'],
  });
  assert(verdict.accepted);
  assert.equal(verdict.limits?.filter, 'guests');
  assert.equal(grant?.filter, 'guests');
  assert.deepEqual(grant.speed, { up: 64_000, down: null });
  assert.deepEqual(grant.routes, [
    { network: '198.51.100.0/25', metric: 3 },
    { network: '198.51.100.128/26', metric: null },
  ]);
  assert.equal(notes.length, 2);
  assert.match(notes[1] ?? '', /^ignored Framed-Route "198\.51\.100\.192\/26 192\.0\.2\.9": /);
  const plain = await judge(accepted);
  assert.deepEqual(
    [plain.grant?.speed, plain.grant?.routes, plain.grant?.filter],
    [{ up: null, down: null }, [], undefined],
  );
});

test('no limit, one of 0, and one that no timer can count', async () => {
  for (const [sessionTime, limit] of [
    [null, undefined],
    [0, null],
    [2_000_000, 2_000_000],
    [2_000_001, 0],
  ] as const) {
    const { verdict } = await judge({ ...accepted, sessionTime });
    assert(verdict.accepted);
    assert.equal(verdict.limits?.sessionTime, limit);
  }
});

test('a refusal lets the client try again when server and monitor do', async () => {
  const refused = { outcome: 'rejected', code: 646, retry: true, message: 'Not at night' } as const;
  assert.deepEqual((await judge(refused)).verdict, {
    accepted: false,
    code: 646,
    retryChallenge: RETRY,
    message: 'Not at night',
  });
  assert.deepEqual(await judge(refused, { retryChallenge: null }).then(({ verdict, grant }) => [verdict, grant]), [
    { accepted: false, code: 646, retryChallenge: null, message: 'Not at night' },
    null,
  ]);
});

test('without a verdict the servers that were asked are named', async () => {
  await assert.rejects(judge({ outcome: 'failed', problem: 'noAnswer' }), (error) => {
    assert(error instanceof NotJudged);
    assert.deepEqual(error.answer, { type: 'notJudged', problem: 'noAnswer', servers: '192.0.2.53:1812' });
    return true;
  });
});

test('a shared secret is one line of a file that only its owner can read', () => {
  const secret = secretOf('/etc/secret', { text: 'testing 123\n', mode: 0o600 });
  assert(secret.ok);
  assert.equal(secret.octets.toString(), 'testing 123');
  const problems = [
    [null, null, /missing or cannot be read/],
    ['testing123', 0o640, /can be read by others/],
    ['\n', 0o600, /does not have one line/],
    ['one\ntwo\n', 0o600, /does not have one line/],
  ] as const;
  for (const [text, mode, problem] of problems) {
    const wrong = secretOf('/etc/secret', { text, mode });
    assert(!wrong.ok);
    assert.match(wrong.problem, problem);
  }
});
