/**
 * Makes an OCI runtime bundle of an image layout: unpacks its layer, and writes the config.json that an engine would write.
 *
 *   node bundle.mjs unpack LAYOUT FOLDER      FOLDER/rootfs and FOLDER/image.json
 *   node bundle.mjs configure FOLDER OPTIONS  FOLDER/config.json; OPTIONS is JSON, see below
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const json = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** What docs/container.md says the container needs, all of it. */
const NEEDED = ['NET_ADMIN', 'NET_RAW', 'CHOWN', 'KILL', 'SETGID', 'SETUID'];

function unpack(layout, folder) {
  const blob = ({ digest }) => join(layout, 'blobs', ...digest.split(':'));
  const manifest = json(blob(json(join(layout, 'index.json')).manifests[0]));
  mkdirSync(join(folder, 'rootfs'), { recursive: true });
  for (const layer of manifest.layers) execFileSync('tar', ['-C', join(folder, 'rootfs'), '-xzpf', blob(layer)]);
  writeFileSync(join(folder, 'image.json'), readFileSync(blob(manifest.config)));
}

/** Engines give the user the groups that the image's /etc/group says. */
const groupsOf = (folder, user) =>
  readFileSync(join(folder, 'rootfs/etc/group'), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, , gid, members = ''] = line.split(':');
      return members.split(',').includes(user) ? [Number(gid)] : [];
    });

const mount = (destination, type, ...options) => ({ destination, type, source: type, options });

/**
 * Options: network (path of the namespace), run (a mount for /run; none), without (capability), uid, environment, mounts,
 * hasTun, hasPpp, isReadOnly.
 */
function configure(folder, { network, run = null, without = null, uid = 0, environment = {}, mounts = [], hasTun = true, hasPpp = false, isReadOnly = false, sharesProcesses = false, forwards = true }) {
  const { config } = json(join(folder, 'image.json'));
  const capabilities = NEEDED.filter((name) => name !== without).map((name) => `CAP_${name}`);
  const devices = [
    ...(hasTun ? [{ path: '/dev/net/tun', type: 'c', major: 10, minor: 200 }] : []),
    ...(hasPpp ? [{ path: '/dev/ppp', type: 'c', major: 108, minor: 0 }] : []),
  ];
  const specification = {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid, gid: uid, additionalGids: uid === 0 ? groupsOf(folder, 'root') : [] },
      args: config.Entrypoint,
      env: [...config.Env, ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)],
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: isReadOnly },
    hostname: 'vpn',
    mounts: [
      mount('/proc', 'proc', 'nosuid', 'noexec', 'nodev'),
      mount('/dev', 'tmpfs', 'nosuid', 'strictatime', 'mode=755'),
      mount('/dev/pts', 'devpts', 'nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'),
      mount('/dev/shm', 'tmpfs', 'nosuid', 'noexec', 'nodev', 'mode=1777'),
      mount('/sys', 'sysfs', 'nosuid', 'noexec', 'nodev', 'ro'),
      ...(run === null ? [] : [run]),
      ...mounts,
    ],
    linux: {
      namespaces: [...(sharesProcesses ? [] : [{ type: 'pid' }]), { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }, { type: 'network', path: network }],
      devices: devices.map((device) => ({ ...device, fileMode: 0o666, uid: 0, gid: 0 })),
      resources: {
        devices: [
          { allow: false, access: 'rwm' },
          ...devices.map(({ type, major, minor }) => ({ allow: true, type, major, minor, access: 'rwm' })),
        ],
      },
      sysctl: { 'net.ipv4.ip_forward': forwards ? '1' : '0' },
      maskedPaths: ['/proc/kcore', '/proc/keys', '/proc/timer_list', '/sys/firmware'],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(specification, null, 1));
}

const [command, first, second] = process.argv.slice(2);
if (command === 'unpack') unpack(first, second);
else configure(first, JSON.parse(second));
