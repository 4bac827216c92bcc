/**
 * Makes a container ready for the server, and prints the path of the configuration to serve with. The image's first process
 * (scripts/image.d/entrypoint) runs it as root.
 *
 * Rule: either a file is mounted at /etc/pptpd-ts.json, or variables are given, or neither (the starter configuration).
 * Exit codes: 0; 1 the container lacks something, as each sentence on standard error says with its remedy.
 */
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { loadConfiguration } from '../config/load.js';
import { type Configuration, type ConfigurationInput, configurationSchema } from '../config/schema.js';
import { type Capability, missing, parseIdentity } from '../host/identity.js';
import { ACCOUNTS, configurationFrom, givenVariables } from './variables.js';
import { closeFolder, lackOfVolume } from './volume.js';

const CONFIGURATION = '/etc/pptpd-ts.json';
/** The image's own file: what /etc/pptpd-ts.json is when nothing is mounted there. */
const STARTER = '/usr/share/pptpd-ts/pptpd-ts.json';
const SECRETS = '/etc/ppp/chap-secrets';
/** What is made of the variables. The server's user must be able to read the configuration, and only root the users. */
const GENERATED = '/run/pptpd-ts.generated';
const GENERATED_CONFIGURATION = `${GENERATED}/pptpd-ts.json`;
const GENERATED_SECRETS = `${GENERATED}/chap-secrets`;

/** NET_ADMIN for interfaces, NET_RAW for GRE; the others to change the user, to give it folders, and to pass signals on. */
const NEEDED: readonly Capability[] = ['NET_ADMIN', 'NET_RAW', 'CHOWN', 'KILL', 'SETGID', 'SETUID'];
const FORWARDING = '/proc/sys/net/ipv4/ip_forward';
const TUN = '/dev/net/tun';
const KERNEL_PPP = '/dev/ppp';
const FOLDER_MODE = 0o755;

/** One sentence for each right that the engine has not granted. */
function lackOfRights(): string[] {
  const { uid, capabilities } = parseIdentity(readFileSync('/proc/self/status', 'latin1'));
  if (uid !== 0)
    return [
      `the container runs as user ${uid}; remedy: start it as root (no --user, no runAsUser): the server itself changes to an unprivileged user`,
    ];
  const lacking = missing(capabilities, NEEDED);
  if (lacking.length === 0) return [];
  const options = lacking.map((name) => `--cap-add ${name}`).join(' ');
  return [
    `the container has no CAP_${lacking.join(', CAP_')}; remedy: start it with ${options} (Kubernetes: securityContext.capabilities.add)`,
  ];
}

/** The kernel's data path needs /dev/ppp and no TUN device. */
const lackOfDevice = (): string[] =>
  existsSync(TUN) || existsSync(KERNEL_PPP)
    ? []
    : [`the container has no ${TUN}; remedy: start it with --device ${TUN}; if the host has none: modprobe tun there`];

/** With the section `network`; the server would name the remedy of a machine. */
function lackOfForwarding({ network }: Pick<ConfigurationInput, 'network'>): string[] {
  if (network === undefined || network.forward === false) return [];
  if (readFileSync(FORWARDING, 'latin1').trim() === '1') return [];
  try {
    accessSync(FORWARDING, constants.W_OK);
    return [];
  } catch {
    return [
      'net.ipv4.ip_forward is 0, and a container cannot change it; remedy: start it with --sysctl net.ipv4.ip_forward=1, or with host networking set it on the host',
    ];
  }
}

const fileText = (path: string): string | Error => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return new Error((error as NodeJS.ErrnoException).code ?? String(error));
  }
};

interface Ready {
  readonly path: string;
  readonly configuration: Pick<Configuration, 'runDirectory' | 'network' | 'accounts'>;
  readonly write: () => void;
}

/** The mounted file. The server reports what is wrong in it. */
function mounted(): Ready | string[] {
  const names = givenVariables(process.env);
  if (names.length > 0)
    return [
      `${CONFIGURATION} is mounted, so variables have no effect: ${names.join(', ')}; remedy: remove the variables or the file`,
    ];
  const loaded = loadConfiguration(CONFIGURATION);
  const configuration = loaded.ok ? loaded.configuration : configurationSchema.parse({});
  return { path: CONFIGURATION, configuration, write: () => undefined };
}

/** The starter configuration with what the variables replace. */
function generated(starter: string): Ready | readonly string[] {
  const { PPTPD_TS_USERS_FILE: usersFile = '' } = process.env;
  const effective = configurationFrom({
    environment: process.env,
    starter: JSON.parse(starter) as ConfigurationInput,
    usersFile: usersFile === '' ? null : fileText(usersFile),
    mountedSecrets: existsSync(SECRETS) ? SECRETS : null,
    hasAccounts: existsSync(ACCOUNTS),
    secretsPath: GENERATED_SECRETS,
  });
  if (!effective.ok) return effective.problems;
  const { input, secrets } = effective;
  const write = (): void => {
    rmSync(GENERATED, { recursive: true, force: true });
    mkdirSync(GENERATED, { mode: FOLDER_MODE });
    writeFileSync(GENERATED_CONFIGURATION, `${JSON.stringify(input, null, 2)}\n`, { mode: 0o644 });
    if (secrets !== null) writeFileSync(GENERATED_SECRETS, secrets, { mode: 0o600 });
  };
  return { path: GENERATED_CONFIGURATION, configuration: configurationSchema.parse(input), write };
}

const lackOfSurroundings = ({ runDirectory, network }: Ready['configuration']): string[] => [
  ...lackOfVolume(dirname(runDirectory)),
  ...lackOfForwarding({ network }),
];

const isReady = (value: Ready | readonly string[]): value is Ready => !Array.isArray(value);

function main(): number {
  const starter = readFileSync(STARTER, 'utf8');
  const ready = fileText(CONFIGURATION) === starter ? generated(starter) : mounted();
  const rights = lackOfRights();
  // Without root's rights the other checks cannot be made.
  const problems =
    rights.length > 0
      ? rights
      : [...lackOfDevice(), ...(isReady(ready) ? lackOfSurroundings(ready.configuration) : ready)];
  for (const problem of problems) process.stderr.write(`pptpd-ts: ${problem}\n`);
  if (problems.length > 0 || !isReady(ready)) return 1;
  closeFolder(dirname(ready.configuration.accounts.file));
  ready.write();
  process.stdout.write(`${ready.path}\n`);
  return 0;
}

process.exitCode = main();
