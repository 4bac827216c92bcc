/**
 * The generated parts of the man pages: the commands for pptpd-ts(8), the configuration keys for pptpd-ts.json(5).
 * The text around them is in scripts/man. Pure.
 */
import type { Argument, Command, Option } from 'commander';
import type { ConfigurationKey } from '../config/keys.js';

export function commandsAsRoff(program: Command): string {
  return program
    .createHelp()
    .visibleCommands(program)
    .filter(isOurs)
    .map((command) => commandAsRoff(command))
    .join('\n');
}

export function keysAsRoff(keys: readonly ConfigurationKey[]): string {
  return keys
    .map(({ key, defaultValue, meaning }) =>
      item(bold(key), defaultValue === '' ? meaning : `${meaning} Default: \`${defaultValue}\`.`),
    )
    .join('\n');
}

/** Not `help`: commander adds one to each program, and it needs no manual. */
const isOurs = (command: Command): boolean => command.name() !== 'help';

/** `parent`: the name of the command that it belongs to. */
function commandAsRoff(command: Command, parent = ''): string {
  const name = parent === '' ? command.name() : `${parent} ${command.name()}`;
  const heading = [bold(name), ...command.registeredArguments.map(argumentName)].join(' ');
  const details = [...command.registeredArguments.map(argumentAsRoff), ...command.options.map(optionAsRoff)];
  const inner = details.length === 0 ? [] : ['.RS', ...details, '.RE'];
  const others = command.commands.filter(isOurs).map((each) => commandAsRoff(each, name));
  return [item(heading, command.description()), ...inner, ...others].join('\n');
}

function argumentName(argument: Argument): string {
  const name = `${italic(argument.name())}${argument.variadic ? ' ...' : ''}`;
  return argument.required ? name : `[${name}]`;
}

const argumentAsRoff = (argument: Argument): string => item(argumentName(argument), withValues(argument));
const optionAsRoff = (option: Option): string => item(flags(option), withValues(option));

/** The description with the allowed values and the default, as in `--help`. */
function withValues({ description, argChoices, defaultValue }: Option | Argument): string {
  const values = [
    ...(argChoices === undefined ? [] : [argChoices.map((choice) => `\`${choice}\``).join(', ')]),
    ...(defaultValue === undefined ? [] : [`default: \`${String(defaultValue)}\``]),
  ];
  return values.length === 0 ? description : `${description} (${values.join('; ')})`;
}

/** `-c, --config <file>`: names bold, the value italic. */
const flags = (option: Option): string =>
  option.flags.replaceAll(/<([^>]+)>|-[\w-]+/g, (word, value: string | undefined) =>
    value === undefined ? bold(word) : italic(value),
  );

/** A paragraph with a heading, which is roff already. roff expects each sentence on a line of its own. */
const item = (heading: string, text: string): string =>
  ['.TP', heading, ...text.split(/(?<=[.!?]) (?=[A-Z`])/).map((line) => withoutRequest(marked(line)))].join('\n');

const bold = (text: string): string => `\\fB${escaped(text)}\\fR`;
const italic = (text: string): string => `\\fI${escaped(text)}\\fR`;

/** `code` as bold. */
const marked = (text: string): string =>
  text
    .split('`')
    .map((part, index) => (index % 2 === 1 ? bold(part) : escaped(part)))
    .join('');

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq').replaceAll('§', '\\(sc');

/** troff would take a line that begins with a full stop for a request. */
const withoutRequest = (line: string): string => (line.startsWith('.') ? `\\&${line}` : line);
