/** A session as the monitor sees it, without root: what does not need an interface. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { Guesses, PER_WORKER } from '../../../src/monitor/guesses.js';
import { GuessLimits } from '../../../src/monitor/guess-limits.js';
import type { Grant } from '../../../src/monitor/authentication.js';
import { MonitoredSession, type MonitorServices, type SavedSession } from '../../../src/monitor/monitored-session.js';
import type { Step } from '../../../src/monitor/iproute.js';
import type { ChapMethod, LoginMethod, MonitorAnswer } from '../../../src/monitor/protocol.js';
import type { RadiusVerdict } from '../../../src/radius/protocol.js';
import { StateFolder } from '../../../src/monitor/state-folder.js';
import { AccountUsage } from '../../../src/monitor/account-usage.js';
import { UserAccounts } from '../../../src/monitor/user-accounts.js';
import { responseMd5 } from '../../../src/mschap/chap-md5.js';
import { responseV1 } from '../../../src/mschap/ms-chap-v1.js';
import { responseV2 } from '../../../src/mschap/ms-chap-v2.js';
import { ntHash } from '../../../src/mschap/password-hash.js';
import { SystemCallFailed } from '../../../src/sys/libc.js';
import type { NetworkConfiguration } from '../../../src/sys/network-configuration.js';
import { LogLines } from '../ctrl/log-lines.js';

const PASSWORD = 'wonderland';
const SESSION = 'abc123';
const RADIUS = { servers: [], nasIdentifier: 'server1', requireMessageAuthenticator: true };
const LIFE_MS = 120_000;

const RESPONSES: Readonly<Record<ChapMethod, (challenge: Buffer, password: string) => Uint8Array>> = {
  'ms-chap-v2': (challenge, password) =>
    responseV2({ ntHash: ntHash(password), name: Buffer.from('alice'), challenge, clientChallenge: randomBytes(16) }),
  'ms-chap': (challenge, password) => responseV1(ntHash(password), challenge),
  'chap-md5': (challenge, password) => responseMd5({ identifier: 1, secret: Buffer.from(password), challenge }),
};

class Scene {
  session: MonitoredSession;
  readonly #folder: StateFolder;
  readonly #make: (saved: SavedSession | null) => MonitoredSession;

  readonly usage: AccountUsage;
  readonly guesses: GuessLimits;
  /** What iproute2 was told. */
  readonly taken: string[] = [];

  constructor(
    t: TestContext,
    authentication: readonly LoginMethod[],
    network: Partial<NetworkConfiguration> = {},
    radius: Partial<Pick<MonitorServices, 'askRadius'>> = {},
  ) {
    const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-session-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const secrets = join(directory, 'chap-secrets');
    writeFileSync(secrets, `alice * ${PASSWORD} *\n`);
    this.#folder = new StateFolder(join(directory, 'state'));
    const { log } = new LogLines('info');
    this.usage = new AccountUsage(log, () => []);
    this.guesses = new GuessLimits(this.#folder, log);
    const settings = {
      secrets,
      accounts: join(directory, 'accounts.json'),
      name: 'pptpd',
      stripDomain: false,
      authentication,
      proxyArp: false,
      vrf: null,
      ...(radius.askRadius === undefined ? {} : { radius: RADIUS }),
    };
    const services = {
      settings: () => settings,
      users: new UserAccounts(log),
      usage: this.usage,
      guesses: this.guesses,
      askRadius: () => assert.fail('there is no RADIUS'),
      account: () => assert.fail('there is no RADIUS'),
      ...radius,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a test needs of it
      network: network as NetworkConfiguration,
      take: async (steps: readonly Step[]) =>
        void this.taken.push(...steps.map(({ program, args }) => `${program} ${args.join(' ')}`)),
      folder: this.#folder,
      log,
    };
    const registration = {
      session: SESSION,
      worker: { pid: 1, startTime: '1' },
      local: '192.0.2.1',
      remote: '203.0.113.10',
      peer: '198.51.100.7',
      server: '203.0.113.1',
      callId: 1,
    };
    this.#make = (saved) => new MonitoredSession(registration, services, new Guesses(PER_WORKER, 0), saved);
    this.session = this.#make(null);
  }

  get saved(): SavedSession {
    return this.#folder.read(SESSION) as SavedSession;
  }

  /** Another monitor takes over. */
  restart(changed: Partial<SavedSession> = {}): void {
    this.session = this.#make({ ...this.saved, ...changed });
  }

  async challenge(method: ChapMethod): Promise<string> {
    const { answer } = await this.session.request({ type: 'challenge', method });
    assert(answer.type === 'challenge', answer.type);
    return answer.challenge;
  }

  async logIn(method: ChapMethod, challenge: string, password = PASSWORD): Promise<MonitorAnswer> {
    return this.respond(method, challenge, RESPONSES[method](Buffer.from(challenge, 'hex'), password));
  }

  async respond(method: LoginMethod, challenge: string, response: Uint8Array): Promise<MonitorAnswer> {
    const name = Buffer.from('alice').toString('hex');
    const octets = Buffer.from(response).toString('hex');
    return (
      await this.session.request({ type: 'authenticate', method, name, challenge, response: octets, identifier: 1 })
    ).answer;
  }
}

