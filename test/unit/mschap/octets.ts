/** Octets of the tests, written as the RFCs print them. */
export const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
export const toHex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');
export const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');
