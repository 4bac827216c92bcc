/** `pptpd-ts capture ID -w FILE`: what passes through one session from now on, for Wireshark. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { BlockList } from 'node:net';
import type { Writable } from 'node:stream';
import { Command } from 'commander';
import { version } from '../../host/version.js';
import { PptpCapture } from '../../pcap/pptp-capture.js';
import type { Sender } from '../../pcap/tcp-stream.js';
import { TCP_PORT } from '../../pptp/index.js';
import { type Captured, CAPTURED, type CaptureEvent } from '../../session/captures.js';
import { SessionClient } from '../../session/client.js';
import { SessionFollower } from '../../session/follower.js';
import { listSessionIds } from '../../session/record.js';
import { missingManager } from '../ask-manager.js';
import { addRunDirectoryOptions, runDirectoryOf, type RunDirectoryOptions } from '../configuration.js';
import { parseAddresses } from '../selection.js';
import { SessionArgument, withSession } from '../session-argument.js';
import { aborted, stopSignal } from '../stop.js';

interface CaptureOptions extends RunDirectoryOptions {
  readonly write: string;
  readonly next?: BlockList;
}

const HELP = `
Examples:
  pptpd-ts capture 1kzdpy -w session.pcapng
  pptpd-ts capture 1kzdpy -w - | wireshark -k -i -
  pptpd-ts capture --next 192.0.2.7 -w login.pcapng

Ctrl-C or the session's end ends it. The file has two interfaces: PPP frames of both ways without GRE around them, and
the control messages, in IP and TCP headers that are made up. It holds what the wire has, logins too: it is for its
owner alone (mode 600). A reader that is too slow misses frames, which are counted; the session is never held up.

Exit code 1: there is no such session, or the file cannot be written.`;

export const captureCommand = (): Command =>
  addRunDirectoryOptions(
    new Command('capture')
      .description("write a session's PPP frames and control messages to a pcapng file, or live to Wireshark")
      .addArgument(new SessionArgument().argOptional()),
  )
    .requiredOption('-w, --write <file>', 'where to; - is standard output')
    .option(
      '--next <address>',
      'instead of an id: the next session of this client (or network), from its beginning',
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
        id === undefined ? nextSession(runDirectory, options.next, stop) : SessionClient.connect(runDirectory, id);
      await withSession(find, async (session) => {
        const output = await openOutput(options.write);
        await captureSession(session, output, options.write, stop);
      });
    });

async function openOutput(name: string): Promise<Writable> {
  if (name === '-') return process.stdout;
  const file = createWriteStream(name, { mode: 0o600 });
  await once(file, 'open');
  return file;
}

/** The next session that comes from there, asked already: its login does not wait; null: told to stop before. */
async function nextSession(
  runDirectory: string,
  clients: BlockList | undefined,
  stop: AbortSignal,
): Promise<SessionClient | null> {
  const noManager = await missingManager(runDirectory);
  if (noManager !== null) console.error(`pptpd-ts: ${noManager.message}; waiting for one`);
  console.error('waiting for the client to connect; Ctrl-C ends it');
  return new Promise((resolve) => {
    let settled = false;
    const settle = (session: SessionClient | null): void => {
      settled = true;
      follower.close();
      resolve(session);
    };
    const found = async (session: SessionClient): Promise<void> => {
      const { peer } = await session.state();
      if (!settled && clients?.check(peer.address) === true) settle(session);
      else session.close();
    };
    const follower = new SessionFollower({
      runDirectory,
      ignored: listSessionIds(runDirectory),
      onEvent: (event) => {
        // A session that ends before it answers cannot be captured.
        if (event.type === 'found') void found(event.session).catch(() => event.session.close());
        else console.error(`pptpd-ts: ${event.why}`);
      },
    });
    void aborted(stop).then(() => settle(null));
  });
}

const PASSED = {
  pppFromClient: ['ppp', 'client'],
  pppToClient: ['ppp', 'server'],
  controlFromClient: ['control', 'client'],
  controlToClient: ['control', 'server'],
} as const satisfies Record<Captured, readonly ['ppp' | 'control', Sender]>;

/** Until the session ends or `stop` is aborted. Rejects with what the file system says. */
async function captureSession(
  session: SessionClient,
  output: Writable,
  name: string,
  stop: AbortSignal,
): Promise<void> {
  const { peer, localAddress } = await session.state();
  const file = new PptpCapture(peer, { address: localAddress, port: TCP_PORT });
  const counts = { frames: 0, lost: 0 };
  output.write(file.header(`pptpd-ts ${version}`, session.id));
  session.onCapture = (event) => {
    counts.frames += event.frames.length;
    counts.lost += event.lost;
    if (output.write(packetsOf(file, event))) return;
    session.pause();
    output.once('drain', () => session.resume());
  };
  const over = new Promise<void>((resolve, reject) => {
    session.onClose = () => resolve();
    void aborted(stop).then(resolve);
    output.once('error', reject);
  });
  await session.request('capture', {});
  console.error(`capturing session ${session.id} of ${peer.address}; Ctrl-C ends it`);
  await over;
  output.write(file.rest(Date.now() * 1000));
  if (output !== process.stdout) {
    output.end();
    await once(output, 'close');
  }
  console.error(`${name}: ${counts.frames} frames and messages, ${counts.lost} lost`);
}

function packetsOf(file: PptpCapture, { lost, frames, bytes }: CaptureEvent): Uint8Array {
  file.addLost(lost);
  const octets = Buffer.from(bytes, 'base64');
  let at = 0;
  return Buffer.concat(
    frames.map(([time, captured, length]) => {
      const frame = octets.subarray(at, at + length);
      at += length;
      const [kind, sender] = PASSED[CAPTURED[captured] ?? 'pppToClient'];
      return file[kind](time, sender, frame);
    }),
  );
}
