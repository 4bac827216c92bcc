/** The exact error messages for wrong configuration files. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadConfiguration } from '../../../src/config/load.js';

const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-load-'));
after(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'pptpd-ts.json');

/** The problems without the file name at their start. */
function problemsOf(text: string): string[] {
  writeFileSync(file, text);
  const loaded = loadConfiguration(file);
  assert.ok(!loaded.ok, 'it must be refused');
  for (const problem of loaded.problems) assert.ok(problem.startsWith(`${file}:`), problem);
  return loaded.problems.map((problem) => problem.slice(file.length + 1).trim());
}

const RANGE = 'an address, a range or a block: 192.0.2.1, 192.0.2.1-20, 192.0.2.1-192.0.2.20, 192.0.2.0/24';

test('an empty object is the default configuration', () => {
  writeFileSync(file, '{}');
  const loaded = loadConfiguration(file);
  assert.ok(loaded.ok);
  const { listen, addresses, limits, timeouts, metrics } = loaded.configuration;
  assert.deepEqual(listen, { address: '0.0.0.0', port: 1723 });
  assert.deepEqual(addresses, { local: ['192.168.0.1'], remote: ['192.168.1.10-100'], delegate: false });
  assert.equal(limits.connections, 100);
  assert.equal(timeouts.firstMessage, 10);
  assert.equal(metrics, undefined);
});

const notJson: readonly [name: string, text: string, problem: string][] = [
  ['empty', '', '1:1: not JSON: the file is empty; remedy: begin with a copy of scripts/etc/pptpd-ts.json'],
  [
    'only white space',
    ' \n',
    '1:1: not JSON: the file is empty; remedy: begin with a copy of scripts/etc/pptpd-ts.json',
  ],
  ['cut short', '{\n  "listen": {', `2:14: not JSON: found the end of the file; expected a key in double quotes`],
  ['a missing comma', '{\n  "a": 1\n  "b": 2 }', `3:3: not JSON: found '"'; expected ',' or '}'`],
  [
    'a comma too many',
    '{ "a": 1, }',
    `1:9: not JSON: a ',' before '}'; expected a key in double quotes after it, or no comma`,
  ],
  [
    'a comma too many in an array',
    '{ "a": [1,] }',
    `1:10: not JSON: a ',' before ']'; expected a value after it, or no comma`,
  ],
  ['a missing colon', '{ "a" 1 }', `1:7: not JSON: found "1"; expected ':' after the key "a"`],
  ['a key without quotes', '{ port: 1 }', '1:3: not JSON: found "port"; expected a key in double quotes'],
  ['single quotes', "{ 'port': 1 }", '1:3: not JSON: found a single quote; expected a key in double quotes'],
  ['a word as value', '{ "a": yes }', '1:8: not JSON: found "yes"; expected a value'],
  ['a number with leading zero', '{ "a": 010 }', '1:8: not JSON: found "010"; expected a value'],
  ['an address without quotes', '{ "a": 192.0.2.1 }', '1:8: not JSON: found "192.0.2.1"; expected a value'],
  [
    'a comment',
    '{\n  // here\n}',
    '2:3: not JSON: a comment, which JSON does not allow; expected a key in double quotes',
  ],
  [
    'a comment after the object',
    '{} # here',
    '1:4: not JSON: a comment, which JSON does not allow; expected the end of the file',
  ],
  ['two values', '{} {}', `1:4: not JSON: found '{'; expected the end of the file`],
  ['a string that is not closed', '{ "a": "b\n}', '1:8: not JSON: a string without its closing quote'],
  [
    'an invalid escape sequence',
    '{ "a": "\\d" }',
    `1:9: not JSON: a '\\' that begins no escape sequence; write '\\\\' for the character itself`,
  ],
  [
    'a tab in a string',
    '{ "a": "\t" }',
    '1:9: not JSON: the control character 9 in a string; write it as an escape sequence',
  ],
  ['a byte order mark', '\uFEFF{}', '1:1: not JSON: found a byte order mark; expected a value'],
  ['a duplicate key', '{ "a": 1,\n "a": 2 }', '2:2: not JSON: duplicate key "a"'],
  ['a duplicate key in another notation', '{ "a": 1, "\\u0061": 2 }', '1:11: not JSON: duplicate key "a"'],
  ['too many levels', '['.repeat(100_000), '1:66: not JSON: more than 64 levels of [ and {'],
];
for (const [name, text, problem] of notJson) {
  test(`JSON: ${name}`, () => assert.deepEqual(problemsOf(text), [problem]));
}

