/**
 * Passwords of the console's users, as the file has them: scrypt (RFC 7914) with a salt of their own, as the text
 * `$scrypt$ln=15,r=8,p=1$SALT$HASH`. A hash takes 32 MiB and about a tenth of a second.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** log2 of N. */
const COST = 15;
const BLOCK_SIZE = 8;
const PARALLEL = 1;
const SALT_OCTETS = 16;
const HASH_OCTETS = 32;
/** scrypt needs 128 * N * r octets and a little more. */
const MAX_MEMORY = 2 * 128 * 2 ** COST * BLOCK_SIZE;

const MIN_LENGTH = 8;
const MAX_LENGTH = 256;

/** base64 without padding: 22 characters of salt, 43 of hash. */
export const STORED_PASSWORD = /^\$scrypt\$ln=15,r=8,p=1\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

/** What is wrong with a new password; null: nothing. */
export const consolePasswordFault = (text: string): string | null =>
  text.length >= MIN_LENGTH && text.length <= MAX_LENGTH
    ? null
    : `this password has ${text.length} characters; allowed: ${MIN_LENGTH} to ${MAX_LENGTH} characters`;

const derive = async (password: string, salt: Buffer): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const options = { N: 2 ** COST, r: BLOCK_SIZE, p: PARALLEL, maxmem: MAX_MEMORY };
    // The same letter can be typed as one code point or as two.
    scrypt(password.normalize('NFC'), salt, HASH_OCTETS, options, (error, hash) =>
      error === null ? resolve(hash) : reject(error),
    );
  });

const base64 = (octets: Buffer): string => octets.toString('base64').replaceAll('=', '');

/** As the file has it. */
export async function hashConsolePassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_OCTETS);
  const hash = await derive(password, salt);
  return `$scrypt$ln=${COST},r=${BLOCK_SIZE},p=${PARALLEL}$${base64(salt)}$${base64(hash)}`;
}

/** Checked for a user who does not exist, so that the time of an answer does not show which names exist. */
const NOBODY = { salt: Buffer.alloc(SALT_OCTETS), hash: Buffer.alloc(HASH_OCTETS) };

/** `stored`: null for a user who does not exist. Without a valid hash no password is right. */
export async function isConsolePassword(password: string, stored: string | null): Promise<boolean> {
  const [, salt, hash] = STORED_PASSWORD.exec(stored ?? '') ?? [];
  const isSomebody = salt !== undefined && hash !== undefined;
  const known = isSomebody ? { salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') } : NOBODY;
  const isEqual = timingSafeEqual(await derive(password, known.salt), known.hash);
  return isEqual && isSomebody;
}
