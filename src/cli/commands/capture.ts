/** `pptpd-ts capture ID -w FILE`: captures the traffic of one session from now on, for Wireshark. */
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
import type { SessionState } from '../../session/state.js';
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

/** Waits for the next session of these clients; null if stopped before. */
async function nextSession(
  runDirectory: string,
  clients: BlockList | undefined,
  stop: AbortSignal,
): Promise<SessionClient | null> {
  const noManager = await missingManager(runDirectory);
  if (noManager !== null) console.error(`pptpd-ts: ${noManager.message}; waiting for one`);
  console.error('waiting for the client to connect; Ctrl-C to stop');
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

const CAPTURE_SOURCE = {
  pppFromClient: ['ppp', 'client'],
  pppToClient: ['ppp', 'server'],
  controlFromClient: ['control', 'client'],
  controlToClient: ['control', 'server'],
} as const satisfies Record<Captured, readonly ['ppp' | 'control', Sender]>;

/** Captures until the session ends or `stop` is aborted. Rejects with the system's error if the file cannot be written. */
async function captureSession(
  session: SessionClient,
  output: Writable,
  name: string,
  stop: AbortSignal,
): Promise<void> {
  const { peer, localAddress } = await session.state();
  const file = new PptpCapture(peer, { address: localAddress, port: TCP_PORT });
  const counts = { frames: 0, lost: 0 };
  let isNoted = false;
  output.write(file.header(`pptpd-ts ${version}`, session.id));
  session.onCapture = (event) => {
    counts.frames += event.frames.length;
    counts.lost += event.lost;
    if (!isNoted && event.frames.some(([, captured]) => isPpp(captured))) {
      isNoted = true;
      void noteWhatIsMissing(session);
    }
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
  console.error(`capturing session ${session.id} of ${peer.address}; Ctrl-C to stop`);
  await over;
  output.write(file.rest(Date.now() * 1000));
  if (output !== process.stdout) {
    output.end();
    await once(output, 'close');
  }
  console.error(`${name}: ${counts.frames} frames and messages, ${counts.lost} lost`);
}

const isPpp = (captured: number): boolean => CAPTURE_SOURCE[CAPTURED[captured] ?? 'pppToClient'][0] === 'ppp';

/** Says it once the session has a link. */
async function noteWhatIsMissing(session: SessionClient): Promise<void> {
  const state = await session.state().catch(() => null);
  const note = state === null ? null : notCaptured(state);
  if (note !== null) console.error(`pptpd-ts: ${note}`);
}

/** With the kernel's data path only PPP's negotiation passes the worker. null: everything is captured. */
export function notCaptured({ link, interface: name }: Pick<SessionState, 'link' | 'interface'>): string | null {
  if (link !== 'kernel') return null;
  const shown = name === null ? '' : `; to see it: tcpdump -ni ${name}`;
  return `the data of this session travels in the kernel and is not captured${shown}`;
}

function packetsOf(file: PptpCapture, { lost, frames, bytes }: CaptureEvent): Uint8Array {
  file.addLost(lost);
  const octets = Buffer.from(bytes, 'base64');
  let at = 0;
  return Buffer.concat(
    frames.map(([time, captured, length]) => {
      const frame = octets.subarray(at, at + length);
      at += length;
      const [kind, sender] = CAPTURE_SOURCE[CAPTURED[captured] ?? 'pppToClient'];
      return file[kind](time, sender, frame);
    }),
  );
}
