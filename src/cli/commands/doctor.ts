/** `pptpd-ts doctor`: does this machine have what the server needs? One line a check. */
import { Command } from 'commander';
import { runChecks } from '../../host/checks.js';
import { configurationOf, configurationOption, EXIT } from '../configuration.js';
import { green, red, yellow } from '../output.js';

export const doctorCommand = (): Command =>
  new Command('doctor')
    .description('check this machine: privileges, pppd, kernel, GRE, addresses, files')
    .addOption(configurationOption())
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  pptpd-ts doctor\n  pptpd-ts doctor -c ./pptpd-ts.json --json\n\nExit code 1: the server cannot work here.',
    )
    .action(async (options: { config: string; json?: true }) => {
      const results = await runChecks(configurationOf(options.config));
      if (options.json) {
        console.log(JSON.stringify(results, null, 2));
      } else {
        for (const { name, fatal, outcome } of results) {
          if (outcome.ok) console.log(`${green('ok  ')}  ${name}: ${outcome.detail}`);
          else
            console.log(
              `${fatal ? red('FAIL') : yellow('warn')}  ${name}: ${outcome.problem}\n      mend it: ${outcome.remedy}`,
            );
        }
      }
      if (results.some(({ fatal, outcome }) => fatal && !outcome.ok)) process.exitCode = EXIT.failed;
    });
