/**
 * Checks of what the server needs from its machine. `doctor` shows them all. `serve` refuses to start if a fatal one fails,
 * with the same message, and logs warnings. Each failure says what is wrong and what to do.
 */
import type { Configuration } from '../config/schema.js';
import { builtinAuthentication, monitor, tunDevice } from './builtin-checks.js';
import type { Check, Outcome } from './check.js';
import { engine, engineOf } from './engine-check.js';
import { type Machine, thisMachine } from './machine.js';
import { addressPool, forwarding, listening } from './network-checks.js';
import { authentication, optionsFile, pppd } from './pppd-checks.js';
import { privileges, user } from './privilege-checks.js';
import { builtinSecrets, secrets } from './secrets-check.js';
import { files, greSocket, kernelPpp, mppe, nativeModules, node, runDirectory } from './system-checks.js';

/** In the order in which they are shown; a check comes after those that it follows. Engines may have checks of one name. */
const CHECKS: readonly Check[] = [
  engine,
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
  tunDevice,
  monitor,
  builtinAuthentication,
  builtinSecrets,
  greSocket,
  listening,
  addressPool,
  forwarding,
  runDirectory,
  files,
];

/** `serve` skips these: it does the same itself right afterwards, with the same messages. */
const DONE_BY_SERVE: readonly Check[] = [listening];

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

/** Runs the checks in their order; with `only: 'start'` only those that `serve` needs. */
export async function runChecks(
  configuration: Configuration,
  { only, machine = thisMachine }: { readonly only?: 'start'; readonly machine?: Machine } = {},
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  const remembered = remembering(machine);
  /** Checks that failed, or were skipped because another one did. */
  const unmet = new Set<string>();
  const chosen = engineOf(configuration, remembered).engine;
  for (const check of CHECKS.filter((each) => (each.engine ?? chosen) === chosen)) {
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

/** The problem and the remedy of a failed check; null for one that passed. */
export const formatFailure = ({ outcome }: CheckResult): string | null =>
  outcome.ok ? null : `${outcome.problem}; remedy: ${outcome.remedy}`;
