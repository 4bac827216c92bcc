/** What a check of the machine is, and what it says: shared by the files that hold checks. */
import type { Configuration } from '../config/schema.js';
import type { Machine } from './machine.js';

export type Outcome =
  | { readonly ok: true; readonly detail: string }
  | {
      readonly ok: false;
      readonly problem: string;
      readonly remedy: string;
      /** It can still work: a warning, also where the check is fatal. */
      readonly doubt?: true;
    };

export interface Check {
  readonly name: string;
  /** The server certainly cannot work where it fails; otherwise it can, and something else may not. */
  readonly fatal: boolean | ((configuration: Configuration, machine: Machine) => boolean);
  /** Fails wherever one of these checks fails, and is left out then: one cause, one sentence. */
  readonly follows?: string | readonly string[];
  /** Its warnings are for the log of `serve` too. */
  readonly isLogged?: true;
  /** Several outcomes where it looks at several things: the lines of a file. */
  run(
    configuration: Configuration,
    machine: Machine,
  ): Outcome | readonly Outcome[] | Promise<Outcome | readonly Outcome[]>;
}

export const good = (detail: string): Outcome => ({ ok: true, detail });

/** The remedy is a command where there is one, and otherwise the change that is needed. */
export const bad = (problem: string, remedy: string): Outcome => ({ ok: false, problem, remedy });

/** What a fatal check is not sure of. */
export const doubt = (problem: string, remedy: string): Outcome => ({ ok: false, problem, remedy, doubt: true });
