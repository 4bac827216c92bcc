/** The generated parts of the man pages: they are complete, and no line of text is a request to troff. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Argument, Command } from 'commander';
import { commandsAsRoff, keysAsRoff } from '../../../src/cli/man-pages.js';
import { configurationKeys } from '../../../src/config/keys.js';

test('a command has its arguments and options, with the allowed values', () => {
  const program = new Command('program')
    .addCommand(
      new Command('end')
        .description('end a session')
        .addArgument(new Argument('<state>', 'which').choices(['on', 'off']))
        .argument('[who...]', "the client's name")
        .option('-n, --lines <count>', 'how many', '10'),
    )
    .addCommand(
      new Command('users')
        .description('of the server')
        .addCommand(new Command('add').description('one').argument('<name>')),
    )
    .addCommand(new Command('secret'), { hidden: true });
  assert.equal(
    commandsAsRoff(program),
    [
      '.TP',
      '\\fBend\\fR \\fIstate\\fR [\\fIwho\\fR ...]',
      'end a session',
      '.RS',
      '.TP',
      '\\fIstate\\fR',
      'which (\\fBon\\fR, \\fBoff\\fR)',
      '.TP',
      '[\\fIwho\\fR ...]',
      'the client\\(aqs name',
      '.TP',
      '\\fB\\-n\\fR, \\fB\\-\\-lines\\fR \\fIcount\\fR',
      'how many (default: \\fB10\\fR)',
      '.RE',
      '.TP',
      '\\fBusers\\fR',
      'of the server',
      '.TP',
      '\\fBusers add\\fR \\fIname\\fR',
      'one',
      '.RS',
      '.TP',
      '\\fIname\\fR',
      '',
      '.RE',
    ].join('\n'),
  );
});

test('a key has its meaning, one sentence per line, and its default', () => {
  const meaning = 'Where. `a\\b`: nowhere, e.g. -1 (§4).';
  assert.equal(
    keysAsRoff([{ key: 'a.b', defaultValue: '5', meaning }]),
    ['.TP', '\\fBa.b\\fR', 'Where.', '\\fBa\\eb\\fR: nowhere, e.g. \\-1 (\\(sc4).', 'Default: \\fB5\\fR.'].join('\n'),
  );
  assert.match(keysAsRoff([{ key: 'a', defaultValue: '', meaning: '.conf files' }]), /^\\&\.conf files$/m);
});

test('the meaning of every key of the configuration is a sentence', () => {
  const keys = configurationKeys();
  assert.ok(keys.some(({ key }) => key === 'pppd.options'));
  for (const { key, meaning } of keys) assert.match(meaning, /^\S.*\.$/, key);
});
