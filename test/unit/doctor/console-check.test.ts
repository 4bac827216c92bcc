/** What `doctor` says about the section `console`. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { configurationSchema, type ConfigurationInput } from '../../../src/config/schema.js';
import { consoleCheck } from '../../../src/doctor/console-check.js';
import type { Failure, Machine } from '../../../src/doctor/machine.js';

/** Made for this test: of 2026, for a hundred years; and of January 2020. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBjDCCATGgAwIBAgIUfJtZLxjFE64m7a0j/b6OtztRhdowCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPdnBuLmV4YW1wbGUubmV0MCAXDTI2MTEyODE1NDQ0MloYDzIx
MjYxMTA0MTU0NDQyWjAaMRgwFgYDVQQDDA92cG4uZXhhbXBsZS5uZXQwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAAQl3bvc5qN75++44mYjCynjX6Crm1QbAPqjR0vX
+O0tSINzl5ZyRdHx9SzU5x6dExlLdOibZBleClKrzvji99t7o1MwUTAdBgNVHQ4E
FgQUkU7qKkuOciGa+0b6P+xtBnE9BucwHwYDVR0jBBgwFoAUkU7qKkuOciGa+0b6
P+xtBnE9BucwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEAsvvY
b87vyUvl9Tls0MHPVrJaZxzQh8PUsmNGTFZITn4CIQCKbdyR1FoMIR6t46wBJKld
y2owC/ZCeJAxqnpUMxCn9Q==
-----END CERTIFICATE-----
`;
const EXPIRED = `-----BEGIN CERTIFICATE-----
MIIBGjCBwgIBATAKBggqhkjOPQQDAjAaMRgwFgYDVQQDDA92cG4uZXhhbXBsZS5u
ZXQwHhcNMjAwMTAxMDAwMDAwWhcNMjAwMjAxMDAwMDAwWjAaMRgwFgYDVQQDDA92
cG4uZXhhbXBsZS5uZXQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQl3bvc5qN7
5++44mYjCynjX6Crm1QbAPqjR0vX+O0tSINzl5ZyRdHx9SzU5x6dExlLdOibZBle
ClKrzvji99t7MAoGCCqGSM49BAMCA0cAMEQCICXWp4MO5IHYKujNTJOP51iHw1w4
a44GzOENBXYMINAxAiAwBwbiFg+Q1XGVjAPNkoJY9BsKVieu0iyM2HXmMkoLMQ==
-----END CERTIFICATE-----
`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg2r876lmUJB0llkyo
nUNv+RcUDidLJDKW5CGP9Hfk7quhRANCAAQl3bvc5qN75++44mYjCynjX6Crm1Qb
APqjR0vX+O0tSINzl5ZyRdHx9SzU5x6dExlLdOibZBleClKrzvji99t7
-----END PRIVATE KEY-----
`;
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const OTHER_KEY = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const USERS = '/var/lib/pptpd-ts/console.json';
const HASH = `$scrypt$ln=15,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
const ALICE = JSON.stringify({ users: [{ name: 'alice', role: 'admin', password: HASH }], tokens: [] });
const TLS = { certificate: '/c.pem', key: '/c.key' };

interface Description {
  readonly files?: Readonly<Record<string, string | null>>;
  readonly modes?: Readonly<Record<string, number>>;
  readonly isRoot?: boolean;
  readonly listen?: Failure;
  readonly hasMonitor?: boolean;
}

async function check(input: ConfigurationInput, description: Description = {}): Promise<string[]> {
  const { files, modes = {}, isRoot = true, listen = null, hasMonitor = false } = description;
  const content: Readonly<Record<string, string | null>> = {
    [USERS]: ALICE,
    '/proc/sys/net/ipv4/ip_unprivileged_port_start': '1024\n',
    ...files,
  };
  const machine = {
    isRoot,
    read: (path: string) => content[path] ?? null,
    mode: (path: string) => {
      // As the system refuses it in a folder of root's.
      if (!isRoot && content[path] === null) throw new Error(`EACCES: permission denied, stat '${path}'`);
      return modes[path] ?? (content[path] == null ? null : 0o100600);
    },
    tryListen: async () => Promise.resolve(listen),
    hasMonitor: async () => Promise.resolve(hasMonitor),
  } as unknown as Machine;
  const outcomes = [await consoleCheck.run(configurationSchema.parse(input), machine)].flat();
  return outcomes.map((each) => (each.ok ? `ok ${each.detail}` : `${each.problem}; ${each.remedy}`));
}

const cases: readonly [
  name: string,
  section: ConfigurationInput['console'],
  description: Description,
  ...said: string[],
][] = [
  ['everything is right', {}, {}, 'ok http://127.0.0.1:8723'],
  ['HTTPS', { tls: TLS }, { files: { '/c.pem': CERTIFICATE, '/c.key': KEY } }, 'ok https://127.0.0.1:8723'],
  [
    'no users',
    {},
    { files: { [USERS]: null } },
    'nobody can log in to it; pptpd-ts console user add NAME --role admin',
  ],
  [
    'a file without users',
    {},
    { files: { [USERS]: '{"users": [], "tokens": []}' } },
    'nobody can log in to it; pptpd-ts console user add NAME --role admin',
  ],
  ['not root', { tls: TLS }, { files: { [USERS]: null }, isRoot: false }, 'ok https://127.0.0.1:8723'],
  [
    'a broken file',
    {},
    { files: { [USERS]: '{\n"users": 1, "tokens": []}' } },
    `${USERS}:2: users: 1 is not allowed; allowed: an array, each an object with name, role, password; correct it; until then nobody can log in to the console`,
  ],
  [
    'a file that others can read',
    {},
    { modes: { [USERS]: 0o100640 } },
    `${USERS} can be read by others; chmod 600 ${USERS}`,
  ],
  [
    'no certificate',
    { tls: TLS },
    { files: { '/c.key': KEY } },
    '/c.pem (console.tls.certificate) cannot be read; correct it',
  ],
  [
    'the key of another certificate',
    { tls: TLS },
    { files: { '/c.pem': CERTIFICATE, '/c.key': OTHER_KEY } },
    '/c.key is not the key of /c.pem (console.tls); name the key that belongs to it',
  ],
  [
    'a key that others can read, and an expired certificate',
    { tls: TLS },
    { files: { '/c.pem': EXPIRED, '/c.key': KEY }, modes: { '/c.key': 0o100644 } },
    '/c.key (console.tls.key) can be read by others; chmod 600 /c.key',
    '/c.pem has expired: Feb  1 00:00:00 2020 GMT; renew it',
  ],
  [
    'a port that only root can have',
    { port: 443 },
    {},
    'the console has no privileges and cannot listen on port 443; use a port from 1024 on; a proxy can have port 443',
  ],
  [
    'a port that is taken',
    {},
    { listen: { code: 'EADDRINUSE', message: '' } },
    'cannot listen on 127.0.0.1:8723: another program already listens there; find it with `ss -ltnp` and stop it',
  ],
  [
    'the console itself has it',
    {},
    { listen: { code: 'EADDRINUSE', message: '' }, hasMonitor: true },
    'ok http://127.0.0.1:8723',
  ],
  [
    'a folder that does not exist',
    { socket: '/run/c/socket' },
    {},
    'the folder /run/c of console.socket does not exist; install -d -m 2750 -o 61725 -g GROUP /run/c, with the group of the proxy',
  ],
  ['a unix socket', { socket: '/run/c/socket' }, { modes: { '/run/c': 0o42750 } }, 'ok /run/c/socket'],
];
for (const [name, section, description, ...said] of cases)
  test(name, async () => assert.deepEqual(await check({ console: section }, description), said));

test('without the section nothing is said', async () => assert.deepEqual(await check({}), []));

test('what is no certificate is said with the reason', async () => {
  const files = { '/c.pem': 'none', '/c.key': KEY };
  assert.match(
    (await check({ console: { tls: TLS } }, { files }))[0] ?? '',
    /^\/c\.pem and \/c\.key are no certificate and key/,
  );
});

test('pppd as root is fatal, also where the engine was chosen by itself', () => {
  const configuration = configurationSchema.parse({ console: {} });
  const isFatal = (engine: 'pppd' | 'builtin', user?: string): boolean | undefined =>
    typeof consoleCheck.fatal === 'function'
      ? consoleCheck.fatal({ ...configuration, user, ppp: { ...configuration.ppp, engine } }, {} as Machine)
      : undefined;
  assert.deepEqual([isFatal('pppd'), isFatal('pppd', 'pptpd-ts'), isFatal('builtin')], [true, false, false]);
});
