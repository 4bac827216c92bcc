/**
 * Configuration files for import-against-pptpd.test.ts, each for one rule of pptpd. The table does not say what pptpd does
 * with them, because the test observes that. It says what import must do where it cannot do the same.
 */

export interface File {
  readonly text: string | Uint8Array;
  /** pptpd's command line. */
  readonly args?: readonly string[];
}

export type Files = Readonly<Record<string, string | File>>;

/** Three clients are enough to show the order; with fewer connections than addresses one sees where pptpd stops. */
const THREE = 'connections 3\n';
const LOCAL = 'localip 192.0.2.1\n';
const POOL = `${THREE}${LOCAL}remoteip 198.51.100.5-9\n`;

/** Files with these ranges. */
const remote = (ranges: string): string => `${THREE}${LOCAL}remoteip ${ranges}\n`;
const local = (ranges: string): string => `${THREE}localip ${ranges}\nremoteip 198.51.100.5-9\n`;

/** pptpd starts with these, and the converted configuration does the same. */
export const carriedOver: Files = {
  'an empty file': '',
  'only comments': '# localip 192.0.2.1\n#remoteip 192.0.2.2\n',
  'one address for all': POOL,
  'fewer addresses than connections': `${LOCAL}remoteip 198.51.100.5-7\n`,
  'as many connections as addresses': `connections 5\n${LOCAL}remoteip 198.51.100.5-9\n`,
  'more addresses than the 100 connections of the default': `${LOCAL}remoteip 198.51.100.1-250\n`,
  'connections after the addresses': `${LOCAL}remoteip 198.51.100.5-9\n${THREE}`,
  'one local address for each client': `${THREE}localip 192.0.2.1-9\nremoteip 198.51.100.5-9\n`,
  'fewer local addresses than clients': `localip 192.0.2.1,192.0.2.7\nremoteip 198.51.100.5-9\n`,
  'more local addresses than clients': `localip 192.0.2.1-9\nremoteip 198.51.100.5-6\n`,
  'a single client': `localip 192.0.2.1-9\nremoteip 198.51.100.5\n`,
  'no localip': `${THREE}remoteip 198.51.100.5-9\n`,
  'no remoteip': `${THREE}${LOCAL}`,
  'an indented localip': `${THREE} localip 192.0.2.1\nremoteip 198.51.100.5-9\n`,
  'a localip after a tab': `${THREE}\tlocalip 192.0.2.1\nremoteip 198.51.100.5-9\n`,
  'a keyword in capitals': `${THREE}Localip 192.0.2.1\nremoteip 198.51.100.5-9\n`,
  'a misspelt keyword': `${THREE}localips 192.0.2.1\nremoteip 198.51.100.5-9\n`,
  'a keyword with an equals sign': `${THREE}localip=192.0.2.1\nremoteip 198.51.100.5-9\n`,
  'a keyword with a colon': `${THREE}localip: 192.0.2.1\nremoteip 198.51.100.5-9\n`,
  'a no-break space after a keyword': `${THREE}localip\u00A0192.0.2.1\nremoteip 198.51.100.5-9\n`,
  'a no-break space in front of a keyword': `${THREE}\u00A0localip 192.0.2.1\nremoteip 198.51.100.5-9\n`,
  'a byte order mark before a keyword': `\uFEFF${POOL}`,
  'a byte order mark before a comment': `\uFEFF# ours\n${POOL}`,
  'UTF-16': { text: Buffer.from(`\uFEFF${POOL}`, 'utf16le') },
  'a NUL octet': `${THREE}${LOCAL}remoteip 198.51.100.5-9\0junk\n`,
  'line ends of an old Macintosh': POOL.replaceAll('\n', '\r'),
  'several spaces and tabs': `connections \t 3\t\nlocalip\t192.0.2.1 \nremoteip   198.51.100.5-9\t \n`,
  'empty and blank lines': `\n\n${POOL}   \n\t\n`,
  'no line end at the end': POOL.trimEnd(),
  'DOS line ends, single addresses': `${THREE}${LOCAL}remoteip 198.51.100.5,198.51.100.6\n`.replaceAll('\n', '\r\n'),
  'DOS line ends, a flag': `${POOL}delegate\r\n`,
  'a keyword twice': `${POOL}localip 192.0.2.77\nremoteip 198.51.100.77\nconnections 2\n`,
  'a keyword twice, first without a value': `connections\n${POOL}`,
  'a comment after an address': local('192.0.2.1    # text'),
  'words after an address': local('192.0.2.1 (the VPN server)'),
  'a comment after a list': remote('198.51.100.5,198.51.100.6 # text'),
  'two addresses with a space between them': remote('198.51.100.5 198.51.100.6'),
  'a space before a comma': remote('198.51.100.5 ,198.51.100.6'),
  'ranges and addresses': remote('198.51.100.5,198.51.100.7-8'),
  'a range of one': remote('198.51.100.5-5'),
  'a range in the third octet': remote('198.51.100-101.7'),
  'a range in the second octet': remote('198.51-52.100.7'),
  'a range in the first octet': remote('198-199.51.100.7'),
  'a range past 255 that connections cuts': `${LOCAL}remoteip 198.51.100.100-300\n`,
  'a range past 255 in the third octet': `${LOCAL}remoteip 198.51.100-300.7\n`,
  'nonsense after the last address that counts': remote('198.51.100.5-7,198.51.100.8,nonsense'),
  'a range backwards after the last address that counts': remote('198.51.100.5-7,198.51.100.8,198.51.100.9-1'),
  'a range that ends where another begins': remote('198.51.100.5-6,198.51.100.7-9'),
  'a duplicate after the last address that counts': remote('198.51.100.5-7,198.51.100.5'),
  'leading zeros in a range': remote('198.51.100.005-007'),
  'a leading zero, octal': remote('198.51.100.010'),
  'an octal octet before a range': remote('0306.51.100.5-7'),
  'hexadecimal and short forms': remote('0xc6.51.100.5,198.51.25607,3325256712'),
  'more digits than an octet has': remote('198.51.100.100-1003'),
  'digits that hide the dash from pptpd': remote('198.51.100.12345678-9,198.51.100.5'),
  'the same local address for all': `${THREE}localip 192.0.2.1,192.0.2.1,192.0.2.1\nremoteip 198.51.100.5-9\n`,
  'a host name for localip': local('vpn.example'),
  'a host name for remoteip': remote('198.51.100.5,client.example'),
  'connections without a value': `connections\n${LOCAL}remoteip 198.51.100.5-9\n`,
  'connections 0': `connections 0\n${LOCAL}remoteip 198.51.100.5-9\n`,
  'connections below 0': `connections -3\n${LOCAL}remoteip 198.51.100.5-9\n`,
  'connections with letters': `connections 4x\n${LOCAL}remoteip 198.51.100.5-9\n`,
  'connections with a comment': `connections 4 # enough\n${LOCAL}remoteip 198.51.100.5-9\n`,
  'connections with a sign': `connections +4\n${LOCAL}remoteip 198.51.100.5-9\n`,
  'connections in hexadecimal': `connections 0x4\n${LOCAL}remoteip 198.51.100.5-9\n`,
  'more connections than there are call ids': `connections 70000\n${LOCAL}remoteip 198.51.100.5-9\n`,
  'more connections than fit into an int': `connections 4294967298\n${LOCAL}remoteip 198.51.100.5-9\n`,
  delegate: 'delegate\n',
  'delegate with the options that pptpd then ignores': `delegate\n${THREE}localip nonsense\nremoteip 9-1\n`,
  'delegate with a value': `${POOL}delegate no\n`,
  flags: `${POOL}debug\nnoipparam\nlogwtmp\n`,
  'flags with values': `${POOL}debug 0\nnoipparam no\nlogwtmp # off\n`,
  'ppp, option and speed': `${POOL}ppp /bin/true\noption /etc/passwd\nspeed 9600\n`,
  'speed with a comment': `${POOL}speed 9600 # fast\n`,
  'speed without a value': `${POOL}speed\n`,
  'a line of 509 octets': `${POOL}logwtmp ${'x'.repeat(501)}\n`,
  'a line of 510 octets': `${POOL}logwtmp ${'x'.repeat(502)}\n`,
  'a line of 509 octets without its line end': `${POOL}logwtmp ${'x'.repeat(501)}`,
  'a line of 510 octets without its line end': `${POOL}logwtmp ${'x'.repeat(502)}`,
  'a very long list of addresses': `${LOCAL}remoteip ${Array.from({ length: 60 }, (_, at) => `198.51.100.${at + 1}`).join(',')}\n`,
  'a long comment': `# ${'x'.repeat(700)}\n${POOL}`,
  'a very long line, and the lines after it': `delegate # ${'x'.repeat(700)}\n${POOL}`,
  listen: `${POOL}listen 192.0.2.1\n`,
  'listen with a comment': `${POOL}listen 192.0.2.1 # outside\n`,
  'listen with a DOS line end': `${POOL}listen 192.0.2.1\r\n`,
  'listen with a host name': `${POOL}listen vpn.example\n`,
  'listen everywhere': `${POOL}listen 0\n`,
  bcrelay: `${POOL}bcrelay lo\n`,
  'bcrelay without a value': `${POOL}bcrelay\n`,
  'bcrelay disable': `${POOL}bcrelay disable\n`,
  'bcrelay with a comment': `${POOL}bcrelay lo # the LAN\n`,
  'bcrelay with a DOS line end': `${POOL}bcrelay lo\r\n`,
  'bcrelay with two devices': `${POOL}bcrelay lo, eth1\n`,
  pidfile: `${POOL}pidfile /run/other.pid\n`,
  'pidfile in /var/run': `${POOL}pidfile /var/run/pptpd.pid\n`,
  'pidfile without a value': `${POOL}pidfile\n`,
  'pidfile with a relative path': `${POOL}pidfile run/pptpd.pid\n`,
  stimeout: `${POOL}stimeout 5\n`,
  'stimeout without a value': `${POOL}stimeout\n`,
  'stimeout that is no number': `${POOL}stimeout soon\n`,
  'vrf, which Debian’s pptpd does not know': `${POOL}vrf blue\n`,
  'unknown keywords': `${POOL};debug\n//logwtmp\nfg\nconf /nowhere\nSPEED 300\nname pptpd\n`,
  'the command line overrides the file': {
    text: `${POOL}speed 300\nlisten 192.0.2.77\n`,
    args: ['-s', '9600', '-l', '192.0.2.1'],
  },
  'connections in both: the file overrides the command line': { text: POOL, args: ['-C', '2'] },
  'connections only on the command line': { text: POOL.replace(THREE, ''), args: ['--connections', '2'] },
  'delegate on the command line': { text: POOL, args: ['-D'] },
  'flags on the command line': { text: POOL, args: ['-dwi', '-e/bin/true', '--opt=/etc/passwd'] },
};

