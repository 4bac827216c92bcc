/** The capture file as decoded by Wireshark's dissectors. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PptpCapture } from '../../src/pcap/pptp-capture.js';
import { encode } from '../../src/pptp/index.js';

const START = encode({
  type: 'StartControlConnectionRequest',
  protocolVersion: 0x0100,
  framingCapabilities: 3,
  bearerCapabilities: 3,
  maximumChannels: 0,
  firmwareRevision: 0,
  hostName: 'client.example',
  vendorName: 'test',
});
const ECHO = encode({ type: 'EchoRequest', identifier: 7 });
/** LCP Configure-Request with ACCM and magic number. */
const LCP = Buffer.from('ff03c02101010010020600000000050612345678', 'hex');
/** 2026-11-23T13:00:00.123456Z. */
const TIME = 1_795_438_800_123_456;

const begin = (): PptpCapture =>
  new PptpCapture({ address: '192.0.2.7', port: 40_123 }, { address: '192.0.2.1', port: 1723 });

const FIELDS = ['frame.interface_id', '_ws.col.Protocol', '_ws.col.Info', 'ip.src', 'frame.time_epoch'];

/** One line per packet: interface, protocol, summary, sender, time. */
function dissect(file: Uint8Array, ...options: readonly string[]): string[] {
  // tshark does not accept a socket as standard input, which Node would pass.
  const directory = mkdtempSync(join(tmpdir(), 'pptpd-ts-'));
  const name = join(directory, 'test.pcapng');
  writeFileSync(name, file);
  const fields = FIELDS.flatMap((field) => ['-e', field]);
  const { stdout, stderr, error, status } = spawnSync(
    'tshark',
    [
      '-r',
      name,
      '-T',
      'fields',
      ...fields,
      '-o',
      'tcp.check_checksum:TRUE',
      '-o',
      'ip.check_checksum:TRUE',
      ...options,
    ],
    { encoding: 'utf8' },
  );
  rmSync(directory, { recursive: true });
  if (error !== undefined) throw error;
  assert.equal(status, 0, stderr);
  return stdout.trimEnd().split('\n');
}

const noTshark = spawnSync('tshark', ['--version']).error === undefined ? false : 'tshark is not installed';

test('tshark reads PPP frames and control messages, one message per packet however TCP had split them', {
  skip: noTshark,
}, () => {
  const capture = begin();
  const joined = Buffer.concat([START, ECHO, ECHO.subarray(0, 9)]);
  const file = Buffer.concat([
    capture.header('pptpd-ts 0.1.0', 'abc123'),
    capture.control(TIME, 'client', joined),
    capture.control(TIME + 1, 'client', ECHO.subarray(9)),
    capture.ppp(TIME + 2, 'server', LCP),
    capture.control(TIME + 3, 'server', ECHO),
    capture.ppp(TIME + 4, 'client', LCP.subarray(2)),
  ]);
  assert.deepEqual(dissect(file), [
    '1\tPPTP\tStart-Control-Connection-Request\t192.0.2.7\t1795438800.123456000',
    '1\tPPTP\tEcho-Request\t192.0.2.7\t1795438800.123456000',
    '1\tPPTP\tEcho-Request\t192.0.2.7\t1795438800.123457000',
    '0\tPPP LCP\tConfiguration Request\t\t1795438800.123458000',
    '1\tPPTP\tEcho-Request\t192.0.2.1\t1795438800.123459000',
    '0\tPPP LCP\tConfiguration Request\t\t1795438800.123460000',
  ]);
  const faults = '_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || tcp.analysis.flags';
  assert.deepEqual(dissect(file, '-Y', faults), ['']);
  assert.equal(dissect(file, '-Y', 'tcp.checksum.status == 1').length, 4, 'checksums were verified');
});

test('bytes that are not a control message are kept unchanged, in pieces that fit a packet', { skip: noTshark }, () => {
  const capture = begin();
  const file = Buffer.concat([
    capture.header('pptpd-ts 0.1.0', 'abc123'),
    capture.control(TIME, 'client', Buffer.alloc(3000, 'x')),
    capture.control(TIME, 'client', ECHO),
  ]);
  assert.equal(dissect(file).length, 4);
});

test('an incomplete message is in the file when the capture ends', { skip: noTshark }, () => {
  const capture = begin();
  const header = capture.header('pptpd-ts 0.1.0', 'abc123');
  assert.equal(capture.control(TIME, 'client', ECHO.subarray(0, 10)).length, 0);
  assert.equal(dissect(Buffer.concat([header, capture.rest(TIME)])).length, 1);
});
