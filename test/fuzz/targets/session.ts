/** What manager, workers and command line read from each other: request lines, handoffs, records. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { isHandoff } from '../../../src/session/handoff.js';
import { readLines } from '../../../src/session/lines.js';
import { runPaths, sessionRecordPath } from '../../../src/session/paths.js';
import { readRecord } from '../../../src/session/record.js';
import { writeRecord } from '../../../src/session/record-writer.js';
import { parseRequest } from '../../../src/session/request.js';
import { cutAnywhere, randomOf } from '../random.js';
import type { Target } from '../target.js';

const MAX_CUTS = 8;
/** Longer lines are refused at a chunk that depends on how the input is split. */
const MAX_INPUT = 4000;

/** The part of a socket that readLines uses. */
class Line extends EventEmitter {
  readonly #decoder = new StringDecoder('utf8');
  destroyed = false;
  why: string | null = null;

  setEncoding(): this {
    return this;
  }

  destroy(error?: Error): void {
    this.destroyed = true;
    this.why = error?.message ?? null;
  }

  feed(chunk: Uint8Array): void {
    const text = this.#decoder.write(Buffer.from(chunk));
    if (!this.destroyed && text !== '') this.emit('data', text);
  }
}

function messages(chunks: readonly Uint8Array[]): { readonly read: unknown[]; readonly why: string | null } {
  const line = new Line();
  const read: unknown[] = [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it has all members that are used
  readLines(line as unknown as Socket, (message) => void read.push(message));
  for (const chunk of chunks) line.feed(chunk);
  return { read, why: line.why };
}

const text = (value: string): Uint8Array => Buffer.from(value);

export const sessionLines: Target = {
  covers: ['/src/session/'],
  seeds: () => [
    text('{"id":1,"op":"state"}\n{"id":2,"op":"subscribe"}\n'),
    text('{"id":3,"op":"disconnect","reason":"kicked"}\n\n{"id":4,"op":"reopenLog"}\n'),
    text('{"id":5,"op":"logLevel","level":"debug"}\n{"id":6,"op":"capture"}\n'),
    text('{"type":"handoff","v":1}\n{"op":"disconnect","reason":"ü\\u0000"}\n'),
    text('{"op":"__proto__"}\n{"__proto__":{"op":"state"}}\nnull\n[]\n"x"\n'),
  ],
  run: (input) => {
    const bytes = input.subarray(0, MAX_INPUT);
    const whole = messages([bytes]);
    assert.deepEqual(messages(cutAnywhere(bytes, MAX_CUTS, randomOf(bytes))), whole);
    let seen = '';
    for (const message of whole.read) {
      const parsed = parseRequest(message);
      if ('error' in parsed) assert(parsed.error.length > 0 && typeof parsed.id === 'number');
      else assert(typeof parsed.request.op === 'string' && Number.isFinite(parsed.request.id));
      seen = `${'error' in parsed ? '' : parsed.request.op} ${isHandoff(message)}`;
    }
    return `${seen} ${whole.why === null}`;
  },
};

const ID = 'abc123';
const RECORD = {
  session: ID,
  lease: { local: '192.0.2.1', remote: '198.51.100.1', callId: 4711 },
  worker: { pid: 17, startTime: '4711' },
  pppd: { pid: 18, startTime: '4712' },
};

let folder: string | undefined;

/** The directory for records; created with the first one, removed when the process exits. */
function runDirectory(): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'pptpd-ts-fuzz-'));
    mkdirSync(runPaths(made).sessions);
    process.on('exit', () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  return folder;
}

export const sessionRecord: Target = {
  covers: ['/src/session/record'],
  seeds: () =>
    [RECORD, { ...RECORD, pppd: null, lease: { local: null, remote: null, callId: 1 } }].map((each) =>
      text(JSON.stringify(each)),
    ),
  run: (input) => {
    const directory = runDirectory();
    writeFileSync(sessionRecordPath(directory, ID), input);
    const record = readRecord(directory, ID);
    if (record === null) return 'none';
    // A process id that is read may be signalled: it must never mean all processes or a process group.
    for (const { pid } of [record.worker, ...(record.pppd === null ? [] : [record.pppd])]) assert(pid > 0);
    writeRecord(directory, { ...record, session: ID });
    assert.deepEqual(readRecord(directory, ID), { ...record, session: ID });
    return 'record';
  },
};
