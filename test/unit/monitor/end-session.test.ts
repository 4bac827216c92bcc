/** The end of a session for a RADIUS server, when its worker hangs. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { endSession } from '../../../src/monitor/end-session.js';
import { sessionSocketPath } from '../../../src/session/paths.js';
import { LogLines } from '../ctrl/log-lines.js';

const SESSION = 'abc123';

test('the request is sent, and its descriptor is closed though the worker never closes its own', {
  timeout: 20_000,
}, async (t) => {
  const runDirectory = mkdtempSync(join(tmpdir(), 'pptpd-ts-end-'));
  t.after(() => rmSync(runDirectory, { recursive: true }));
  const path = sessionSocketPath(runDirectory, SESSION);
  mkdirSync(dirname(path));
  const server = createServer({ allowHalfOpen: true }).listen(path);
  t.after(() => server.close());
  await once(server, 'listening');
  const { log } = new LogLines('info');
  endSession({ runDirectory, session: SESSION, worker: process.pid, detail: 'test', log, patience: 50 });
  const [socket] = (await once(server, 'connection')) as [Socket];
  t.after(() => socket.destroy());
  const [request] = (await once(socket, 'data')) as [Buffer];
  assert.match(request.toString(), /"op":"disconnect".*"radiusDisconnect"/);
  // Writing fails as soon as nobody has the other end.
  const closed = once(socket, 'error').catch((error: unknown) => [error]);
  const probe = setInterval(() => socket.write('x'), 20);
  t.after(() => clearInterval(probe));
  const [error] = await closed;
  assert(['EPIPE', 'ECONNRESET'].includes((error as NodeJS.ErrnoException).code ?? ''));
});
