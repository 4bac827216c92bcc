/** `pptpd-ts check`: validates a configuration file and prints what it means. */
import { Command } from 'commander';
import { addressList } from '../../config/addresses.js';
import { configurationOf, configurationOption } from '../configuration.js';

export const checkCommand = (): Command =>
  new Command('check')
    .description('check a configuration file; print the effective configuration and the address pool')
    .addOption(configurationOption())
    .addHelpText(
      'after',
      '\nExamples:\n  pptpd-ts check\n  pptpd-ts check -c ./pptpd-ts.json\n\nExit code 2: the file is wrong; every error is named.',
    )
    .action((options: { config: string }) => {
      const configuration = configurationOf(options.config);
      console.log(JSON.stringify(configuration, null, 2));
      const { addresses, limits } = configuration;
      if (addresses.delegate) {
        console.error('addresses: chosen by pppd (addresses.delegate)');
        return;
      }
      const remote = addressList(addresses.remote);
      const most = limits.connections === 0 ? remote.length : Math.min(limits.connections, remote.length);
      console.error(
        `addresses: ${remote.length} for clients, ${remote[0]} to ${remote.at(-1)}; at most ${most} sessions`,
      );
    });
