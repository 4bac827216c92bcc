import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { describeSession } from '../../../src/cli/description.js';
import { lastLines, logLineText } from '../../../src/admin/log-tail.js';
import { noneCounted } from '../../../src/gre/relay-counters.js';
import type { SessionState } from '../../../src/session/state.js';
import { aStateUp } from '../session/a-state.js';
import { labels, recorded, sections } from './commands-document.js';

const NOW = aStateUp().since + 90_000;
const describe = (state: SessionState, interfaceName: string | null, quota: string | null = null): string =>
  describeSession(state, { interfaceName, quota, now: NOW });
/** The reader's result for a login that negotiated every value. */
const PPP = {
  phase: 'up',
  authentication: { protocol: 'MS-CHAPv2', method: null, result: 'succeeded' },
  encryption: { method: 'mppe', bits: 128, stateless: true, oneWay: null },
  mru: { toClient: 1400, fromClient: 1500 },
  accm: { toClient: 0, fromClient: 0xffffffff },
  identification: ['MSRASV5.20'],
  refusals: [{ protocol: 'IPCP', option: 'address', how: 'nak', by: 'server', asked: null }],
};

test('a session is described completely', () => {
  const state = aStateUp({
    log: { level: 'debug', file: '/var/log/pptpd-ts/session-abc123.log' },
    ppp: PPP,
    counters: {
      rxPackets: 99,
      rxBytes: 2048,
      rxLost: 1,
      rxHeld: 3,
      rxLate: 1,
      rxDuplicate: 2,
      roundTrip: 12.34,
      timeout: 200,
      window: 16,
      outstanding: 1,
      rxWrongCallId: 7,
      rxPtyFull: 0,
    },
  });
  const text = describe(state, 'ppp3');
  for (const line of [
    /^ {2}user +alice$/m,
    /^ {2}client +198\.51\.100\.7:40123$/m,
    /^ {2}since .*\(1 min 30 s\)$/m,
    /^ {2}pppd +process 18, ppp3$/m,
    /^ {2}log +level debug, .*session-abc123\.log$/m,
    /^ {2}authentication +MS-CHAPv2: succeeded$/m,
    /^ {2}encryption +MPPE 128 stateless$/m,
    /^ {2}MRU +1400 to the client, 1500 from it$/m,
    /^ {2}ACCM +0x00000000 to the client, 0xffffffff from it$/m,
    /^ {2}client says +MSRASV5\.20$/m,
    /^ {2}refused +IPCP address \(nak by the server\)$/m,
    /^ {2}lost +1 of the client's packets \(1\.00 %\)$/m,
    /^ {2}reordered +3 held, 1 too late, 2 duplicate$/m,
    /^ {2}round trip +12\.3 ms, time-out 200 ms$/m,
    /^ {2}window +16 packets, 1 unacknowledged$/m,
    /^ {2}rxWrongCallId +7$/m,
  ]) {
    assert.match(text, line);
  }
  assert.doesNotMatch(text, /rxPtyFull|failure|DNS|null|undefined/);
});

