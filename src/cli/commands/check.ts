/** `pptpd-ts check`: checks a configuration file and prints what is in force with it. */
import { Command } from 'commander';
import { describeAddresses } from '../../config/describe-addresses.js';
import { configurationJsonSchema } from '../../config/schema.js';
import { addConfigurationArgument, configurationOf, configurationOption } from '../configuration.js';

export const checkCommand = (): Command =>
  addConfigurationArgument(
    new Command('check').description(
      'check a configuration file; print the effective configuration and the address pool',
    ),
  )
    .addOption(configurationOption())
    .option('--schema', 'print the JSON Schema of configuration files instead, for editors')
    .addHelpText(
      'after',
      '\nExamples:\n  pptpd-ts check\n  pptpd-ts check ./pptpd-ts.json\n  pptpd-ts check --schema > pptpd-ts.schema.json\n\nExit code 2: the file is wrong; all errors are printed.',
    )
    .action((_file: unknown, options: { config: string; schema?: true }) => {
      if (options.schema) {
        console.log(JSON.stringify(configurationJsonSchema(), null, 2));
        return;
      }
      const configuration = configurationOf(options.config);
      console.log(JSON.stringify(configuration, null, 2));
      // On standard error, so that standard output is JSON only.
      for (const line of describeAddresses(configuration)) console.error(line);
    });
