/**
 * scripts/start --once on this machine, whose kernel may have no PPP: the server runs here, a client in a guest kernel. In
 * namespaces of the test's own, so that neither /etc nor /run nor the network of the machine is touched.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
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
status=0
scripts/start --once || status=$?
grep -c demonstration ${SECRETS} || true
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
  assert.match(stdout, /this kernel has no PPP: the server speaks PPP itself/);
  assert.match(stdout, /PPP by the builtin engine: .*through TUN devices/);
  assert.match(stdout, /ok {4}a ping through the tunnel: 64 bytes from 10\.99\.0\.1/);
  assert.match(stdout, /\n0\n/, 'its user is removed');
  assert.deepEqual([read('/etc/pptpd-ts.json'), read(SECRETS)], before);
});
