/**
 * Writes login records, so that `who` and `last` show connected clients. libc's functions lock the files and know their
 * format. If a file does not exist, nothing is written, as with every other program.
 */
import koffi from './koffi.js';
import { libc } from './libc.js';

/** utmpx(5) types. */
const USER_PROCESS = 7;
const DEAD_PROCESS = 8;

export const DEFAULT_UTMP = '/var/run/utmp';
const DEFAULT_WTMP = '/var/log/wtmp';

// glibc keeps the 32-bit format of session and time on 64-bit machines, except on arm64.
const wordsOf32 = process.arch !== 'arm64';
const exitStatus = koffi.struct({ termination: 'int16', exit: 'int16' });
const timeval = koffi.struct(wordsOf32 ? { sec: 'int32', usec: 'int32' } : { sec: 'int64', usec: 'int64' });
const utmpx = koffi.struct({
  type: 'int16',
  pid: 'int32',
  line: koffi.array('char', 32, 'String'),
  id: koffi.array('char', 4, 'String'),
  user: koffi.array('char', 32, 'String'),
  host: koffi.array('char', 256, 'String'),
  exit: exitStatus,
  session: wordsOf32 ? 'int32' : 'int64',
  time: timeval,
  address: koffi.array('uint8', 16),
  reserved: koffi.array('uint8', 20),
});

const utmpxname = libc.func('int utmpxname(const char *file)');
const setutxent = libc.func('void setutxent()');
const pututxline = libc.func('pututxline', 'void *', [koffi.pointer(utmpx)]);
const endutxent = libc.func('void endutxent()');
const updwtmpx = libc.func('updwtmpx', 'void', ['const char *', koffi.pointer(utmpx)]);

export interface LoginEntry {
  /** The tunnel's interface, such as `ppp0`. */
  readonly line: string;
  readonly user: string;
  /** The client's own address, dotted quad. */
  readonly host: string;
  /** pppd's process id. */
  readonly pid: number;
}

export interface LoginFiles {
  readonly utmp: string;
  readonly wtmp: string;
}

const FILES: LoginFiles = { utmp: DEFAULT_UTMP, wtmp: DEFAULT_WTMP };

/**
 * Records that `login` began at `time` (milliseconds since the epoch). A file that cannot be written is left unchanged.
 */
export const recordLogin = (login: LoginEntry, time: number, files = FILES): void =>
  write(USER_PROCESS, login, time, files);

/** Records that `login` ended; needs the same line as `recordLogin`. */
export const recordLogout = (login: LoginEntry, time: number, files = FILES): void =>
  write(DEAD_PROCESS, { ...login, user: '', host: '' }, time, files);

function write(type: number, { line, user, host, pid }: LoginEntry, time: number, { utmp, wtmp }: LoginFiles): void {
  const entry = {
    type,
    pid,
    line: fit(line, 32),
    // By convention the last characters of the line, in which ppp12 and ppp112 differ.
    id: fit(line.replace('ppp', 'p').slice(-4), 4),
    user: fit(user, 32),
    host: fit(host, 256),
    exit: { termination: 0, exit: 0 },
    session: 0,
    time: { sec: Math.floor(time / 1000), usec: (time % 1000) * 1000 },
    address: [...host.split('.').map(Number), ...Array.from({ length: 12 }, () => 0)].slice(0, 16),
    reserved: Array.from({ length: 20 }, () => 0),
  };
  if (host === '') entry.address = Array.from({ length: 16 }, () => 0);
  utmpxname(utmp);
  setutxent();
  pututxline(entry);
  endutxent();
  updwtmpx(wtmp, entry);
}

/** Cuts `text` to the field, leaving room for the final NUL that readers rely on. */
const fit = (text: string, size: number): string => text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, size - 1);
