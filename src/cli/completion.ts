/**
 * Completes a command line from the commander definition, so that a new command, option or argument needs no change
 * here. Pure; the caller supplies the live session ids.
 */
import type { Argument, Command, Option } from 'commander';
import { SessionArgument } from './session-argument.js';

export interface Candidate {
  readonly word: string;
  readonly description: string;
}

/** `files`: the shell completes file names itself. */
export type Completion = { readonly candidates: readonly Candidate[]; readonly files: boolean };

const FILES: Completion = { candidates: [], files: true };
const NOTHING: Completion = { candidates: [], files: false };

/** Matches options and arguments whose value is a path. */
const IS_FILE = /file|directory/;

/**
 * Candidates for the last of `words`, which may be empty or incomplete. The words before it are complete; the program's
 * name is not among them.
 */
export function complete(program: Command, words: readonly string[], sessionIds: () => readonly string[]): Completion {
  const prefix = words.at(-1) ?? '';
  const [name, ...given] = words.slice(0, -1);
  if (name === undefined) {
    return starting(prefix, program.createHelp().visibleCommands(program).map(commandCandidate));
  }
  const command = program.commands.find((each) => each.name() === name);
  if (command === undefined) return NOTHING;
  if (command.commands.length > 0) return complete(command, words.slice(1), sessionIds);
  const valueOf = optionAt(command, given);
  if (valueOf !== null) return values(valueOf, prefix);
  if (prefix.startsWith('-')) return starting(prefix, command.options.map(optionCandidate));
  const argument = command.registeredArguments[positionals(command, given)] ?? lastVariadic(command);
  return argument === null ? NOTHING : ofArgument(argument, prefix, sessionIds);
}

function starting(prefix: string, candidates: readonly Candidate[]): Completion {
  return { candidates: candidates.filter(({ word }) => word.startsWith(prefix)), files: false };
}

const commandCandidate = (command: Command): Candidate => ({
  word: command.name(),
  description: command.description(),
});

const optionCandidate = ({ long, short, description }: Option): Candidate => ({
  word: long ?? short ?? '',
  description,
});

/** The option that expects a value next; null if there is none. */
function optionAt(command: Command, given: readonly string[]): Option | null {
  const last = given.at(-1);
  return command.options.find((option) => (option.required || option.optional) && isNamed(option, last)) ?? null;
}

const isNamed = ({ long, short }: Option, word: string | undefined): boolean =>
  word !== undefined && (word === long || word === short);

function values({ argChoices, flags }: Option, prefix: string): Completion {
  if (argChoices !== undefined)
    return starting(
      prefix,
      argChoices.map((word) => ({ word, description: '' })),
    );
  return IS_FILE.test(flags) ? FILES : NOTHING;
}

/** Number of words that are neither options nor their values. */
const positionals = (command: Command, given: readonly string[]): number =>
  given.filter((word, index) => !word.startsWith('-') && optionAt(command, given.slice(0, index)) === null).length;

function lastVariadic({ registeredArguments }: Command): Argument | null {
  const last = registeredArguments.at(-1);
  return last?.variadic === true ? last : null;
}

function ofArgument(argument: Argument, prefix: string, sessionIds: () => readonly string[]): Completion {
  if (argument instanceof SessionArgument) {
    return starting(
      prefix,
      sessionIds().map((word) => ({ word, description: 'session' })),
    );
  }
  if (argument.argChoices !== undefined) {
    return starting(
      prefix,
      argument.argChoices.map((word) => ({ word, description: '' })),
    );
  }
  return IS_FILE.test(argument.name()) ? FILES : NOTHING;
}
