/** `pptpd-ts help COMMAND`. commander's own `help` prints the whole help for an unknown command. */
import { Command } from 'commander';

export const helpCommand = (): Command =>
  new Command('help')
    .description('display help for a command')
    .argument('[command]', 'the command')
    .addHelpText(
      'after',
      '\nExamples:\n  pptpd-ts help\n  pptpd-ts help sessions\n\nExit code 2: there is no such command.',
    )
    .action((name: string | undefined, _options: object, { parent }: Command) => {
      const command = name === undefined ? parent : parent?.commands.find((each) => each.name() === name);
      if (command === undefined) parent?.error(`error: unknown command '${name}'`);
      command?.help();
    });
