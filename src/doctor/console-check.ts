/** The check of the section `console`: that somebody can log in, its certificate, and where it listens. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { dirname } from 'node:path';
import type { Configuration } from '../config/schema.js';
import { LISTEN_FAILURES } from '../host/listen-failures.js';
import { CONSOLE_UID } from '../host/unix-user.js';
import { runPaths } from '../session/paths.js';
import { messageOf } from '../sys/thrown.js';
import { readConsoleText } from '../users/console-users.js';
import { bad, type Check, good, type Outcome } from './check.js';
import type { Machine } from './machine.js';
import { firstUnprivilegedPort } from './privilege-checks.js';

type Console = NonNullable<Configuration['console']>;

/** A certificate is reported this long before it expires. */
const SOON_MS = 14 * 86_400_000;
const READABLE_BY_OTHERS = 0o077;

export const consoleCheck: Check = {
  name: 'console',
  // The tunnels do not need it. But the engine may be pppd although the configuration does not say so.
  fatal: ({ console, ppp, user }) => console !== undefined && ppp.engine === 'pppd' && user === undefined,
  isLogged: true,
  async run({ console, ppp, user, runDirectory }, machine) {
    if (console === undefined) return [];
    if (ppp.engine === 'pppd' && user === undefined)
      return bad(
        'the server runs as root with pppd, and the console, which is not root, could not ask it',
        'set "user" in the configuration, or remove the section "console"',
      );
    const findings = [
      ...usersOutcomes(console.users, machine),
      ...(console.tls === undefined ? [] : certificateOutcomes(console.tls, machine)),
      ...(console.socket === undefined
        ? await addressOutcomes(console, runDirectory, machine)
        : socketOutcomes(console.socket, machine)),
    ];
    return findings.length > 0 ? findings : good(whereOf(console));
  },
};

const whereOf = ({ address, port, socket, tls }: Console): string =>
  socket ?? `${tls === undefined ? 'http' : 'https'}://${address}:${port}`;

/** No outcome: nothing is wrong, or only root can see it. */
function usersOutcomes(file: string, machine: Machine): readonly Outcome[] {
  const text = machine.read(file);
  if (text === null && !machine.isRoot) return [];
  const nobody = bad('nobody can log in to it', 'pptpd-ts console user add NAME --role admin');
  if (text === null) return [nobody];
  const read = readConsoleText(text);
  if (!read.ok)
    return read.problems.map(({ line, text: problem }) =>
      bad(`${file}:${line}: ${problem}`, 'correct it; until then nobody can log in to the console'),
    );
  // null: this user may not enter the folder.
  const mode = machine.mode(file);
  return [
    ...(read.value.users.length + read.value.tokens.length === 0 ? [nobody] : []),
    ...(mode !== null && (mode & READABLE_BY_OTHERS) !== 0
      ? [bad(`${file} can be read by others`, `chmod 600 ${file}`)]
      : []),
  ];
}

function certificateOutcomes({ certificate, key }: NonNullable<Console['tls']>, machine: Machine): readonly Outcome[] {
  const [certificateText, keyText] = [machine.read(certificate), machine.read(key)];
  if ((certificateText === null || keyText === null) && !machine.isRoot) return [];
  if (certificateText === null) return [bad(`${certificate} (console.tls.certificate) cannot be read`, 'correct it')];
  if (keyText === null) return [bad(`${key} (console.tls.key) cannot be read`, 'correct it')];
  const isShared = ((machine.mode(key) ?? 0) & READABLE_BY_OTHERS) !== 0;
  const shared = isShared ? [bad(`${key} (console.tls.key) can be read by others`, `chmod 600 ${key}`)] : [];
  try {
    const parsed = new X509Certificate(certificateText);
    if (!parsed.checkPrivateKey(createPrivateKey(keyText)))
      return [bad(`${key} is not the key of ${certificate} (console.tls)`, 'name the key that belongs to it')];
    const left = Date.parse(parsed.validTo) - Date.now();
    if (left > SOON_MS) return shared;
    const when = left > 0 ? 'expires' : 'has expired';
    return [...shared, bad(`${certificate} ${when}: ${parsed.validTo}`, 'renew it')];
  } catch (error) {
    const why = messageOf(error);
    return [bad(`${certificate} and ${key} are no certificate and key (console.tls): ${why}`, 'name two PEM files')];
  }
}

async function addressOutcomes(
  { address, port }: Console,
  runDirectory: string,
  machine: Machine,
): Promise<readonly Outcome[]> {
  const first = firstUnprivilegedPort(machine);
  if (port < first)
    return [
      bad(
        `the console has no privileges and cannot listen on port ${port}`,
        `use a port from ${first} on; a proxy can have port ${port}`,
      ),
    ];
  const failure = await machine.tryListen({ address, port });
  if (failure === null) return [];
  // The running console itself holds the port.
  if (failure.code === 'EADDRINUSE' && (await machine.hasMonitor(runPaths(runDirectory).monitorSocket))) return [];
  const { problem, remedy } = LISTEN_FAILURES[failure.code ?? ''] ?? { problem: failure.message, remedy: null };
  return [bad(`cannot listen on ${address}:${port}: ${problem}`, remedy ?? 'correct console.address')];
}

function socketOutcomes(socket: string, machine: Machine): readonly Outcome[] {
  const folder = dirname(socket);
  if (machine.mode(folder) !== null) return [];
  return [
    bad(
      `the folder ${folder} of console.socket does not exist`,
      `install -d -m 2750 -o ${CONSOLE_UID} -g GROUP ${folder}, with the group of the proxy`,
    ),
  ];
}
