/** `pptpd-ts capture ID -w FILE`: captures the traffic of one session from now on, for Wireshark. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { BlockList } from 'node:net';
import type { Writable } from 'node:stream';
import { Command } from 'commander';
import { missingManager } from '../../admin/ask-manager.js';
import { captureSession, nextSession } from '../../admin/capture.js';
import { SessionClient } from '../../session/client.js';
import { addRunDirectoryOptions, runDirectoryOf, type RunDirectoryOptions } from '../configuration.js';
import { parseAddresses } from '../selection.js';
import { SessionArgument, withSession } from '../session-argument.js';
import { stopSignal } from '../stop.js';

interface CaptureOptions extends RunDirectoryOptions {
  readonly write: string;
  readonly next?: BlockList;
}

const HELP = `
Examples:
  pptpd-ts capture 1kzdpy -w session.pcapng
  pptpd-ts capture 1kzdpy -w - | wireshark -k -i -
  pptpd-ts capture --next 192.0.2.7 -w login.pcapng

The capture ends with the session, or by Ctrl-C. The file has two interfaces: the PPP frames of both directions without
their GRE headers, and the control messages with made-up IP and TCP headers. It contains the logins too, so only its
owner may read it (mode 600). A slow reader loses frames, which are counted; the session is never delayed.

Exit code 1: there is no such session, or the file cannot be written.`;

export const captureCommand = (): Command =>
  addRunDirectoryOptions(
    new Command('capture')
      .description("write a session's PPP frames and control messages to a pcapng file, or live to Wireshark")
      .addArgument(new SessionArgument().argOptional()),
  )
    .requiredOption('-w, --write <file>', 'the file to write; - is standard output')
    .option(
      '--next <address>',
      'instead of an id: the next session of this client address or network, from its start',
      parseAddresses,
    )
    .addHelpText('after', HELP)
    .action(async (id: string | undefined, options: CaptureOptions, command: Command) => {
      if ((id === undefined) === (options.next === undefined)) command.error('error: give either an id or --next');
      if (options.write === '-' && process.stdout.isTTY) {
        command.error('error: standard output is a terminal; write to a file, or pipe it into wireshark -k -i -');
      }
      const runDirectory = runDirectoryOf(options);
      const stop = stopSignal();
      const find = async (): Promise<SessionClient | null> =>
        options.next === undefined
          ? SessionClient.connect(runDirectory, id ?? '')
          : waitForNext(runDirectory, options.next, stop);
      await withSession(find, async (session) => {
        const output = await openOutput(options.write);
        const { frames, lost } = await captureSession({
          session,
          output,
          stop,
          onStarted: (client) => console.error(`capturing session ${session.id} of ${client}; Ctrl-C to stop`),
          onNote: (note) => console.error(`pptpd-ts: ${note}`),
        });
        if (output !== process.stdout) {
          output.end();
          await once(output, 'close');
        }
        console.error(`${options.write}: ${frames} frames and messages, ${lost} lost`);
      });
    });

async function openOutput(name: string): Promise<Writable> {
  if (name === '-') return process.stdout;
  const file = createWriteStream(name, { mode: 0o600 });
  await once(file, 'open');
  return file;
}

/** Null if stopped before. */
async function waitForNext(runDirectory: string, clients: BlockList, stop: AbortSignal): Promise<SessionClient | null> {
  const noManager = await missingManager(runDirectory);
  if (noManager !== null) console.error(`pptpd-ts: ${noManager.message}; waiting for one`);
  const next = nextSession({ runDirectory, clients, stop, onUnreachable: (why) => console.error(`pptpd-ts: ${why}`) });
  // A session that begins from here on is the next one.
  console.error('waiting for the client to connect; Ctrl-C to stop');
  return next;
}
