/**
 * What a server needs of its machine, one check a need: `doctor` shows all of them, `serve` refuses to start where a
 * fatal one fails, with the same sentence. Each failure says what is wrong and the command that mends it.
 */
import type { Configuration } from '../config/schema.js';
import type { Check, Outcome } from './check.js';
import { type Machine, thisMachine } from './machine.js';
import { addressPool, forwarding, listening } from './network-checks.js';
import { authentication, optionsFile, pppd, secrets } from './pppd-checks.js';
import { privileges, user } from './privilege-checks.js';
import { files, greSocket, kernelPpp, mppe, nativeModules, node, runDirectory } from './system-checks.js';

/** In the order in which they are shown: what others follow from comes first. */
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
  greSocket,
  listening,
  addressPool,
  forwarding,
  runDirectory,
  files,
];

/** `serve` does these itself a moment later, for good, and says the same. */
const DONE_BY_SERVE: readonly Check[] = [listening];

export interface CheckResult {
  readonly name: string;
  readonly fatal: boolean;
  readonly outcome: Outcome;
}

/** The same machine, where each program is run once: several checks ask pppd for its version. */
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

/** Runs the checks in their order; with `only: 'fatal'` those alone without which `serve` cannot work. */
export async function runChecks(
  configuration: Configuration,
  { only, machine = thisMachine }: { readonly only?: 'fatal'; readonly machine?: Machine } = {},
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  const remembered = remembering(machine);
  /** Checks that failed, or were left out because what they follow from did. */
  const unmet = new Set<string>();
  for (const check of CHECKS) {
    const { name } = check;
    const fatal = typeof check.fatal === 'boolean' ? check.fatal : check.fatal(configuration, remembered);
    if (only === 'fatal' && (!fatal || DONE_BY_SERVE.includes(check))) continue;
    if ([check.follows ?? []].flat().some((other) => unmet.has(other))) {
      unmet.add(name);
      continue;
    }
    const outcome = await check.run(configuration, remembered);
    if (!outcome.ok) unmet.add(name);
    results.push({ name, fatal, outcome });
  }
  return results;
}

/** The sentence of a check that failed; null of one that did not. */
export const formatFailure = ({ outcome }: CheckResult): string | null =>
  outcome.ok ? null : `${outcome.problem}; mend it: ${outcome.remedy}`;
