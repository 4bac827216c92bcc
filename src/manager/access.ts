/** Which client addresses may connect: `access.allow` and `access.deny`, where the longest prefix decides. */

interface Rule {
  readonly network: number;
  readonly bits: number;
  readonly allow: boolean;
}

const addressNumber = (address: string): number =>
  address.split('.').reduce((number, octet) => ((number << 8) | Number(octet)) >>> 0, 0);

const mask = (bits: number): number => (bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0);

/**
 * The longest prefix that contains the address decides; at equal length `deny` wins. An address that no rule contains may
 * connect only if there is no `allow` rule. A network is `192.0.2.0/24` or one address, as checked by the configuration
 * schema.
 */
export function accessRule(access: {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}): (address: string) => boolean {
  const rule =
    (allow: boolean) =>
    (text: string): Rule => {
      const [network = '', bits = '32'] = text.split('/');
      return { network: addressNumber(network), bits: Number(bits), allow };
    };
  const rules = [...access.deny.map(rule(false)), ...access.allow.map(rule(true))].toSorted((a, b) => b.bits - a.bits);
  const byDefault = access.allow.length === 0;
  return (address) => {
    const number = addressNumber(address);
    const found = rules.find(({ network, bits }) => ((number ^ network) & mask(bits)) === 0);
    return found?.allow ?? byDefault;
  };
}
