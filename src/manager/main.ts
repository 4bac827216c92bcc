/**
 * The manager's entry, which `pptpd-ts serve` runs: configuration, checks of the host, signals.
 * Exit codes: 0 ended by TERM, INT or QUIT; 1 the server cannot run here; 2 the configuration or the command line is wrong.
 */
// oxlint-disable-next-line import/no-unassigned-import -- it has to run before the other imports
import './load-native-modules.js';
import { loadConfiguration } from '../config/load.js';
import type { Configuration } from '../config/schema.js';
import { runChecks, formatFailure } from '../doctor/checks.js';
import { ownUser } from '../host/identity.js';
import { chooseEngine, ENGINE_VARIABLE, type EngineChoice, type LinkKind, linkKindOf } from '../host/ppp-engine.js';
import { openLog } from '../log/logger.js';
import { isMonitorListening } from '../monitor/monitor-connection.js';
import { runPaths } from '../session/paths.js';
import { closeToOthers } from '../sys/close-to-others.js';
import { messageOf } from '../sys/thrown.js';
import { configurationPath } from './arguments.js';
import { Manager } from './manager.js';
import { ServiceManager } from './service-manager.js';

closeToOthers();

/** Exits before anything has started. */
function fail(exitCode: 1 | 2, sentences: readonly string[]): never {
  for (const sentence of sentences) process.stderr.write(`pptpd-ts: ${sentence}\n`);
  process.exit(exitCode);
}

/** Only root can become the user that the configuration names; bin/pptpd-ts does that before. */
function failAsWrongUser({ user }: Configuration): void {
  const own = ownUser();
  if (user === undefined || user === own) return;
  fail(1, [
    `the server runs as ${own}, but must run as ${user} (user); remedy: start it with pptpd-ts serve, as root or as ${user}`,
  ]);
}

const isLinkKind = (text: string): text is LinkKind => text === 'pppd' || text === 'tun' || text === 'kernel';

/** What root has found and this user cannot see. */
function asFound(kind: LinkKind, { engine, because }: EngineChoice): EngineChoice {
  const found = 'as root found it at the start';
  if (kind === 'pppd') return { engine: 'pppd', because: found };
  return { engine: 'builtin', because: engine === 'builtin' ? because : found, dataPath: { kind, because: found } };
}

/** As root has found it before (prepare), which may open devices that this user may not. */
function engineFor(configuration: Configuration): EngineChoice {
  const found = process.env[ENGINE_VARIABLE];
  delete process.env[ENGINE_VARIABLE];
  const choice = chooseEngine(configuration);
  const isOther = found !== undefined && isLinkKind(found) && found !== linkKindOf(choice);
  const engine = isOther ? asFound(found, choice) : choice;
  const needing = [
    ...(engine.engine === 'builtin' ? [`the builtin PPP engine (${engine.because})`] : []),
    ...(configuration.network === undefined ? [] : ['the section "network"']),
    ...(configuration.console === undefined ? [] : ['the section "console"']),
  ];
  if (needing.length > 0 && !isMonitorListening(runPaths(configuration.runDirectory).monitorSocket)) {
    fail(
      1,
      needing.map(
        (what) => `${what} needs the monitor, which root starts; remedy: start the server with pptpd-ts serve, as root`,
      ),
    );
  }
  return engine;
}

function configurationFile(): string {
  try {
    return configurationPath();
  } catch (error) {
    fail(2, [`${messageOf(error)} (usage: pptpd-ts serve -c FILE)`]);
  }
}

const path = configurationFile();

async function main(configuration: Configuration): Promise<void> {
  failAsWrongUser(configuration);
  const engine = engineFor(configuration);
  const checks = await runChecks(configuration, { only: 'start', engine });
  const failures = checks.flatMap((result) => (result.fatal ? (formatFailure(result) ?? []) : []));
  if (failures.length > 0) fail(1, failures);

  const processLog = openLog('manager', {
    level: configuration.log.level,
    directory: configuration.log.directory,
    file: 'manager.log',
    outage: runPaths(configuration.runDirectory).logOutage,
  });
  const { log } = processLog;
  for (const result of checks) {
    const sentence = formatFailure(result);
    if (sentence !== null) log.warn({ check: result.name }, sentence);
  }
  process.title = 'pptpd-ts manager';
  let mistake = '';
  // Before the first worker starts: workers must not inherit the variables that this removes from the environment.
  const service = await ServiceManager.connect(process.env, log, () => manager.status + mistake);
  const reread = (): string[] => {
    service.reloading();
    manager.reopenLogs();
    const loaded = loadConfiguration(path);
    if (loaded.ok) manager.reload(loaded.configuration);
    else log.error({ problems: loaded.problems }, 'the new configuration is wrong; keeping the old one');
    mistake = loaded.ok ? '' : `; the new configuration is wrong: ${loaded.problems.join('; ')}`;
    service.reloaded();
    return loaded.ok ? [] : [...loaded.problems];
  };
  const manager = new Manager({
    engine,
    configuration,
    processLog,
    reread,
  });
  let ending = false;
  const end = (signal: NodeJS.Signals): void => {
    if (ending) return;
    ending = true;
    log.info({ signal }, 'stopping; ending every session');
    service.stopping('ending every session');
    void manager.stop().then(() => process.exit(0));
  };
  process.on('SIGTERM', end).on('SIGINT', end);
  process.on('SIGQUIT', () => {
    service.stopping('leaving; the sessions continue');
    manager.leave();
    process.exit(0);
  });
  process.on('SIGHUP', reread);
  try {
    await manager.start();
    service.ready();
  } catch (error) {
    fail(1, [messageOf(error)]);
  }
}

const loaded = loadConfiguration(path);
if (!loaded.ok) fail(2, loaded.problems);
await main(loaded.configuration);