const REFUSED = { type: 'refused', reason: 'challenge' } as const;
const isAccepted = (answer: MonitorAnswer): boolean => answer.type === 'verdict' && answer.verdict.accepted;

describe('a login needs a challenge of the monitor', () => {
  for (const [method, octets] of [
    ['ms-chap-v2', 16],
    ['ms-chap', 8],
    ['chap-md5', 16],
  ] as const)
    test(`${method}: its own, once`, async (t) => {
      const scene = new Scene(t, [method]);
      const own = randomBytes(octets).toString('hex');
      assert.deepEqual(await scene.logIn(method, own), REFUSED);
      const challenge = await scene.challenge(method);
      assert.equal(challenge.length, 2 * octets);
      assert.deepEqual(await scene.logIn(method, own), REFUSED);
      assert(isAccepted(await scene.logIn(method, challenge)));
      assert.deepEqual(await scene.logIn(method, challenge), REFUSED);
    });

  test('not one of another session, of another method, of the call before, or one that was replaced', async (t) => {
    const scene = new Scene(t, ['ms-chap-v2', 'chap-md5']);
    const other = new Scene(t, ['ms-chap-v2']);
    await scene.challenge('ms-chap-v2');
    assert.deepEqual(await scene.logIn('ms-chap-v2', await other.challenge('ms-chap-v2')), REFUSED);
    assert.deepEqual(await scene.logIn('chap-md5', await scene.challenge('ms-chap-v2')), REFUSED);
    const replaced = await scene.challenge('ms-chap-v2');
    const last = await scene.challenge('ms-chap-v2');
    assert.deepEqual(await scene.logIn('ms-chap-v2', replaced), REFUSED);
    await scene.session.request({ type: 'close' });
    assert.deepEqual(await scene.logIn('ms-chap-v2', last), REFUSED);
  });

  test('for two minutes', async (t) => {
    const scene = new Scene(t, ['ms-chap-v2']);
    let now = 1000;
    t.mock.method(process, 'hrtime', () => [now, 0]);
    const challenge = await scene.challenge('ms-chap-v2');
    now += LIFE_MS / 1000;
    assert.deepEqual(await scene.logIn('ms-chap-v2', challenge), REFUSED);
  });

  test('after a wrong password: the one in the refusal', async (t) => {
    const scene = new Scene(t, ['ms-chap-v2']);
    const first = await scene.challenge('ms-chap-v2');
    const answer = await scene.logIn('ms-chap-v2', first, 'wrong');
    assert(answer.type === 'verdict' && !answer.verdict.accepted);
    const next = answer.verdict.retryChallenge ?? assert.fail('it may not try again');
    assert.notEqual(next, first);
    assert.deepEqual(await scene.logIn('ms-chap-v2', first), REFUSED);
    assert(isAccepted(await scene.logIn('ms-chap-v2', next)));
  });

  test('none after the last guess', async (t) => {
    const scene = new Scene(t, ['ms-chap-v2']);
    let challenge: string | null = await scene.challenge('ms-chap-v2');
    let guesses = 0;
    for (; challenge !== null; guesses += 1) {
      const answer: MonitorAnswer = await scene.logIn('ms-chap-v2', challenge, 'wrong');
      assert(answer.type === 'verdict' && !answer.verdict.accepted);
      challenge = answer.verdict.retryChallenge;
    }
    assert.equal(guesses, 10);
  });

  test('a restarted monitor knows it', async (t) => {
    const scene = new Scene(t, ['ms-chap-v2']);
    const challenge = await scene.challenge('ms-chap-v2');
    scene.restart();
    assert(isAccepted(await scene.logIn('ms-chap-v2', challenge)));
    scene.restart();
    assert.deepEqual(await scene.logIn('ms-chap-v2', challenge), REFUSED);
  });

  test('PAP has none', async (t) => {
    const scene = new Scene(t, ['pap']);
    assert(isAccepted(await scene.respond('pap', '', Buffer.from(PASSWORD))));
  });
});

