/** `pptpd-ts start` and the like, which newcomers try: they are the service's, and say so. */
import { Command } from 'commander';

export const serviceCommands = (): Command[] =>
  ['start', 'stop', 'restart'].map((name) =>
    new Command(name)
      .argument('[anything...]')
      .action((_words: string[], _options: object, { parent }: Command) =>
        parent?.error(
          `error: there is no command '${name}'. Use the service: systemctl ${name} pptpd-ts, or /etc/init.d/pptpd-ts ${name}`,
        ),
      ),
  );
