/**
 * How pppd is given its options file. A file below /etc/ppp/peers goes by `call`: that folder is root's, so pppd takes root's
 * options (name, plugin, noauth ...) from it whoever starts it. Any other goes by `file`: such options then need a server
 * that is root itself.
 */
export const PEERS = '/etc/ppp/peers/';

export function optionsArguments(path: string | undefined): string[] {
  if (path === undefined) return [];
  return path.startsWith(PEERS) ? ['call', path.slice(PEERS.length)] : ['file', path];
}
