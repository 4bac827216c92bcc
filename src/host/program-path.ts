/** Where the system's programs are looked for. */

const SYSTEM_FOLDERS = '/usr/sbin:/usr/bin:/sbin:/bin';

/** `own`: a PATH, which may lack the folders of system programs. An empty one would mean the current folder. */
export const programPath = (own: string | undefined): string =>
  own === undefined || own === '' ? SYSTEM_FOLDERS : `${own}:${SYSTEM_FOLDERS}`;

/** For programs that this process starts. */
export const PROGRAM_PATH = programPath(process.env['PATH']);
