/**
 * Passes pppd its options file. A file below /etc/ppp/peers is passed with `call`: only root can write there, so pppd
 * accepts privileged options (name, plugin, noauth ...) from it, whoever starts pppd. Any other file is passed with
 * `file`, and privileged options in it require a server that runs as root.
 */
export const PEERS = '/etc/ppp/peers/';

export function optionsArguments(path: string | undefined): string[] {
  if (path === undefined) return [];
  return path.startsWith(PEERS) ? ['call', path.slice(PEERS.length)] : ['file', path];
}
