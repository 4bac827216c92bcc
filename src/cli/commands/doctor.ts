/** `pptpd-ts doctor`: checks whether this machine has what the server needs. One line per check. */
import { Command } from 'commander';
import { type CheckResult, formatFailure, runChecks } from '../../doctor/checks.js';
import type { Configuration } from '../../config/schema.js';
import { engineOf } from '../../doctor/engine.js';
import type { EngineChoice } from '../../host/ppp-engine.js';
import { findUnixUser, UNNAMED_USER } from '../../host/unix-user.js';
import { type Machine, thisMachine } from '../../doctor/machine.js';
import { machineAs } from '../../doctor/machine-as.js';
import { addConfigurationArgument, configurationOf, configurationOption, EXIT } from '../configuration.js';
import { green, red, yellow } from '../output.js';

function line(result: CheckResult): string {
  const { name, fatal, outcome } = result;
  if (outcome.ok) return `${green('ok  ')}  ${name}: ${outcome.detail}`;
  return `${fatal ? red('FAIL') : yellow('warn')}  ${name}: ${formatFailure(result)}`;
}

/** Root checks what the user that `serve` becomes may do: the configuration's, or with the builtin engine a nameless one. */
function machineOf({ user }: Configuration, engine: EngineChoice['engine']): Machine {
  if (process.geteuid?.() !== 0) return thisMachine;
  const account = user === undefined ? (engine === 'builtin' ? UNNAMED_USER : null) : findUnixUser(user);
  return account === null ? thisMachine : machineAs(account);
}

export const doctorCommand = (): Command =>
  addConfigurationArgument(
    new Command('doctor').description('check this machine: privileges, PPP, kernel, GRE, addresses, files'),
  )
    .addOption(configurationOption())
    .option('--fatal', 'print only what prevents the server from starting')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  pptpd-ts doctor\n  pptpd-ts doctor ./pptpd-ts.json --json\n\nFAIL: the server cannot work on this machine, and `serve` refuses to start. warn: the server starts, but something may\nnot work.\n\nExit code 1: a check failed (FAIL).',
    )
    .action(async (_file: unknown, options: { config: string; fatal?: true; json?: true }) => {
      const configuration = configurationOf(options.config);
      const engine = await engineOf(configuration, thisMachine);
      const machine = machineOf(configuration, engine.engine);
      const results = await runChecks(configuration, { machine, engine });
      const failures = results.filter(({ fatal, outcome }) => fatal && !outcome.ok);
      const shown = options.fatal ? failures : results;
      if (options.json) console.log(JSON.stringify(shown, null, 2));
      else for (const each of shown) console.log(line(each));
      if (failures.length > 0) process.exitCode = EXIT.failed;
    });
