import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemCallFilter } from '../../../src/sys/system-call-filter.js';
import { runFilter } from './bpf.js';

const PID = 4711;
const PERMITTED = 0x4004_7459;
const [ALLOWED, EPERM] = [0x7fff_0000, 0x0005_0001];

/** struct seccomp_data, whose words are those of the machine; the interpreter's are big-endian, as packets' are. */
function called(audit: number, number: number, ...args: readonly number[]): Buffer {
  const octets = Buffer.alloc(64);
  octets.writeUInt32BE(number >>> 0, 0);
  octets.writeUInt32BE(audit, 4);
  for (const [index, value] of args.entries()) octets.writeUInt32BE(value >>> 0, 16 + 8 * index);
  return octets;
}

/** Numbers as /usr/include/asm has them: x86_64 (unistd_64.h) and arm64 (asm-generic/unistd.h). */
const MACHINES = {
  x64: {
    audit: 0xc000_003e,
    execve: 59,
    kill: 62,
    tgkill: 234,
    tkill: 200,
    prlimit64: 302,
    ioctl: 16,
    read: 0,
    seccomp: 317,
    x32Read: 0x4000_0000,
  },
  arm64: {
    audit: 0xc000_00b7,
    execve: 221,
    kill: 129,
    tgkill: 131,
    tkill: 130,
    prlimit64: 261,
    ioctl: 29,
    read: 63,
    seccomp: 277,
    x32Read: 0x4000_003f,
  },
} as const;

for (const [name, machine] of Object.entries(MACHINES))
  describe(name, () => {
    const program = systemCallFilter(name, PID, [PERMITTED]) ?? assert.fail();
    const { audit, ...calls } = machine;
    const CASES: readonly [what: string, call: Exclude<keyof typeof machine, 'audit'>, args: number[], is: number][] = [
      ['a read', 'read', [3], ALLOWED],
      ['a further filter', 'seccomp', [1], ALLOWED],
      ['a program', 'execve', [1], EPERM],
      ['a read by the x32 ABI', 'x32Read', [3], EPERM],
      ['a thread’s signal without its process', 'tkill', [PID, 6], EPERM],
      ['a signal to another', 'kill', [PID + 1, 9], EPERM],
      ['a signal to all', 'kill', [-1, 9], EPERM],
      ['a signal to the group', 'kill', [0, 9], EPERM],
      ['a signal to itself', 'kill', [PID, 6], ALLOWED],
      ['abort', 'tgkill', [PID, PID, 6], ALLOWED],
      ['a signal to another’s thread', 'tgkill', [PID + 1, PID + 1, 6], EPERM],
      ['its own limits', 'prlimit64', [0, 7], ALLOWED],
      ['another’s limits', 'prlimit64', [PID + 1, 7], EPERM],
      ['a permitted request to PPP', 'ioctl', [5, PERMITTED], ALLOWED],
      ['PPPIOCCONNECT', 'ioctl', [5, 0x4004_743a], EPERM],
      ['PPPIOCBRIDGECHAN', 'ioctl', [5, 0x4004_7435], EPERM],
      ['TUNSETIFF', 'ioctl', [5, 0x4004_54ca], EPERM],
      ['TUNSETPERSIST', 'ioctl', [5, 0x4004_54cb], EPERM],
      ['TUNGETIFF', 'ioctl', [5, 0x8004_54d2], EPERM],
      ['FIONBIO', 'ioctl', [5, 0x5421], ALLOWED],
      ['TCGETS', 'ioctl', [5, 0x5401], ALLOWED],
      ['SIOCGIFINDEX', 'ioctl', [5, 0x8933], ALLOWED],
    ];
    for (const [what, call, args, is] of CASES)
      test(what, () => assert.equal(runFilter(program, called(audit, calls[call], ...args)), is));
    test('anything with the numbers of another architecture', () =>
      assert.equal(runFilter(program, called(0x4000_0003, calls.read, 3)), EPERM));
  });

test('an architecture whose numbers are not known has no filter', () =>
  assert.equal(systemCallFilter('riscv64', PID, [PERMITTED]), null));