const wrong: readonly [input: unknown, ...problems: string[]][] = [
  [
    [],
    '[] is not allowed; allowed: an object with listen, addresses, limits, access, timeouts, ppp, accounts, pppd, gre, network, broadcastRelay, policy, workers, log, accounting, hooks, radius, runDirectory, user, pidFile, metrics, console',
  ],
  [{ listen: 1723 }, 'listen: 1723 is not allowed; allowed: an object with address, port, vrf'],
  [{ listen: { port: '1723' } }, 'listen.port: "1723" is not allowed; allowed: a whole number from 1 to 65535'],
  [{ listen: { port: 0 } }, 'listen.port: 0 is not allowed; allowed: a whole number from 1 to 65535'],
  [{ listen: { port: 1.5 } }, 'listen.port: 1.5 is not allowed; allowed: a whole number from 1 to 65535'],
  [{ listen: { port: null } }, 'listen.port: null is not allowed; allowed: a whole number from 1 to 65535'],
  [
    { listen: { address: '::1' } },
    'listen.address: "::1" is not allowed; allowed: an IPv4 address, for example 192.0.2.1',
  ],
  [
    { listen: { vrf: 'a/b' } },
    `listen.vrf: "a/b" is not allowed; allowed: a network device's name, 1 to 15 characters without spaces and slashes`,
  ],
  [
    { accounting: { file: '/a', interim: -1 } },
    'accounting.interim: -1 is not allowed; allowed: a number from 0 to 86400',
  ],
  [{ timeouts: { echoReply: 0 } }, 'timeouts.echoReply: 0 is not allowed; allowed: a number above 0, up to 86400'],
  [{ pppd: { speed: -1 } }, 'pppd.speed: -1 is not allowed; allowed: a whole number from 1 to 4000000'],
  [{ pppd: { path: 'pppd' } }, 'pppd.path: "pppd" is not allowed; allowed: an absolute path'],
  [{ pppd: { ipparam: 'yes' } }, 'pppd.ipparam: "yes" is not allowed; allowed: true or false'],
  [{ pppd: { args: ['debug', 7] } }, 'pppd.args[1]: 7 is not allowed; allowed: a string'],
  [{ pppd: { args: 'debug' } }, 'pppd.args: "debug" is not allowed; allowed: an array, each a string'],
  [
    { log: { level: 'loud' } },
    'log.level: "loud" is not allowed; allowed: "trace", "debug", "info", "warn", "error", "fatal", "silent"',
  ],
  [
    { access: { allow: ['192.0.2.0/24', '192.0.2.0/33'] } },
    'access.allow[1]: "192.0.2.0/33" is not allowed; allowed: an IPv4 address or network, for example 192.0.2.0/24',
  ],
  [
    { runDirectory: `var${'/long'.repeat(40)}` },
    `runDirectory: "var${'/long'.repeat(11)}… is not allowed; allowed: an absolute path`,
  ],
  [{ metrics: { port: 99_999 } }, 'metrics.port: 99999 is not allowed; allowed: a whole number from 1 to 65535'],
  [
    { console: { address: '192.0.2.1' } },
    'console.address: "192.0.2.1" is not allowed (passwords would cross the network in clear text); allowed: a loopback address such as 127.0.0.1; any address with console.tls; or "plainHttp": true behind a proxy that serves HTTPS',
  ],
  [
    { console: { socket: '/run/c.sock', tls: { certificate: '/c', key: '/k' } } },
    'console.tls: {"certificate":"/c","key":"/k"} is not allowed (console.socket is for a proxy, which serves HTTPS itself); allowed: one of tls and socket',
  ],
  [
    { console: {}, ppp: { engine: 'pppd' } },
    'user: nothing is not allowed (without it the server runs as root with pppd, and the console, which is not root, could not ask it); allowed: a user\'s name, for example "pptpd-ts"; or no section console',
  ],
  [
    { console: { names: ['Vpn.example.net:443'] } },
    'console.names[0]: "Vpn.example.net:443" is not allowed; allowed: a host name in lower case without a port, for example vpn.example.net',
  ],
  [{ console: { tls: { certificate: '/c' } } }, 'console.tls.key: nothing is not allowed; allowed: an absolute path'],
  [
    { addresses: { remote: 7 } },
    `addresses.remote: 7 is not allowed; allowed: an array or a comma list, each ${RANGE}`,
  ],
  [{ addresses: { remote: ['192.0.2.1', 7] } }, `addresses.remote[1]: 7 is not allowed; allowed: ${RANGE}`],
  [
    { addresses: { remote: ['192.0.2.10-20', '192.0.2.9-4,192.0.2.15'] } },
    `addresses.remote[1]: "192.0.2.9-4" is not allowed (it runs backwards); allowed: ${RANGE}`,
    `addresses.remote[1]: "192.0.2.15" is not allowed (it has 192.0.2.15 a second time, after "192.0.2.10-20"); allowed: ${RANGE}`,
  ],
  [
    { addresses: { local: '192.0.2.300' } },
    `addresses.local: "192.0.2.300" is not allowed (it has an octet over 255); allowed: an array or a comma list, each ${RANGE}`,
  ],
  [{ listn: {} }, 'listn: unknown key; did you mean listen?'],
  [{ pppd: { sped: 9600 } }, 'pppd.sped: unknown key; did you mean pppd.speed?'],
  [{ pppd: { optoins: '/x' } }, 'pppd.optoins: unknown key; did you mean pppd.options?'],
  [{ connections: 5 }, 'connections: unknown key; did you mean limits.connections?'],
  [{ listen: { colour: 'red' } }, 'listen.colour: unknown key; known keys: address, port, vrf'],
  [
    { log: { x: 1, Level: 'info' } },
    'log.x: unknown key; known keys: level, directory, keepFiles, keepDays',
    'log.Level: unknown key; did you mean log.level?',
  ],
];
for (const [input, ...problems] of wrong) {
  test(`schema: ${JSON.stringify(input).slice(0, 70)}`, () =>
    assert.deepEqual(problemsOf(JSON.stringify(input)), problems));
}

