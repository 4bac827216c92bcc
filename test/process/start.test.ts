/**
 * scripts/start --once on this machine, whose kernel may have no PPP: the server runs here, a client in a guest kernel. In
 * namespaces of the test's own, so that neither /etc nor /run nor the network of the machine is touched.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const SECRETS = '/etc/ppp/chap-secrets';
const STARTS = `
set -e
work=$(mktemp -d)
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$work/upper,workdir=$work/work" /etc
rm -f /etc/pptpd-ts.json
mount -t tmpfs tmpfs /run
ip link set lo up
# As in a home folder of Debian.
mkdir -m 700 "$work/home"
mkdir "$work/home/checkout"
mount --bind . "$work/home/checkout"
cd "$work/home/checkout"
status=0
scripts/start --once || status=$?
grep -c demonstration ${SECRETS} || true
cd /
umount "$work/home/checkout"
umount /etc
umount "$work"
rmdir "$work"
exit $status
`;

/** The process namespace ends with the test, and everything in it. */
const NAMESPACES = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];

const read = (path: string): string | null => (existsSync(path) ? readFileSync(path, 'utf8') : null);

test('scripts/start --once serves a real client, and leaves neither its user nor its network device', (t) => {
  if (existsSync('/dev/ppp')) {
    t.skip('this machine has PPP: there is no demonstration');
    return;
  }
  const before = [read('/etc/pptpd-ts.json'), read(SECRETS)];
  const { status, stdout, stderr } = spawnSync('unshare', [...NAMESPACES, 'bash', '-c', STARTS], {
    encoding: 'utf8',
    timeout: 240_000,
  });
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /other users cannot read .*\/home\/checkout: this script and the server see it as \/mnt/);
  assert.match(stdout, /this kernel has no PPP: the server speaks PPP itself/);
  assert.match(stdout, /PPP by the builtin engine: .*through TUN devices/);
  assert.match(stdout, /ok {4}a ping through the tunnel: 64 bytes from 10\.99\.0\.1/);
  assert.match(stdout, /\n0\n/, 'its user is removed');
  assert.deepEqual([read('/etc/pptpd-ts.json'), read(SECRETS)], before);
});

test("sudo gets what the network needs: the proxies, npm's settings, certificates", (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pptpd-ts-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, 'sudo'), '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
  // The user may not be able to read this checkout.
  const script = `${readFileSync('scripts/console.bash', 'utf8')}\nneed_root`;
  const kept = {
    http_proxy: 'http://192.0.2.1:3128',
    NODE_EXTRA_CA_CERTS: '/etc/ca.pem',
    npm_config_cafile: '/etc/ca.pem',
  };
  const { stdout, stderr } = spawnSync('setpriv', ['--reuid=65534', '--clear-groups', 'bash', '-c', script, 'start'], {
    encoding: 'utf8',
    cwd: '/',
    env: { ...kept, SECRET: 'x', PATH: `${folder}:/usr/sbin:/usr/bin:/sbin:/bin` },
  });
  const words = stdout.split('\n');
  for (const [name, value] of Object.entries(kept)) assert(words.includes(`${name}=${value}`), stdout + stderr);
  assert(!stdout.includes('SECRET'), stdout);
});
