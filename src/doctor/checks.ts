/**
 * What a server needs of its machine, one check a need: `doctor` shows all of them. `serve` refuses to start where a
 * fatal one fails, with the same sentence, and logs doubts. Each failure says what is wrong and what to do.
 */
import type { Configuration } from '../config/schema.js';
import type { Check, Outcome } from './check.js';
import { type Machine, thisMachine } from './machine.js';
import { addressPool, forwarding, listening } from './network-checks.js';
import { authentication, optionsFile, pppd } from './pppd-checks.js';
import { privileges, user } from './privilege-checks.js';
import { secrets } from './secrets-check.js';
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

/** Runs the checks in their order; with `only: 'start'` those alone that matter to the start of `serve`. */
export async function runChecks(
  configuration: Configuration,
  { only, machine = thisMachine }: { readonly only?: 'start'; readonly machine?: Machine } = {},
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  const remembered = remembering(machine);
  /** Checks that failed, or were left out because what they follow from did. */
  const unmet = new Set<string>();
  for (const check of CHECKS) {
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

/** The sentence of a check that failed; null of one that did not. */
export const formatFailure = ({ outcome }: CheckResult): string | null =>
  outcome.ok ? null : `${outcome.problem}; remedy: ${outcome.remedy}`;