const together: readonly [addresses: unknown, ...problems: string[]][] = [
  [
    { local: '192.0.2.1-2', remote: '192.0.2.10-13' },
    `addresses.local: "192.0.2.1-192.0.2.2" is not allowed (it has 2 addresses, and 'remote' has 4); allowed: one address for all, or at least as many as 'remote' has`,
  ],
  [
    { local: '192.0.2.1-12', remote: '192.0.2.10-20' },
    `addresses.local: "192.0.2.10-192.0.2.12" is not allowed (it is in 'remote' too); allowed: addresses that are not in 'remote'`,
  ],
  [
    { local: [], remote: [] },
    'addresses.local: [] is not allowed (there would be no address for a client); allowed: at least one address, unless delegate is true',
    'addresses.remote: [] is not allowed (there would be no address for a client); allowed: at least one address, unless delegate is true',
  ],
  [
    { local: '192.168.1.50' },
    `addresses.local: "192.168.1.50" is not allowed (it is in 'remote' too); allowed: addresses that are not in 'remote'`,
  ],
  [
    { local: '192.0.2.1', remote: '192.0.2.1-2', delgate: false },
    'addresses.delgate: unknown key; did you mean addresses.delegate?',
    `addresses.local: "192.0.2.1" is not allowed (it is in 'remote' too); allowed: addresses that are not in 'remote'`,
  ],
];
for (const [addresses, ...problems] of together) {
  test(`both lists: ${JSON.stringify(addresses)}`, () =>
    assert.deepEqual(problemsOf(JSON.stringify({ addresses })), problems));
}

test('all problems are reported at once', () => {
  const text = JSON.stringify({
    listen: { port: 0 },
    pppd: { sped: 1 },
    addresses: { local: 'x' },
    limits: { pending: -1 },
  });
  assert.deepEqual(
    problemsOf(text).map((problem) => problem.split(':')[0]),
    ['listen.port', 'addresses.local', 'limits.pending', 'pppd.sped'],
  );
});

