/** Sessions and the monitor, from the manager's side. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { identifyOurselves } from '../../../src/host/process.js';
import { MonitoredSessions } from '../../../src/manager/monitored-sessions.js';
import { MonitorError } from '../../../src/monitor/monitor-failure.js';
import { settled } from '../ctrl/client-socket.js';
import { LogLines } from '../ctrl/log-lines.js';

const NEW = {
  session: 'abc123',
  worker: process.pid,
  lease: { local: '192.0.2.1', remote: '203.0.113.10', callId: 7 },
  peer: { address: '198.51.100.7', port: 40_123 },
  server: '203.0.113.1',
};

/** A monitor that answers a registration when the test says so. */
function scene(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const lines = new LogLines();
  const registered: unknown[] = [];
  let settle: { resolve: () => void; reject: (error: Error) => void } = { resolve: assert.fail, reject: assert.fail };
  const registrar = {
    register: async (session: unknown) =>
      new Promise<void>((resolve, reject) => {
        registered.push(session);
        settle = { resolve, reject };
      }),
    release: async () => undefined,
    close: () => undefined,
  };
  const sessions = new MonitoredSessions(registrar, lines.log);
  let entered = false;
  const enter = async (): Promise<void> => {
    void sessions.enter(NEW).then(() => (entered = true));
    await settled();
  };
  return { lines, registered, enter, monitor: () => settle, hasEntered: () => entered };
}

describe('a session enters', () => {
  test('when the monitor knows it', async (t) => {
    const { registered, enter, monitor, hasEntered } = scene(t);
    await enter();
    const { local, remote, callId } = NEW.lease;
    const worker = identifyOurselves();
    assert.deepEqual(registered, [
      { session: 'abc123', worker, local, remote, peer: '198.51.100.7', server: '203.0.113.1', callId },
    ]);
    assert.equal(hasEntered(), false);
    monitor().resolve();
    await settled();
    assert.equal(hasEntered(), true);
  });

  test('without a monitor that stands still; if that never answers, the log says so', async (t) => {
    const { lines, enter, monitor, hasEntered } = scene(t);
    await enter();
    t.mock.timers.tick(1000);
    await settled();
    assert.equal(hasEntered(), true);
    assert.deepEqual(lines.all, []);
    monitor().reject(new MonitorError({ kind: 'unavailable', code: 'ETIMEDOUT' }));
    await settled();
    assert.deepEqual(lines.at('error'), [
      'cannot register a session with the monitor: the monitor does not answer: ETIMEDOUT',
    ]);
  });
});
