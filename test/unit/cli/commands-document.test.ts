/**
 * Compares docs/commands.md, the exit codes in docs/operation.md, each command's --help and the program with each other.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Command } from 'commander';
import { newProgram } from '../../../src/cli/program.js';
import { sections } from './commands-document.js';

/** The commands that `pptpd-ts --help` lists. */
const PROGRAM = newProgram();
const COMMANDS = PROGRAM.createHelp().visibleCommands(PROGRAM);

function helpOf(command: Command): string {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  return help;
}

const HELP = new Map(COMMANDS.map((command) => [command.name(), helpOf(command)]));

/** The exit codes that a text names, between "exit code" and the end of the paragraph. */
const exitCodes = (text: string): Set<string> =>
  new Set(
    [...text.matchAll(/\bexit codes? (?:[^\n]|\n(?!\n))*/gi)].flatMap(
      ([sentence]) => sentence.match(/\b[0-9]\b/g) ?? [],
    ),
  );
const failures = (codes: ReadonlySet<string>): Set<string> => new Set([...codes].filter((code) => code !== '0'));

const optionsIn = (text: string): string[] =>
  Array.from(text.matchAll(/(?<![\w-])--?[a-z][\w-]*/g), ([option]) => option);
/** Of the command, or of one that belongs to it. */
const hasOption = (command: Command, option: string): boolean =>
  option === '--help' ||
  command.options.some(({ short, long }) => short === option || long === option) ||
  command.commands.some((each) => hasOption(each, option));

test('each command has a section, and each section is for a command', () => {
  assert.deepEqual([...sections.keys()].toSorted(), COMMANDS.map((command) => command.name()).toSorted());
});

for (const command of COMMANDS) {
  const name = command.name();
  const help = HELP.get(name) ?? '';
  const section = sections.get(name);
  describe(name, () => {
    test('has examples in its help, with valid options', () => {
      const [, examples = ''] = /\nExamples?:\n((?: {2}.*\n)+)/.exec(help) ?? [];
      const calls = examples.split('\n').filter((line) => line !== '');
      assert(calls.length > 0, help);
      for (const call of calls) {
        // Words after a pipe or after -- belong to another program.
        const [ours = ''] = call.split(/ \| | -- /);
        assert(ours.startsWith(`  pptpd-ts ${name}`), call);
        for (const option of optionsIn(ours)) assert(hasOption(command, option), `${option} in '${call.trim()}'`);
      }
    });

    test('has every option that the document names', () => {
      const named = Array.from(section?.prose.matchAll(/`([^`]+)`/g) ?? [], ([, code = '']) => code)
        .filter((code) => code.startsWith('-'))
        .flatMap(optionsIn);
      const called = section?.recordings.filter(({ words }) => words[0] === name).flatMap(({ words }) => words) ?? [];
      for (const option of [...named, ...called.flatMap(optionsIn)]) assert(hasOption(command, option), option);
    });

    test('explains its exit codes in its help, and the document names the same failures', () => {
      const inHelp = exitCodes(help);
      assert(inHelp.size > 0, help);
      assert.deepEqual(failures(exitCodes(section?.prose ?? '')), failures(inHelp));
    });
  });
}

test('the table of exit codes is complete, and names the commands that exit with 3', () => {
  const table = new Map(
    Array.from(
      readFileSync('docs/operation.md', 'utf8').matchAll(/^\| (\d) \| ([^|]+) \|/gm),
      ([, code = '', meaning = '']) => [code, meaning],
    ),
  );
  const all = new Set([...HELP.values()].flatMap((help) => [...exitCodes(help)]));
  assert.deepEqual(new Set(table.keys()), all);
  const withoutManager = COMMANDS.map((command) => command.name()).filter((name) =>
    exitCodes(HELP.get(name) ?? '').has('3'),
  );
  assert.deepEqual(
    new Set(Array.from(table.get('3')?.matchAll(/`(\w+)`/g) ?? [], ([, name]) => name)),
    new Set(withoutManager),
  );
});
