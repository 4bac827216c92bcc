/** The RADIUS process between the monitor and the servers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import type { RadiusServer } from '../../../src/radius/client.js';
import { authenticatorOf, encodeReply } from '../../../src/radius/packet.js';
import type { FromRadius, ProcessSettings, RadiusLogin } from '../../../src/radius/protocol.js';
import { RadiusService } from '../../../src/radius/radius-service.js';
import { TestClock } from './test-clock.js';

const SECRET = Buffer.from('secret');
const SETTINGS: ProcessSettings = {
  servers: [
    {
      address: '192.0.2.53',
      authPort: 1812,
      acctPort: 1813,
      secret: SECRET.toString('hex'),
      timeout: 1,
      tries: 1,
    },
  ],
  nasIdentifier: 'server1',
  requireMessageAuthenticator: true,
};
const LOGIN: RadiusLogin = {
  method: 'pap',
  name: Buffer.from('alice').toString('hex'),
  challenge: '',
  response: Buffer.from('wonderland').toString('hex'),
  identifier: 1,
  port: 0,
  client: '198.51.100.7',
};
const settle = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function fixture() {
  const clock = new TestClock();
  const told: FromRadius[] = [];
  const sent: { readonly server: RadiusServer; readonly octets: Uint8Array }[] = [];
  const lines: string[] = [];
  const service = new RadiusService({
    random: (octets) => new Uint8Array(octets).fill(sent.length),
    now: () => clock.now,
    startTimer: clock.startTimer,
    wallClock: () => 0,
    send: (server, { octets }) => sent.push({ server, octets }),
    onServers: () => undefined,
    onListen: () => undefined,
    hasAddress: () => false,
    tell: (message) => told.push(message),
    log: pino({}, { write: (line) => lines.push(line) }),
  });
  const accept = (secret = SECRET): void => {
    const { server, octets } = sent.at(-1) ?? assert.fail('nothing was sent');
    const how = { secret, request: authenticatorOf(octets), isSigned: true };
    const reply = encodeReply({ code: 2, identifier: octets[1] ?? 0, attributes: [] }, how);
    service.recvReply(server, 'auth', reply);
  };
  return { clock, told, sent, lines, service, accept };
}

test('the same settings again leave open questions open, others do not', async () => {
  const { told, service, accept } = fixture();
  service.recv({ type: 'configure', settings: SETTINGS });
  service.recv({ type: 'login', id: 1, login: LOGIN });
  service.recv({ type: 'configure', settings: { ...SETTINGS } });
  accept();
  await settle();
  assert.deepEqual(
    told.map((message) => [message.id, message.type === 'verdict' && message.verdict.outcome]),
    [[1, 'accepted']],
  );
  service.recv({ type: 'login', id: 2, login: LOGIN });
  service.recv({ type: 'configure', settings: { ...SETTINGS, nasIdentifier: 'server2' } });
  await settle();
  assert.deepEqual(told.at(-1), { type: 'verdict', id: 2, verdict: { outcome: 'failed', problem: 'noAnswer' } });
});

test('a login before there are settings, or that RADIUS has no room for, is answered at once', async () => {
  const { told, sent, service } = fixture();
  service.recv({ type: 'login', id: 1, login: LOGIN });
  service.recv({ type: 'configure', settings: SETTINGS });
  service.recv({ type: 'login', id: 2, login: { ...LOGIN, name: '' } });
  await settle();
  assert.deepEqual(
    told.map((message) => message.type === 'verdict' && message.verdict.outcome),
    ['failed', 'rejected'],
  );
  assert.equal(sent.length, 0);
});

test('dropped replies are counted by reason, in a line a minute', async () => {
  const { clock, lines, service, accept } = fixture();
  service.recv({ type: 'configure', settings: SETTINGS });
  service.recv({ type: 'login', id: 1, login: LOGIN });
  for (let count = 0; count < 5; count += 1) accept(Buffer.from('another'));
  clock.pass(500);
  const dropped = () => lines.flatMap((line) => (JSON.parse(line) as { dropped?: object }).dropped ?? []);
  assert.deepEqual(dropped(), [{ forged: 1 }]);
  clock.pass(60_000);
  accept();
  assert.deepEqual(dropped(), [{ forged: 1 }, { forged: 5, unexpected: 1 }]);
  assert(!lines.join('').includes('secret"'));
});
