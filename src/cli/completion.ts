/**
 * What can stand at a place of the command line, told from the commander definition itself: a command, an option or an
 * argument that is added there completes by itself. Pure; live session ids are the caller's to give.
 */
import type { Argument, Command, Option } from 'commander';
import { SessionArgument } from './session-argument.js';

export interface Candidate {
  readonly word: string;
  readonly description: string;
}

/** `files`: the shell completes file names there. */
export type Completion = { readonly candidates: readonly Candidate[]; readonly files: boolean };

const FILES: Completion = { candidates: [], files: true };
const NOTHING: Completion = { candidates: [], files: false };

/** How options and arguments name what is a file's or a folder's name. */
const IS_FILE = /file|directory/;

/**
 * For the last of `words`, which may be empty or begun; those before it are complete, the program's own name left out.
 */
export function complete(program: Command, words: readonly string[], sessionIds: () => readonly string[]): Completion {
  const begun = words.at(-1) ?? '';
  const [name, ...given] = words.slice(0, -1);
  if (name === undefined) {
    return starting(begun, program.createHelp().visibleCommands(program).map(commandCandidate));
  }
  const command = program.commands.find((each) => each.name() === name);
  if (command === undefined) return NOTHING;
  const valueOf = optionAt(command, given);
  if (valueOf !== null) return values(valueOf, begun);
  if (begun.startsWith('-')) return starting(begun, command.options.map(optionCandidate));
  const argument = command.registeredArguments[positionals(command, given)] ?? lastVariadic(command);
  return argument === null ? NOTHING : ofArgument(argument, begun, sessionIds);
}

function starting(begun: string, candidates: readonly Candidate[]): Completion {
  return { candidates: candidates.filter(({ word }) => word.startsWith(begun)), files: false };
}

const commandCandidate = (command: Command): Candidate => ({
  word: command.name(),
  description: command.description(),
});

const optionCandidate = ({ long, short, description }: Option): Candidate => ({
  word: long ?? short ?? '',
  description,
});

/** The option whose value comes next; null when none does. */
function optionAt(command: Command, given: readonly string[]): Option | null {
  const last = given.at(-1);
  return command.options.find((option) => (option.required || option.optional) && isIt(option, last)) ?? null;
}

const isIt = ({ long, short }: Option, word: string | undefined): boolean =>
  word !== undefined && (word === long || word === short);

function values({ argChoices, flags }: Option, begun: string): Completion {
  if (argChoices !== undefined)
    return starting(
      begun,
      argChoices.map((word) => ({ word, description: '' })),
    );
  return IS_FILE.test(flags) ? FILES : NOTHING;
}

/** How many arguments stand there: neither options nor their values. */
const positionals = (command: Command, given: readonly string[]): number =>
  given.filter((word, index) => !word.startsWith('-') && optionAt(command, given.slice(0, index)) === null).length;

function lastVariadic({ registeredArguments }: Command): Argument | null {
  const last = registeredArguments.at(-1);
  return last?.variadic === true ? last : null;
}

function ofArgument(argument: Argument, begun: string, sessionIds: () => readonly string[]): Completion {
  if (argument instanceof SessionArgument) {
    return starting(
      begun,
      sessionIds().map((word) => ({ word, description: 'session' })),
    );
  }
  if (argument.argChoices !== undefined) {
    return starting(
      begun,
      argument.argChoices.map((word) => ({ word, description: '' })),
    );
  }
  return IS_FILE.test(argument.name()) ? FILES : NOTHING;
}