for (const addresses of [
  { delegate: true, local: [], remote: [] },
  { delegate: true, local: '192.168.1.10' },
  { local: '192.0.2.1-4', remote: '192.0.2.10-13' },
  { local: '192.0.2.1-5', remote: '192.0.2.10-13' },
]) {
  test(`allowed: ${JSON.stringify(addresses)}`, () => {
    writeFileSync(file, JSON.stringify({ addresses }));
    const loaded = loadConfiguration(file);
    assert.ok(loaded.ok, loaded.ok ? '' : loaded.problems.join('\n'));
  });
}

for (const console of [
  {},
  { address: '127.255.0.1' },
  { address: '0.0.0.0', tls: { certificate: '/c', key: '/k' } },
  { address: '192.0.2.1', plainHttp: true },
  { address: '192.0.2.1', socket: '/run/console/socket' },
]) {
  test(`allowed: console ${JSON.stringify(console)}`, () => {
    writeFileSync(file, JSON.stringify({ console }));
    const loaded = loadConfiguration(file);
    assert.ok(loaded.ok, loaded.ok ? '' : loaded.problems.join('\n'));
  });
}

test('a missing file and a directory are reported with a remedy', () => {
  const missing = join(directory, 'none.json');
  assert.deepEqual(loadConfiguration(missing), {
    ok: false,
    problems: [
      `${missing}: there is no such file; remedy: copy scripts/etc/pptpd-ts.json there, or name another file with -c FILE`,
    ],
  });
  assert.deepEqual(loadConfiguration(directory), {
    ok: false,
    problems: [`${directory}: this is a directory; remedy: name the file in it`],
  });
});

const cannotRefuse = process.getuid?.() === 0 && 'root may read every file';
test('an unreadable file is reported with a remedy', { skip: cannotRefuse }, () => {
  const secret = join(directory, 'secret.json');
  writeFileSync(secret, '{}');
  chmodSync(secret, 0);
  assert.deepEqual(loadConfiguration(secret), {
    ok: false,
    problems: [`${secret}: this user may not read it; remedy: run the command as root, or change the file's mode`],
  });
});

test('RADIUS is for the builtin engine, and its tries end before a client gives up', () => {
  const radius = (server: object, engine = 'builtin'): string =>
    JSON.stringify({
      ppp: { engine },
      radius: { servers: [{ address: '192.0.2.53', secretFile: '/etc/radius-secret', ...server }] },
    });
  writeFileSync(file, radius({}));
  const loaded = loadConfiguration(file);
  assert(loaded.ok);
  assert.deepEqual(loaded.configuration.radius, {
    servers: [
      { address: '192.0.2.53', authPort: 1812, acctPort: 1813, secretFile: '/etc/radius-secret', timeout: 3, tries: 3 },
    ],
    nasIdentifier: 'pptpd-ts',
    requireMessageAuthenticator: true,
  });
  for (const engine of ['pppd', 'auto'])
    assert.deepEqual(problemsOf(radius({}, engine)), [
      `ppp.engine: "${engine}" is not allowed (the section 'radius' is for the builtin engine; pppd has its own plugin radius.so); allowed: "builtin", or no section radius`,
    ]);
  const dynamic = { clients: [{ address: '192.0.2.53', secretFile: '/etc/radius-secret' }] };
  const servers = [{ address: '192.0.2.53', secretFile: '/etc/radius-secret' }];
  const more = { ppp: { engine: 'builtin' }, radius: { servers, accounting: {}, dynamic } };
  writeFileSync(file, JSON.stringify(more));
  const whole = loadConfiguration(file);
  assert(whole.ok);
  assert.deepEqual(whole.configuration.radius?.accounting, { interim: 300 });
  assert.deepEqual(whole.configuration.radius?.dynamic, { port: 3799, ...dynamic });
  assert.deepEqual(problemsOf(radius({ timeout: 10, tries: 5 })), [
    'radius.servers: 50 is not allowed (seconds for all tries of all servers, and clients wait no longer than 45); allowed: timeout * tries of all servers together up to 45',
  ]);
  assert.deepEqual(problemsOf(radius({ secretFile: 'secret' })), [
    'radius.servers[0].secretFile: "secret" is not allowed; allowed: an absolute path',
  ]);
});