/** pptpd starts with these, and lends pairs that import leaves out. `lent`: the other pairs. */
export const carriedOverWithout: Readonly<
  Record<string, { readonly text: string; readonly lent: readonly string[]; readonly because: string }>
> = {
  'the local address among the clients’': {
    text: remote('198.51.100.5,192.0.2.1,198.51.100.7'),
    lent: ['192.0.2.1>198.51.100.5', '192.0.2.1>198.51.100.7'],
    because: 'the second client would have the same address at both ends',
  },
  'the local address in the clients’ range': {
    text: `${THREE}localip 198.51.100.6\nremoteip 198.51.100.5-9\n`,
    lent: ['198.51.100.6>198.51.100.5', '198.51.100.6>198.51.100.7'],
    because: 'the second client would have the same address at both ends',
  },
  'local addresses among the clients’': {
    text: `${THREE}localip 198.51.100.3-9\nremoteip 198.51.100.5-9\n`,
    lent: ['198.51.100.3>198.51.100.5', '198.51.100.4>198.51.100.6'],
    because: 'the third client would get the first client’s address as the server’s end',
  },
  'an address in two notations': {
    text: remote('198.51.100.8,198.51.100.010,198.51.100.9'),
    lent: ['192.0.2.1>198.51.100.8', '192.0.2.1>198.51.100.9'],
    because: 'two clients would have the same address',
  },
  'an address twice, and a local address for each client': {
    text: `${THREE}localip 192.0.2.1-3\nremoteip 198.51.100.8,198.51.100.8 # again,198.51.100.9\n`,
    lent: ['192.0.2.1>198.51.100.8', '192.0.2.3>198.51.100.9'],
    because: 'two clients would have the same address',
  },
  'the same local address for some clients': {
    text: local('192.0.2.1,192.0.2.1,192.0.2.2'),
    lent: ['192.0.2.1>198.51.100.5', '192.0.2.1>198.51.100.6', '192.0.2.1>198.51.100.7'],
    because: 'our configuration has one local address for all, or a different one for each',
  },
  'addresses that pppd refuses': {
    text: remote('127.0.0.5,198.51.100.5,224.0.0.5'),
    lent: ['192.0.2.1>198.51.100.5'],
    because: 'pppd ends when it is given a loopback or multicast address',
  },
};

