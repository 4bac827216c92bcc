/**
 * Takes from a process, for the rest of its life, system calls that it does not need and that an attacker who took it over
 * could use against others (seccomp(2)). They fail with EPERM.
 */
import { arch } from 'node:os';
import koffi from './koffi.js';
import { checked, libc } from './libc.js';
import { assemble, BPF, encodeFilter, type Instruction, type Step } from './packet-filter.js';

// sys/prctl.h, linux/seccomp.h
const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_SET_MODE_FILTER = 1;
/** For all threads. */
const SECCOMP_FILTER_FLAG_TSYNC = 1;
/** Kernels before 5.16 otherwise slow the process down against Spectre. */
const SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4;
const ALLOW = 0x7fff_0000;
const REFUSE_WITH_EPERM = 0x0005_0001;
/** struct seccomp_data; the lower half of each argument. */
const NUMBER_AT = 0;
const ARCHITECTURE_AT = 4;
const ARGUMENTS_AT = 16;
const ARGUMENT_LENGTH = 8;
/** Numbers from here on are those of the x32 ABI. */
const X32_CALLS = 0x4000_0000;

/** New programs, and others' processes: their memory, descriptors and threads. */
const REFUSED = [
  'execve',
  'execveat',
  'ptrace',
  'process_vm_readv',
  'process_vm_writev',
  'pidfd_getfd',
  'pidfd_send_signal',
  'tkill',
] as const;
/** The first argument is a process, and may be the own one only. 0: for prlimit64 the own one, for kill a group. */
const OWN_PROCESS_ONLY = { kill: [], tgkill: [], rt_sigqueueinfo: [], rt_tgsigqueueinfo: [], prlimit64: [0] } as const;

type Call = (typeof REFUSED)[number] | keyof typeof OWN_PROCESS_ONLY | 'ioctl' | 'seccomp';

interface Architecture {
  /** AUDIT_ARCH_* (linux/audit.h). */
  readonly audit: number;
  readonly numbers: Readonly<Record<Call, number>>;
}

/** asm/unistd.h. On others nothing is refused. */
const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  x64: {
    audit: 0xc000_003e,
    numbers: {
      execve: 59,
      execveat: 322,
      ptrace: 101,
      process_vm_readv: 310,
      process_vm_writev: 311,
      pidfd_getfd: 438,
      pidfd_send_signal: 424,
      tkill: 200,
      kill: 62,
      tgkill: 234,
      rt_sigqueueinfo: 129,
      rt_tgsigqueueinfo: 297,
      prlimit64: 302,
      ioctl: 16,
      seccomp: 317,
    },
  },
  arm64: {
    audit: 0xc000_00b7,
    numbers: {
      execve: 221,
      execveat: 281,
      ptrace: 117,
      process_vm_readv: 270,
      process_vm_writev: 271,
      pidfd_getfd: 438,
      pidfd_send_signal: 424,
      tkill: 130,
      kill: 129,
      tgkill: 131,
      rt_sigqueueinfo: 138,
      rt_tgsigqueueinfo: 240,
      prlimit64: 261,
      ioctl: 29,
      seccomp: 277,
    },
  },
};

/** The kind of a device in the number of an ioctl: 't', PPP, and 'T', terminals (numbers below TUN's) and TUN. */
const KIND = 0xff00;
const NUMBER = 0x00ff;
const PPP = 0x7400;
const TERMINAL = 0x5400;
const FIRST_OF_TUN = 200;

const argument = (index: number): Instruction => ({
  code: BPF.loadWord,
  operand: ARGUMENTS_AT + ARGUMENT_LENGTH * index,
});
const isEqual = (operand: number, yes: string): Step => ({ test: BPF.jumpEqual, operand, yes });

/**
 * The program for the process `pid`. `pppRequests`: the ioctls on PPP's descriptors that it may use; it may use none on TUN's.
 * null: an architecture whose numbers are not known.
 */
export function systemCallFilter(
  architecture: string,
  pid: number,
  pppRequests: readonly number[],
): readonly Instruction[] | null {
  const known = ARCHITECTURES[architecture];
  if (known === undefined) return null;
  const { audit, numbers } = known;
  const others = Object.entries(OWN_PROCESS_ONLY) as [keyof typeof OWN_PROCESS_ONLY, readonly number[]][];
  return assemble([
    { code: BPF.loadWord, operand: ARCHITECTURE_AT },
    { test: BPF.jumpEqual, operand: audit, no: 'refuse' },
    { code: BPF.loadWord, operand: NUMBER_AT },
    { test: BPF.jumpAtLeast, operand: X32_CALLS, yes: 'refuse' },
    ...REFUSED.map((call) => isEqual(numbers[call], 'refuse')),
    ...others.map(([call]) => isEqual(numbers[call], call)),
    { test: BPF.jumpEqual, operand: numbers.ioctl, no: 'allow' },

    argument(1),
    { code: BPF.and, operand: KIND },
    isEqual(PPP, 'ppp'),
    { test: BPF.jumpEqual, operand: TERMINAL, no: 'allow' },
    argument(1),
    { code: BPF.and, operand: NUMBER },
    { test: BPF.jumpAtLeast, operand: FIRST_OF_TUN, yes: 'refuse', no: 'allow' },
    { mark: 'ppp' },
    argument(1),
    ...pppRequests.map((request) => isEqual(request, 'allow')),
    { goTo: 'refuse' },

    ...others.flatMap(([call, also]): Step[] => [
      { mark: call },
      argument(0),
      ...[pid, ...also].map((own) => isEqual(own, 'allow')),
      { goTo: 'refuse' },
    ]),
    { mark: 'refuse' },
    { code: BPF.return, operand: REFUSE_WITH_EPERM },
    { mark: 'allow' },
    { code: BPF.return, operand: ALLOW },
  ]);
}

const prctl: (option: number, ...typedArguments: readonly (string | number)[]) => number =
  libc.func('int prctl(int option, ...)');
/** struct sock_fprog. */
const filterProgram = koffi.struct({ length: 'uint16_t', instructions: 'void *' });
const syscall: (number: number, ...typedArguments: readonly unknown[]) => number = libc.func('long syscall(long, ...)');

/** See `systemCallFilter`. Throws SystemCallFailed where the kernel has no seccomp. */
export function refuseSystemCalls(pppRequests: readonly number[]): void {
  const program = systemCallFilter(arch(), process.pid, pppRequests);
  const number = ARCHITECTURES[arch()]?.numbers.seccomp;
  if (program === null || number === undefined) return;
  const zero = ['ulong', 0];
  checked(prctl(PR_SET_NO_NEW_PRIVS, 'ulong', 1, ...zero, ...zero, ...zero), 'give up new privileges');
  const flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  const value = { length: program.length, instructions: encodeFilter(program) };
  checked(
    syscall(number, 'uint', SECCOMP_SET_MODE_FILTER, 'uint', flags, koffi.pointer(filterProgram), value),
    'refuse system calls',
  );
}