const INDEX = 7;
const PAIR = { local: '192.0.2.1', remote: '203.0.113.10' };
const SPEED = { up: null, down: 64_000 };
const GRANT: Grant = { name: 'alice', remote: PAIR.remote, rules: [], account: 'alice', speed: SPEED, routes: [] };

/** A session whose tunnel is up; every machine has an interface `lo`. `steps`: what is done to it. */
function upScene(
  t: TestContext,
  grant: Grant,
  failing?: 'setUp' | null,
  radius: Partial<Pick<MonitorServices, 'askRadius'>> = {},
): { readonly scene: Scene; readonly steps: string[] } {
  const steps: string[] = [];
  const network: Partial<NetworkConfiguration> = {
    index: () => INDEX,
    setMtu: () => undefined,
    removeAddresses: () => void steps.push('removeAddresses'),
    setUp: (_, isUp) => {
      if (isUp && failing === 'setUp') throw new SystemCallFailed('bring up lo', 'EIO');
      steps.push(isUp ? 'up' : 'down');
    },
  };
  const scene = new Scene(t, ['pap'], network, radius);
  scene.restart({
    grant,
    device: { name: 'lo', index: INDEX, since: 1 },
    ipv4: { pair: PAIR, name: grant.name, proxyArp: null, hasScripts: false },
    speed: SPEED,
  });
  return { scene, steps };
}

describe('a login while the tunnel of another one is up', () => {
  const logins: [what: string, password: string, grant: Grant, steps: string[]][] = [
    ['refused: the tunnel goes down', 'wrong', GRANT, ['removeAddresses', 'down']],
    ['as somebody else: likewise', PASSWORD, { ...GRANT, name: 'bob', account: 'bob' }, ['removeAddresses', 'down']],
    ['the same again: the tunnel stays', PASSWORD, { ...GRANT, account: null }, []],
  ];
  for (const [what, password, grant, expected] of logins)
    test(what, async (t) => {
      const { scene, steps } = upScene(t, grant);
      const count = t.mock.method(scene.usage, 'count');
      const answer = await scene.respond('pap', '', Buffer.from(password));
      assert.equal(isAccepted(answer), password === PASSWORD);
      assert.deepEqual(steps, expected);
      // What was used until then is charged to whoever was logged in.
      const charged = count.mock.calls.map(({ arguments: [reading] }) => reading.name);
      assert.deepEqual(charged, grant.account === null ? [] : [grant.account]);
    });
});

describe('a login while the tunnel is up has its speed at once', () => {
  const VERDICT = {
    outcome: 'accepted',
    message: '',
    keys: null,
    address: null,
    routes: [],
    classes: [],
    interim: null,
    sessionTime: null,
    idleTime: null,
    filter: null,
    notes: [],
    rate: {},
  } as const satisfies RadiusVerdict;
  const OF_ALICE = { ...GRANT, account: null };
  const FASTER = 'tc qdisc replace dev lo root tbf rate 128000bit burst 4096b latency 100ms';

  for (const [what, rate, expected] of [
    ['a new one', { down: 128_000 }, [FASTER]],
    ['the same', { down: SPEED.down }, []],
    ['none', {}, ['tc qdisc del dev lo root']],
  ] as const)
    test(what, async (t) => {
      const askRadius = async (): Promise<RadiusVerdict> => Promise.resolve({ ...VERDICT, rate });
      const { scene, steps } = upScene(t, OF_ALICE, null, { askRadius });
      assert(isAccepted(await scene.respond('pap', '', Buffer.from(PASSWORD))));
      assert.deepEqual(scene.taken, expected);
      assert.deepEqual(scene.saved.speed, { up: null, down: null, ...rate });
      assert.deepEqual(steps, [], 'the tunnel stays up');
    });

  test('also without RADIUS', async (t) => {
    const { scene } = upScene(t, OF_ALICE);
    assert(isAccepted(await scene.respond('pap', '', Buffer.from(PASSWORD))));
    assert.deepEqual(scene.taken, ['tc qdisc del dev lo root']);
  });

  for (const [what, changed] of [
    ['is down', { ipv4: null }],
    ["is another session's", { device: { name: 'lo', index: INDEX + 1, since: 1 } }],
  ] as const)
    test(`but not an interface that ${what}`, async (t) => {
      const { scene } = upScene(t, OF_ALICE);
      scene.restart(changed);
      assert(isAccepted(await scene.respond('pap', '', Buffer.from(PASSWORD))));
      assert.deepEqual(scene.taken, []);
      assert.deepEqual(scene.saved.grant?.speed, { up: null, down: null });
    });
});

