/** `pptpd-ts import`: converts pptpd's configuration file and command line. */
import { accessSync, constants, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { configurationFileOf, importPptpd, type PptpdHost, remarksOfHostsFile } from '../../config/import.js';
import { addressOfHost } from '../../host/host-name.js';
import { messageOf } from '../../sys/thrown.js';
import { EXIT } from '../configuration.js';

const PPTPD_FILE = '/etc/pptpd.conf';

/** Access rules that pptpd obeys through libwrap (hosts_access(5)). */
const HOSTS_FILES = ['/etc/hosts.allow', '/etc/hosts.deny'];

/** Whether pptpd, which runs as root, has this access. If another user lacks the permission, it is assumed. */
function canAccess(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch (error) {
    return process.getuid?.() !== 0 && (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}

/** This machine, assumed to be the one that pptpd runs on. */
export const thisHost: PptpdHost = {
  lookUp: addressOfHost,
  isReadable: (path) => canAccess(path, constants.R_OK),
  isExecutable: (path) => canAccess(path, constants.X_OK),
  read: textOf,
};

/** Prints JSON to standard output, and every line that cannot be converted to standard error. */
export const importCommand = (): Command =>
  new Command('import')
    .description("convert pptpd's configuration file and command line to a configuration file of pptpd-ts")
    .argument('[file]', `pptpd's configuration file (default: the one that its arguments name, or ${PPTPD_FILE})`)
    .argument('[arguments...]', 'after --: the arguments that pptpd was started with')
    .addHelpText(
      'after',
      `
Examples:
  pptpd-ts import > /etc/pptpd-ts.json
  pptpd-ts import /etc/pptpd.conf -- --logwtmp --connections 20

Host names and files in it are looked up on this machine, as pptpd does when it starts. The pppd options file that it names
is translated too, into the section "ppp".

Exit code 1: a line cannot be converted. The error names the line, and no configuration is printed.`,
    )
    .action((first: string | undefined, others: string[]) => {
      // In `import -- -d` commander takes the word after -- for the file.
      const isFile = first !== undefined && !first.startsWith('-');
      const commandLine = first === undefined || isFile ? others : [first, ...others];
      const name = isFile ? first : (configurationFileOf(commandLine) ?? PPTPD_FILE);
      const text = contentOf(name);
      if (text === null) return;
      const imported = importPptpd({ name, text }, commandLine, thisHost);
      for (const remark of imported.remarks) console.error(remark);
      for (const remark of HOSTS_FILES.flatMap(hostsRemarks)) console.error(remark);
      if (imported.ok) {
        console.log(JSON.stringify(imported.input, null, 2));
        return;
      }
      for (const fault of imported.faults) console.error(`pptpd-ts: ${fault}`);
      process.exitCode = EXIT.failed;
    });

/** The file's text; null after printing the error. */
function contentOf(name: string): string | null {
  try {
    return decoded(readFileSync(name));
  } catch (error) {
    console.error(`pptpd-ts: ${name}: pptpd's configuration cannot be read: ${messageOf(error)}`);
    process.exitCode = EXIT.failed;
    return null;
  }
}

/** pptpd reads octets. A file that is not valid UTF-8 is read as Latin-1, the encoding of older files. */
function decoded(octets: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return octets.toString('latin1');
  }
}

/** null if the file cannot be read. */
function textOf(name: string): string | null {
  try {
    return decoded(readFileSync(name));
  } catch {
    return null;
  }
}

function hostsRemarks(name: string): string[] {
  try {
    return remarksOfHostsFile({ name, text: readFileSync(name, 'utf8') });
  } catch (error) {
    // Most machines have no such file.
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? [] : [`${name}: not read: ${messageOf(error)}`];
  }
}
