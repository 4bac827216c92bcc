/**
 * The manager's entry, as `pptpd-ts serve` runs it: configuration, checks of the host, signals.
 * Exit codes: 0 ended by TERM, INT or QUIT; 1 the server cannot work here; 2 the configuration or the call is wrong.
 */
import { loadConfiguration } from '../config/load.js';
import type { Configuration } from '../config/schema.js';
import { runChecks, formatFailure } from '../doctor/checks.js';
import { ownUser } from '../host/identity.js';
import { openLog } from '../log/logger.js';
import { runPaths } from '../session/paths.js';
import { configurationPath } from './arguments.js';
import { Manager } from './manager.js';
import { ServiceManager } from './service-manager.js';

/** Ends before anything is started. */
function fail(exitCode: 1 | 2, sentences: readonly string[]): never {
  for (const sentence of sentences) process.stderr.write(`pptpd-ts: ${sentence}\n`);
  process.exit(exitCode);
}

/** Root alone can become the user that the configuration names, and that bin/pptpd-ts sees to. */
function failAsAnother({ user }: Configuration): void {
  const own = ownUser();
  if (user === undefined || user === own) return;
  fail(1, [
    `it runs as ${own}, and is to run as ${user} (user); remedy: start it by pptpd-ts serve, as root or as ${user}`,
  ]);
}

function calledWith(): string {
  try {
    return configurationPath();
  } catch (error) {
    fail(2, [`${(error as Error).message} (usage: pptpd-ts serve -c FILE)`]);
  }
}

const path = calledWith();

async function main(configuration: Configuration): Promise<void> {
  failAsAnother(configuration);
  const checks = await runChecks(configuration, { only: 'start' });
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
  // Before the first worker starts: what it takes out of the environment is none of theirs.
  const service = await ServiceManager.connect(process.env, log, () => manager.status + mistake);
  const reread = (): string[] => {
    service.reloading();
    manager.reopenLogs();
    const loaded = loadConfiguration(path);
    if (loaded.ok) manager.reload(loaded.configuration);
    else log.error({ problems: loaded.problems }, 'the new configuration is wrong; the old one stays');
    mistake = loaded.ok ? '' : `; the new configuration is wrong: ${loaded.problems.join('; ')}`;
    service.reloaded();
    return loaded.ok ? [] : [...loaded.problems];
  };
  const manager = new Manager({ configuration, processLog, reread });
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
    service.stopping('leaving; the sessions stay');
    manager.leave();
    process.exit(0);
  });
  process.on('SIGHUP', reread);
  try {
    await manager.start();
    service.ready();
  } catch (error) {
    fail(1, [error instanceof Error ? error.message : String(error)]);
  }
}

const loaded = loadConfiguration(path);
if (!loaded.ok) fail(2, loaded.problems);
await main(loaded.configuration);
