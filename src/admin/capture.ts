/** Writes what passes a session from now on as a pcapng file. */
import type { BlockList } from 'node:net';
import type { Writable } from 'node:stream';
import { version } from '../host/version.js';
import { PptpCapture } from '../pcap/pptp-capture.js';
import type { Sender } from '../pcap/tcp-stream.js';
import { TCP_PORT } from '../pptp/index.js';
import { type Captured, CAPTURED, type CaptureEvent } from '../session/captures.js';
import type { SessionClient } from '../session/client.js';
import { SessionFollower } from '../session/follower.js';
import { listSessionIds } from '../session/record.js';
import type { SessionState } from '../session/state.js';
import { aborted } from './aborted.js';

const CAPTURE_SOURCE = {
  pppFromClient: ['ppp', 'client'],
  pppToClient: ['ppp', 'server'],
  controlFromClient: ['control', 'client'],
  controlToClient: ['control', 'server'],
} as const satisfies Record<Captured, readonly ['ppp' | 'control', Sender]>;

export interface NextSessionOptions {
  readonly runDirectory: string;
  readonly clients: BlockList;
  readonly stop: AbortSignal;
  /** A session exists that does not answer. */
  readonly onUnreachable: (why: string) => void;
}

/** Waits for the next session of these clients; null if stopped before. */
export async function nextSession({
  runDirectory,
  clients,
  stop,
  onUnreachable,
}: NextSessionOptions): Promise<SessionClient | null> {
  return new Promise((resolve) => {
    let settled = false;
    const settle = (session: SessionClient | null): void => {
      settled = true;
      follower.close();
      resolve(session);
    };
    const found = async (session: SessionClient): Promise<void> => {
      const { peer } = await session.state();
      if (!settled && clients.check(peer.address)) settle(session);
      else session.close();
    };
    const follower = new SessionFollower({
      runDirectory,
      ignored: listSessionIds(runDirectory),
      onEvent: (event) => {
        // A session that ends before it answers cannot be captured.
        if (event.type === 'found') void found(event.session).catch(() => event.session.close());
        else onUnreachable(event.why);
      },
    });
    void aborted(stop).then(() => settle(null));
  });
}

export interface CaptureOptions {
  readonly session: SessionClient;
  /** Stays open. While it takes no more, the session is not read, and loses frames, which are counted. */
  readonly output: Writable;
  readonly stop: AbortSignal;
  /** Frames that the file may hold; without it there is no limit. */
  readonly most?: number;
  /** The session sends its traffic from now on; `client`: its address. */
  readonly onStarted?: (client: string) => void;
  /** What the file does not show, in a sentence. */
  readonly onNote?: (note: string) => void;
}

export interface CaptureCounts {
  readonly frames: number;
  readonly lost: number;
}

/**
 * Captures until the session ends, `stop` is aborted or `most` frames are written. Rejects with the system's error if the
 * output cannot be written.
 */
export async function captureSession(options: CaptureOptions): Promise<CaptureCounts> {
  const { session, output, stop, most = Number.POSITIVE_INFINITY } = options;
  const { peer, localAddress } = await session.state();
  const file = new PptpCapture(peer, { address: localAddress, port: TCP_PORT });
  const counts = { frames: 0, lost: 0 };
  let isNoted = false;
  output.write(file.header(`pptpd-ts ${version}`, session.id));
  const over = new Promise<void>((resolve, reject) => {
    session.onCapture = (event) => {
      const shown = { ...event, frames: event.frames.slice(0, most - counts.frames) };
      counts.frames += shown.frames.length;
      counts.lost += event.lost;
      if (!isNoted && shown.frames.some(([, captured]) => isPpp(captured))) {
        isNoted = true;
        void noteWhatIsMissing(options);
      }
      const isTaken = output.write(packetsOf(file, shown));
      if (counts.frames >= most) resolve();
      if (isTaken) return;
      session.pause();
      output.once('drain', () => session.resume());
    };
    session.onClose = () => resolve();
    void aborted(stop).then(resolve);
    output.once('error', reject);
  });
  await session.request('capture', {});
  options.onStarted?.(peer.address);
  await over;
  session.onCapture = () => undefined;
  output.write(file.rest(Date.now() * 1000));
  return counts;
}

const isPpp = (captured: number): boolean => CAPTURE_SOURCE[CAPTURED[captured] ?? 'pppToClient'][0] === 'ppp';

/** Says it once the session has a link. */
async function noteWhatIsMissing({ session, onNote }: CaptureOptions): Promise<void> {
  const state = await session.state().catch(() => null);
  const note = state === null ? null : notCaptured(state);
  if (note !== null) onNote?.(note);
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
