/** `pptpd-ts start`, `stop` and `restart`, which newcomers try: they print how to control the service. */
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