/** pptpd starts with these but can serve no client: import refuses them. */
export const servesNobody: Files = {
  'the same list twice': `${THREE}localip 198.51.100.5-9\nremoteip 198.51.100.5-9\n`,
  'a speed that pppd does not know': `${POOL}speed fast\n`,
  'a localip that pppd refuses': local('127.0.0.1'),
};

/** pptpd does not start with these, but their meaning is clear: import converts them with a remark. */
export const readAsMeant: Readonly<Record<string, File & { readonly lent: readonly string[] }>> = Object.fromEntries(
  (
    [
      ['a space after a comma', remote('198.51.100.5, 198.51.100.6')],
      ['a comment after a range', remote('198.51.100.5-6 # text')],
      ['a comment with a comma', remote('198.51.100.5,198.51.100.6 # one, two')],
      ['a comment without a space', remote('198.51.100.5,198.51.100.6#text')],
      ['a space between range and comma', remote('198.51.100.5-5 ,198.51.100.6')],
      ['a no-break space after an address', remote('198.51.100.5,198.51.100.6\u00A0')],
      ['a no-break space after a comma', remote('198.51.100.5,\u00A0198.51.100.6')],
      ['a DOS line end after a range', remote('198.51.100.5-6\r')],
      ['a range between whole addresses', remote('198.51.100.5-198.51.100.6')],
      ['a block', remote('198.51.100.4/30')],
      ['an option file with a comment', `${remote('198.51.100.5-6')}option /etc/passwd # text\n`],
      ['an option file with a DOS line end', `${remote('198.51.100.5-6')}option /etc/passwd\r\n`],
      ['an option file that is missing', `${remote('198.51.100.5-6')}option /nowhere/options\n`],
      ['a pppd that is missing', `${remote('198.51.100.5-6')}ppp /nowhere/pppd\n`],
      ['a pppd with a comment', `${remote('198.51.100.5-6')}ppp /bin/true # text\n`],
      ['vrf on the command line', remote('198.51.100.5-6'), ['-V', 'blue']],
    ] as const
  ).map(([name, text, args = []]) => [
    name,
    { text, args, lent: ['192.0.2.1>198.51.100.5', '192.0.2.1>198.51.100.6'] },
  ]),
);

