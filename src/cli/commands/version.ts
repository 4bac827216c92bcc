/** `pptpd-ts version`: the same as --version. */
import { Command } from 'commander';
import { version } from '../../host/version.js';

export const versionCommand = (): Command =>
  new Command('version')
    .description('print the version')
    .addHelpText('after', '\nExample:\n  pptpd-ts version\n\nExit code 0.')
    .action(() => console.log(version));
