/** `pptpd-ts reference PART`: hidden; prints what scripts/documents puts into the man pages and docs/configuration.md. */
import { Argument, Command } from 'commander';
import { configurationKeys, keysAsMarkdown } from '../../config/keys.js';
import { commandsAsRoff, keysAsRoff } from '../man-pages.js';

const PARTS = {
  commands: commandsAsRoff,
  keys: () => keysAsRoff(configurationKeys()),
  table: () => keysAsMarkdown(configurationKeys()),
} as const satisfies Readonly<Record<string, (program: Command) => string>>;

export const referenceCommand = (): Command =>
  new Command('reference')
    .addArgument(new Argument('<part>', 'the part').choices(Object.keys(PARTS)))
    .action((part: keyof typeof PARTS, _: unknown, command: Command) =>
      console.log(PARTS[part](command.parent ?? command)),
    );
