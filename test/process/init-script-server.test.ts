/** The init script with the real server: an error in the configuration ends neither the server nor a session. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { Client } from './support/client.js';
import { enterNamespace } from './support/netns.js';
import { CLIENT_ADDRESSES, SERVER_ADDRESS, Server } from './support/server.js';

enterNamespace(SERVER_ADDRESS, ...CLIENT_ADDRESSES);

test('reload and restart with an error in the configuration, and after it is corrected', async (t) => {
  const server = new Server(false);
  t.after(() => server.cleanUp());
  const pidFile = join(server.runDirectory, 'manager.pid');
  const defaults = join(server.directory, 'defaults');
  writeFileSync(
    defaults,
    [
      `DAEMON=${resolve('bin/pptpd-ts')}`,
      `CONFIG=${server.configurationFile}`,
      `PIDFILE=${pidFile}`,
      `OUTPUT=${join(server.directory, 'output')}`,
    ].join('\n'),
  );
  const run = (action: string): { readonly code: number | null; readonly text: string } => {
    const env = { ...process.env, PPTPD_TS_DEFAULTS: defaults };
    const { status, stdout, stderr } = spawnSync(resolve('scripts/init.d/pptpd-ts'), [action], {
      encoding: 'utf8',
      env,
    });
    return { code: status, text: stdout + stderr };
  };
  const pid = (): string => readFileSync(pidFile, 'utf8').trim();

  server.configure();
  assert.equal(run('start').code, 0);
  const first = pid();
  const client = await Client.start();

  const mistake = /limits\.connections: .*-1/;
  server.configure({ limits: { connections: -1 } });
  for (const action of ['reload', 'restart', 'try-restart']) {
    const { code, text } = run(action);
    assert.equal(code, 6, text);
    assert.match(text, mistake);
    assert.equal(pid(), first);
    await client.echo();
  }
  server.configure({ pppd: { path: '/nowhere/pppd' } });
  const { code, text } = run('restart');
  assert.equal(code, 1, text);
  assert.match(text, /FAIL {2}pppd: \/nowhere\/pppd is missing/);
  assert.equal(pid(), first);

  server.configure();
  assert.deepEqual(run('reload'), { code: 0, text: 'pptpd-ts: configuration reloaded for new clients\n' });
  assert.equal(pid(), first);
  const restarted = run('restart');
  assert.equal(restarted.code, 0, restarted.text);
  assert.notEqual(pid(), first);
  await client.echo();
  assert.equal(run('stop').code, 0);
  await server.nothingLeft();
});