/** Neither pptpd nor import accepts these. */
export const refused: Files = {
  'a range backwards': remote('198.51.100.9-5'),
  'a local range backwards': local('192.0.2.9-5'),
  'a range backwards after others': remote('198.51.100.5,198.51.100.9-6'),
  'a range past 255': remote('198.51.100.254-300'),
  'a range up to the broadcast address': remote('255.255.255.254-255'),
  'a dash in two octets': remote('198.51.100-101.5-6'),
  'two dashes in an octet': remote('198.51.100.5-6-7'),
  'a duplicate that counts': remote('198.51.100.5,198.51.100.5'),
  'a duplicate in a range': remote('198.51.100.5-6,198.51.100.6'),
  'nonsense that counts': remote('198.51.100.5,nonsense'),
  'nonsense right after the last address that counts': remote('198.51.100.5-7,nonsense'),
  'an octet over 255': remote('198.51.100.256'),
  'nothing between two commas': remote('198.51.100.5,,198.51.100.6'),
  'a comma at the end': remote('198.51.100.5,'),
  semicolons: remote('198.51.100.5;198.51.100.6'),
  'quotation marks': remote('"198.51.100.5-9"'),
  'remoteip without a value': `${THREE}${LOCAL}remoteip\n`,
  'localip without a value': `${THREE}localip \nremoteip 198.51.100.5-9\n`,
  'an unknown host name': local('nowhere.example'),
  'option without a value': `${POOL}option\n`,
  'ppp without a value': `${POOL}ppp\n`,
  'listen without a value': `${POOL}listen\n`,
  'an option file with a relative path': `${POOL}option pptpd-options\n`,
  'a pppd with a relative path': `${POOL}ppp pppd\n`,
  'listen with an unknown host name': `${POOL}listen nowhere.example\n`,
  'listen with a port': `${POOL}listen 192.0.2.1:1723\n`,
  'listen with two addresses': `${POOL}listen 192.0.2.1,192.0.2.2\n`,
  'an option that pptpd does not have': { text: POOL, args: ['-z'] },
  'an ambiguous abbreviation': { text: POOL, args: ['--con', '3'] },
  'an option without its value': { text: POOL, args: ['-s'] },
  'a flag with a value': { text: POOL, args: ['--debug=1'] },
};
