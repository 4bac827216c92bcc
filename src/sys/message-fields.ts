/** Checks of the fields of messages between processes, for those that load no zod. Pure. */

export type Fields = Readonly<Record<string, unknown>>;
export type FieldCheck = (value: unknown) => boolean;

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const DOTTED_QUAD = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);

export const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** At most so many characters. */
export const isText = (value: unknown, most: number): value is string =>
  typeof value === 'string' && value.length <= most;

export const isWhole = (value: unknown, least: number, most: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;

/** Octets in hexadecimal: at least and at most so many. */
export const isHex = (value: unknown, least: number, most: number): value is string =>
  typeof value === 'string' &&
  value.length >= 2 * least &&
  value.length <= 2 * most &&
  /^(?:[0-9a-f]{2})*$/.test(value);

/** A dotted quad. */
export const isAddress = (value: unknown): value is string => typeof value === 'string' && DOTTED_QUAD.test(value);

/** At most so many elements, each of which is right. */
export const isListOf = (value: unknown, most: number, isRight: FieldCheck): boolean =>
  Array.isArray(value) && value.length <= most && value.every(isRight);

export const orNull =
  (isRight: FieldCheck): FieldCheck =>
  (value) =>
    value === null || isRight(value);

/** The name of the first field that is wrong; null: none is. */
export const wrongField =
  (checks: Readonly<Record<string, FieldCheck>>) =>
  (fields: Fields): string | null =>
    Object.entries(checks).find(([name, isRight]) => !isRight(fields[name]))?.[0] ?? null;

/** An object whose fields are right. */
export const isObjectOf =
  (checks: Readonly<Record<string, FieldCheck>>): FieldCheck =>
  (value) =>
    isObject(value) && wrongField(checks)(value) === null;
