/**
 * docs/commands.md, the exit codes in docs/operation.md and each command's --help against each other and the program:
 * whichever changes alone fails here.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Command } from 'commander';
import { newProgram } from '../../../src/cli/program.js';
import { sections } from './commands-document.js';

/** Those that `pptpd-ts --help` lists. */
const PROGRAM = newProgram();
const COMMANDS = PROGRAM.createHelp().visibleCommands(PROGRAM);

function helpOf(command: Command): string {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  return help;
}

const HELP = new Map(COMMANDS.map((command) => [command.name(), helpOf(command)]));

/** The exit codes that a text names, from where it begins to speak of them to the paragraph's end. */
const exitCodes = (text: string): Set<string> =>
  new Set(
    [...text.matchAll(/\bexit codes? (?:[^\n]|\n(?!\n))*/gi)].flatMap(
      ([sentence]) => sentence.match(/\b[0-9]\b/g) ?? [],
    ),
  );
const failures = (codes: ReadonlySet<string>): Set<string> => new Set([...codes].filter((code) => code !== '0'));

const optionsIn = (text: string): string[] =>
  Array.from(text.matchAll(/(?<![\w-])--?[a-z][\w-]*/g), ([option]) => option);
const hasOption = (command: Command, option: string): boolean =>
  option === '--help' || command.options.some(({ short, long }) => short === option || long === option);

test('every command has a section, and no other has', () => {
  assert.deepEqual([...sections.keys()].toSorted(), COMMANDS.map((command) => command.name()).toSorted());
});

for (const command of COMMANDS) {
  const name = command.name();
  const help = HELP.get(name) ?? '';
  const section = sections.get(name);
  describe(name, () => {
    test('has examples in its help, with options that it has', () => {
      const [, examples = ''] = /\nExamples?:\n((?: {2}.*\n)+)/.exec(help) ?? [];
      const calls = examples.split('\n').filter((line) => line !== '');
      assert(calls.length > 0, help);
      for (const call of calls) {
        // What is behind a pipe, or behind --, is another program's.
        const [ours = ''] = call.split(/ \| | -- /);
        assert(ours.startsWith(`  pptpd-ts ${name}`), call);
        for (const option of optionsIn(ours)) assert(hasOption(command, option), `${option} in '${call.trim()}'`);
      }
    });

    test('has the options that the document names', () => {
      const named = Array.from(section?.prose.matchAll(/`([^`]+)`/g) ?? [], ([, code = '']) => code)
        .filter((code) => code.startsWith('-'))
        .flatMap(optionsIn);
      const called = section?.recordings.filter(({ words }) => words[0] === name).flatMap(({ words }) => words) ?? [];
      for (const option of [...named, ...called.flatMap(optionsIn)]) assert(hasOption(command, option), option);
    });

    test('says in its help what its exit codes mean, and the document names the same that are failures', () => {
      const inHelp = exitCodes(help);
      assert(inHelp.size > 0, help);
      assert.deepEqual(failures(exitCodes(section?.prose ?? '')), failures(inHelp));
    });
  });
}

test('the table of exit codes has every one, and the commands of the one that is not every command’s', () => {
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
