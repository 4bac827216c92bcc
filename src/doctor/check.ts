/** The type of a check of the machine and of its outcome. */
import type { Configuration } from '../config/schema.js';
import type { EngineChoice } from '../host/ppp-engine.js';
import type { Machine } from './machine.js';

export type Outcome =
  | { readonly ok: true; readonly detail: string }
  | {
      readonly ok: false;
      readonly problem: string;
      readonly remedy: string;
      /** A warning even in a fatal check: the server may still work. */
      readonly doubt?: true;
    };

export interface Check {
  readonly name: string;
  /** true: the server cannot work if the check fails. false: the server works, but something else may not. */
  readonly fatal: boolean | ((configuration: Configuration, machine: Machine) => boolean);
  /** Only this engine needs it. */
  readonly engine?: EngineChoice['engine'];
  /** Checks without which this one cannot succeed. If one of them fails this check is skipped, so each cause is reported once. */
  readonly follows?: string | readonly string[];
  /** `serve` logs its warnings. */
  readonly isLogged?: true;
  /** Several outcomes if it checks several things, such as the lines of a file. */
  run(
    configuration: Configuration,
    machine: Machine,
  ): Outcome | readonly Outcome[] | Promise<Outcome | readonly Outcome[]>;
}

export const good = (detail: string): Outcome => ({ ok: true, detail });

/** `remedy`: a command if there is one, otherwise an imperative sentence; without a full stop. */
export const bad = (problem: string, remedy: string): Outcome => ({ ok: false, problem, remedy });

/** A warning of a fatal check. */
export const doubt = (problem: string, remedy: string): Outcome => ({ ok: false, problem, remedy, doubt: true });
