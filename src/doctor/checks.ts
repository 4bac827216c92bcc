/**
 * Checks of what the server needs from its machine. `doctor` shows them all. `serve` refuses to start if a fatal one fails,
 * with the same message, and logs warnings. Each failure says what is wrong and what to do.
 */
import type { Configuration } from '../config/schema.js';
import type { EngineChoice } from '../host/ppp-engine.js';
import { builtinAccounts } from './accounts-check.js';
import { builtinAuthentication, dataPath, monitor, radius, tunDevice } from './builtin-checks.js';
import { type Check, good, type Outcome } from './check.js';
import { consoleCheck } from './console-check.js';
import { engineOf, withEngine } from './engine.js';
import { secretFolders } from './folder-checks.js';
import { type Machine, thisMachine } from './machine.js';
import { addressPool, forwarding, listening, networkRules, otherFirewalls } from './network-checks.js';
import { authentication, optionsFile, pppd } from './pppd-checks.js';
import { loginRecords, privileges, user } from './privilege-checks.js';
import { builtinSecrets, secrets } from './secrets-check.js';
import { files, greSocket, hooks, kernelPpp, mppe, nativeModules, node, runDirectory } from './system-checks.js';

/** In the order in which they are shown; a check comes after those that it follows. Engines may have checks of one name. */
const CHECKS: readonly Check[] = [
  node,
  nativeModules,
  user,
  privileges,
  pppd,
  kernelPpp,
  mppe,
  optionsFile,
  authentication,
  secrets,
  dataPath,
  tunDevice,
  monitor,
  builtinAuthentication,
  builtinAccounts,
  builtinSecrets,
  secretFolders,
  radius,
  greSocket,
  listening,
  addressPool,
  forwarding,
  networkRules,
  otherFirewalls,
  runDirectory,
  files,
  loginRecords,
  hooks,
  consoleCheck,
];

/** `serve` skips these: it does the same itself, with the same messages. */
const DONE_BY_SERVE: readonly Check[] = [listening, networkRules];

export interface CheckResult {
  readonly name: string;
  readonly fatal: boolean;
  readonly outcome: Outcome;
}

/** The same machine, but it runs each command only once: several checks ask pppd for its version. */
function remembering(machine: Machine): Machine {
  const results = new Map<string, ReturnType<Machine['run']>>();
  return {
    ...machine,
    async run(path, args) {
      const key = JSON.stringify([path, args]);
      const result = results.get(key) ?? machine.run(path, args);
      results.set(key, result);
      return result;
    },
  };
}

export interface CheckOptions {
  /** Only the checks that `serve` needs. */
  readonly only?: 'start';
  readonly machine?: Machine;
  /** The engine that was chosen; without it, the one that the configuration and the machine give. */
  readonly engine?: EngineChoice;
}

/** Runs the checks in their order, after the line that says which engine serves. */
export async function runChecks(
  written: Configuration,
  { only, machine = thisMachine, engine }: CheckOptions = {},
): Promise<CheckResult[]> {
  const remembered = remembering(machine);
  const choice = engine ?? (await engineOf(written, remembered));
  const configuration = withEngine(written, choice);
  const chosen = { name: 'PPP engine', fatal: false, outcome: good(saidOf(choice)) };
  const results: CheckResult[] = only === 'start' ? [] : [chosen];
  /** Checks that failed, or were skipped because another one did. */
  const unmet = new Set<string>();
  for (const check of CHECKS.filter((each) => (each.engine ?? choice.engine) === choice.engine)) {
    const { name } = check;
    const fatal = typeof check.fatal === 'boolean' ? check.fatal : check.fatal(configuration, remembered);
    if (only === 'start' && (!(fatal || check.isLogged) || DONE_BY_SERVE.includes(check))) continue;
    if ([check.follows ?? []].flat().some((other) => unmet.has(other))) {
      unmet.add(name);
      continue;
    }
    const outcomes = [await check.run(configuration, remembered)].flat();
    const said = outcomes.map((outcome) => ({ name, fatal: fatal && (outcome.ok || outcome.doubt !== true), outcome }));
    if (said.some((each) => !each.outcome.ok && each.outcome.doubt !== true)) unmet.add(name);
    results.push(...said);
  }
  return results;
}

const saidOf = (choice: EngineChoice): string =>
  choice.engine === 'pppd'
    ? `pppd: ${choice.because}`
    : `builtin: ${choice.because}; data path ${choice.dataPath.kind}: ${choice.dataPath.because}`;

/** The problem and the remedy of a failed check; null for one that passed. */
export const formatFailure = ({ outcome }: CheckResult): string | null =>
  outcome.ok ? null : `${outcome.problem}; remedy: ${outcome.remedy}`;
