/** Which of pppd's options take a value, and reading options from words by it. Pure. */

/**
 * The options that take the next word as their value, including those of Debian's plugins. From pppd 2.4.9, which
 * test/process/pppd-options.test.ts compares, and from the sources of 2.5.
 */
export const WITH_VALUE: ReadonlySet<string> = new Set(
  `+ua -as active-filter allow-ip allow-number asyncmap auth-down-script auth-up-script avpair bsdcomp bundle ca call
  callback capath cert chap-interval chap-max-challenge chap-restart chap-secrets chap-timeout child-timeout connect
  connect-delay crl crl-dir datarate defaultroute-metric defaultroute6-metric deflate dhcpv6-metric dhcpv6-ra-intvl
  dhcpv6-server disconnect domain eap-interval eap-max-rreq eap-max-sreq eap-restart eap-timeout endpoint escape file
  holdoff host-uniq idle ifname init ip-down-script ip-pre-up-script ip-up-script ipcp-max-configure ipcp-max-failure
  ipcp-max-terminate ipcp-restart ipparam ipv6 ipv6-down-script ipv6-up-script ipv6cp-max-configure
  ipv6cp-max-failure ipv6cp-max-terminate ipv6cp-restart ipx-network ipx-node ipx-router-name ipx-routing
  ipxcp-max-configure ipxcp-max-failure ipxcp-max-terminate ipxcp-restart kdebug key lcp-echo-failure
  lcp-echo-interval lcp-max-configure lcp-max-failure lcp-max-terminate lcp-restart lcp-rtt-file linkname logfd
  logfile max-tls-version maxconnect maxfail maxoctets minconnect mo mo-direction mo-timeout mrru mru ms-dns ms-wins
  mtu name net-down-script net-init-script net-pre-up-script netmask ntlm_auth-helper pap-max-authreq pap-restart
  pap-secrets pap-timeout pass-filter password passwordfd pkcs12 plugin pppoe-ac pppoe-host-uniq pppoe-mac
  pppoe-padi-attempts pppoe-padi-timeout pppoe-service pppoe-sess pppoe-verbose privgroup promptprog pty
  radius-config-file realms-config-file record remotename remotenumber rp_pppoe_ac rp_pppoe_service rp_pppoe_sess
  rp_pppoe_verbose set socket srp-interval srp-pn-secret stop-bits tls-verify-method unit unset user vj-max-slots vrf
  welcome`.split(/\s+/),
);

export interface PppdOption {
  readonly name: string;
  /** null for an option without a value. */
  readonly value: string | null;
}

/** The options that the words are. `at`: the index of the option's word. `file` and `call` are options like any other. */
export function optionsIn(words: readonly string[]): (PppdOption & { readonly at: number })[] {
  const options: (PppdOption & { readonly at: number })[] = [];
  const rest = words.entries();
  for (const [at, name] of rest) {
    const value = WITH_VALUE.has(name) ? (rest.next().value?.[1] ?? '') : null;
    options.push({ name, value, at });
  }
  return options;
}

export const has = (options: readonly PppdOption[], name: string): boolean =>
  options.some((option) => option.name === name);

/** The value of the last option of that name; null if there is none. */
export const valueOf = (options: readonly PppdOption[], name: string): string | null =>
  options.findLast((option) => option.name === name)?.value ?? null;