test('what the kernel’s path does not measure is not shown as 0', () => {
  const counters = { rxPackets: 99, rxBytes: 2048, txPackets: 98, txBytes: 1024, acksSentAlone: 3 };
  const text = describe(aStateUp({ link: 'kernel', pppdPid: null, counters }), 'ppp3');
  for (const line of [
    /^ {2}PPP +builtin engine, ppp3 \(the kernel's PPTP driver\)$/m,
    /^ {2}received +99 packets, 2\.0 KiB$/m,
    /^ {2}lost +not known: /m,
    /^ {2}reordered +not known: /m,
    /^ {2}round trip +not known: /m,
    /^ {2}window +not known: /m,
  ])
    assert.match(text, line);
});

test('docs/commands.md shows a session with existing labels in their order', () => {
  const [session = ''] = sections.get('show')?.recordings[0]?.words.slice(1) ?? [];
  const [title, ...shown] = labels(recorded('show', session).filter((line) => !/^ {2}\d/.test(line)));
  assert.equal(title, `session ${session}`);
  const counters = Object.keys(noneCounted());
  // A session that shows every label. Counters are shown only if they are not 0.
  const counted = Object.fromEntries(counters.map((name) => [name, 1]));
  const addresses = { local: '203.0.113.1', remote: '203.0.113.10', dns: [], wins: [] };
  const state = aStateUp({ ppp: { ...PPP, addresses }, counters: counted });
  const [, ...known] = labels(describe(state, 'ppp3').split('\n'));
  const all = [...known, 'last log lines (UTC)'];
  let at = -1;
  for (const label of shown) {
    const next = all.indexOf(label, at + 1);
    assert(next > at, `${label} is not shown after ${all[at] ?? 'the title'}`);
    at = next;
  }
});

test('a session without a call has no negotiation and no traffic', () => {
  const text = describe(aStateUp({ phase: 'connected', user: null, pppdPid: null }), null);
  assert.doesNotMatch(text, /negotiation|traffic|counters|pppd +process|user/);
});

test('the speed limits in force and the quota are shown, where there are some', () => {
  const rows = (speed: SessionState['speed'], quota: string | null): string[] =>
    describe(aStateUp({ speed }), null, quota)
      .split('\n')
      .filter((line) => /^ {2}(speed|quota) /.test(line))
      .map((line) => line.replaceAll(/ +/g, ' '));
  assert.deepEqual(rows(null, null), []);
  assert.deepEqual(rows({ up: 5_000_000, down: null }, 'all of it'), [' speed up 5.0 Mbit/s', ' quota all of it']);
  assert.deepEqual(rows({ up: 512_000, down: 20_000_000 }, null), [' speed up 512 kbit/s, down 20.0 Mbit/s']);
});

test('the limits of the account are shown, where it has some', () => {
  const limitsIn = (parts: object): string | undefined => {
    const limits = { account: 'alice', sessions: null, sessionTime: null, idleTime: null, filter: null, ...parts };
    return /^ {2}limits +(.*)$/m.exec(describe(aStateUp({ limits }), null))?.[1];
  };
  assert.equal(limitsIn({}), undefined);
  assert.equal(limitsIn({ sessions: 2, idleTime: 1800 }), 'sessions 2, idle time 30 min (of the account)');
  assert.equal(limitsIn({ filter: 'guests' }), 'filter "guests" (of the account)');
  assert.equal(
    limitsIn({ sessions: 0, sessionTime: 0 }),
    'sessions without limit, session time without limit (of the account)',
  );
});

test('a session of the builtin engine has its interface, and no pppd', () => {
  const parts = { pppdPid: null, link: 'tun' } as const;
  assert.match(describe(aStateUp(parts), 'ppp3'), /^ {2}PPP +builtin engine, ppp3 \(TUN device\)$/m);
  assert.match(describe(aStateUp(parts), null), /^ {2}PPP +builtin engine, no interface yet /m);
  assert.doesNotMatch(describe(aStateUp(parts), 'ppp3'), /pppd/);
  assert.doesNotMatch(describe(aStateUp(), 'ppp3'), /builtin/);
});

test('the last lines of a log are read, without lines that a full disk has cut', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'session.log');
  const line = (number: number): string =>
    JSON.stringify({ level: 'info', time: '2026-11-23T10:04:07.123Z', msg: `line ${number} ${'x'.repeat(1000)}` });
  const lines = Array.from({ length: 100 }, (_, number) => line(number));
  writeFileSync(file, [...lines.slice(0, 99), line(99).slice(0, 30), line(100), ''].join('\n'));
  const numbers = lastLines(file, 3).map(({ msg }) => String(msg).split(' ')[1]);
  assert.deepEqual(numbers, ['97', '98', '100']);
  assert.deepEqual(lastLines(file, 0), []);
  assert.throws(() => lastLines('/dev/null', 1), /is not a regular file/);
  assert.ok(lastLines(file, 1000).length < 100, 'only the end of the file is read');
  assert.match(logLineText(lastLines(file, 1)[0] ?? {}), /^10:04:07 info {2}line 100 /);
});