test('the speed limit is still known to be in force when the interface could not be configured', async (t) => {
  const { scene, steps } = upScene(t, GRANT, 'setUp');
  await assert.rejects(
    scene.session.request({ type: 'configure', mtu: 1400, ipv4: PAIR, ipv6: null }),
    /bring up lo: EIO/,
  );
  assert.deepEqual(steps, ['removeAddresses', 'down']);
  await scene.session.request({
    type: 'authenticate',
    method: 'pap',
    name: '',
    challenge: '',
    response: '',
    identifier: 1,
  });
  assert.deepEqual(scene.saved.speed, SPEED);
});

describe('a login that RADIUS does not answer', () => {
  const CANCELED = { type: 'failed', step: 'judge a login whose call ends', code: 'ECANCELED' } as const;
  /** The question that stays open, and the login that waits for it. */
  async function waiting(t: TestContext) {
    let isAsked = (): void => undefined;
    const asked = new Promise<void>((resolve) => (isAsked = resolve));
    const scene = new Scene(
      t,
      ['pap'],
      {},
      {
        askRadius: async () => {
          isAsked();
          return new Promise(() => undefined);
        },
      },
    );
    const login = scene.respond('pap', '', Buffer.from(PASSWORD));
    await asked;
    return { scene, login };
  }

  test('does not delay the end of its call, and has used a guess', async (t) => {
    const { scene, login } = await waiting(t);
    const { answer } = await scene.session.request({ type: 'close' });
    assert.deepEqual(answer, { type: 'done' });
    assert.deepEqual(await login, CANCELED);
    assert.equal(scene.saved.guesses, 1);
  });

  test('does not delay the end of its session, nor does one that has its turn after that', async (t) => {
    const { scene, login } = await waiting(t);
    const later = scene.respond('pap', '', Buffer.from(PASSWORD));
    await scene.session.end('over');
    assert.deepEqual(await login, CANCELED);
    assert.deepEqual(await later, { type: 'refused', reason: 'notPermitted' });
  });
});

describe('a change by RADIUS', () => {
  const change = { sessionTime: null, idleTime: null, rate: {} };

  test('of the times goes to the worker, as in an Access-Accept: 0 is none of its own', async (t) => {
    const { scene } = upScene(t, GRANT);
    const asked: unknown[] = [];
    const ask = async (request: unknown) => asked.push(request) > 0;
    assert(await scene.session.change({ ...change, sessionTime: 60 }, ask));
    assert(await scene.session.change({ ...change, sessionTime: 3_000_000, idleTime: 0 }, ask));
    assert.deepEqual(asked, [
      { op: 'limits', sessionTime: 60 },
      { op: 'limits', sessionTime: 0, idleTime: null },
    ]);
  });

  test('of the speed is written down; of a worker that does not do its part nothing is done', async (t) => {
    // Nothing is up yet, so there is no interface to limit.
    const scene = new Scene(t, ['pap']);
    scene.restart({ grant: GRANT });
    assert(await scene.session.change({ ...change, rate: { up: 9000 } }, () => assert.fail('it has no part in it')));
    assert.deepEqual(scene.saved.grant?.speed, { up: 9000, down: SPEED.down });
    assert.equal(await scene.session.change({ ...change, idleTime: 9, rate: { up: 8000 } }, async () => false), false);
    assert.equal(scene.saved.grant?.speed.up, 9000);
  });

  test('selects by all that it names', (t) => {
    const radius = { name: '616c696365', classes: [], interim: null };
    const { scene } = upScene(t, { ...GRANT, radius });
    const all = { id: null, name: radius.name, address: PAIR.remote, port: null, portId: 'lo', client: '198.51.100.7' };
    assert(scene.session.isSelected(all));
    for (const other of [
      { name: '00' },
      { address: '203.0.113.11' },
      { portId: 'ppp1' },
      { client: '198.51.100.8' },
      { id: 'x' },
    ])
      assert(!scene.session.isSelected({ ...all, ...other }), JSON.stringify(other));
  });
});
