/**
 * The addresses and the limit that pptpd would use, and the remarks about them.
 * test/process/import-against-pptpd.test.ts compares with pptpd itself.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importPptpd } from '../../../src/config/import.js';

const LOCAL = { local: ['192.0.2.1'] };

interface Row {
  readonly file: string;
  readonly addresses: Record<string, unknown>;
  readonly connections?: number;
  readonly remarks?: readonly string[];
}

const rows: Readonly<Record<string, Row>> = {
  'no line sets addresses': {
    file: '',
    addresses: { local: ['192.168.0.1-100'], remote: ['192.168.1.1-100'] },
    remarks: [
      'f: no line sets "localip": pptpd uses 192.168.0.1-100, a different one for each client; carried over',
      'f: no line sets "remoteip": pptpd uses 192.168.1.1-100; carried over',
    ],
  },
  'an indented line leads to the default': {
    file: 'connections 20\n localip 192.0.2.1\nremoteip 198.51.100.1-20\n',
    addresses: { local: ['192.168.0.1-100'], remote: ['198.51.100.1-20'] },
    connections: 20,
    remarks: [
      'f:2: pptpd ignores this line, and so does import: it begins with a space ("localip 192.0.2.1")',
      'f:2: so no line sets "localip": pptpd uses 192.168.0.1-100, a different one for each client; carried over',
    ],
  },
  'misspelt lines lead to the defaults': {
    file: 'localip=192.0.2.1\nremotip 198.51.100.1-20\n',
    addresses: { local: ['192.168.0.1-100'], remote: ['192.168.1.1-100'] },
    remarks: [
      'f:1: pptpd ignores this line, and so does import: "localip=192.0.2.1" is not a keyword; did you mean "localip" followed by a space?',
      'f:1: so no line sets "localip": pptpd uses 192.168.0.1-100, a different one for each client; carried over',
      'f:2: pptpd ignores this line, and so does import: "remotip" is not a keyword; did you mean "remoteip"?',
      'f:2: so no line sets "remoteip": pptpd uses 192.168.1.1-100; carried over',
    ],
  },
  'an indented line besides a correct one changes nothing': {
    file: ' localip 192.0.2.9\nlocalip 192.0.2.1\nremoteip 198.51.100.1\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1'] },
    remarks: ['f:1: pptpd ignores this line, and so does import: it begins with a space ("localip 192.0.2.9")'],
  },
  'as written in the file': {
    file: 'localip 192.0.2.1\nremoteip 198.51.100.1-7,198.51.100.100,198.51.100-101.9\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1-7', '198.51.100.100', '198.51.100-101.9'] },
  },
  'more addresses than connections': {
    file: 'connections 3\nlocalip 192.0.2.1\nremoteip 198.51.100.7-8,198.51.100.1-5\n',
    addresses: { ...LOCAL, remote: ['198.51.100.7-198.51.100.8', '198.51.100.1'] },
    connections: 3,
    remarks: [
      'f:3: only the first 3 addresses are carried over: pptpd serves no more clients than connections allows (f:1); written: 198.51.100.7-198.51.100.8, 198.51.100.1',
    ],
  },
  'more addresses than connections by default': {
    file: 'localip 192.0.2.1\nremoteip 198.51.100.2-254\n',
    addresses: { ...LOCAL, remote: ['198.51.100.2-198.51.100.101'] },
    remarks: [
      'f:2: only the first 100 addresses are carried over: pptpd serves no more clients than connections allows (100 by default); written: 198.51.100.2-198.51.100.101',
    ],
  },
  'a range past 255 that connections cuts': {
    file: 'localip 192.0.2.1\nremoteip 198.51.100.100-300\n',
    addresses: { ...LOCAL, remote: ['198.51.100.100-198.51.100.199'] },
    remarks: [
      'f:2: pptpd reads "198.51.100.100-300" as 198.51.100.100-198.51.100.199; written: 198.51.100.100-198.51.100.199',
      'f:2: only the first 100 addresses are carried over: pptpd serves no more clients than connections allows (100 by default); written: 198.51.100.100-198.51.100.199',
    ],
  },
  'fewer local addresses than clients, but more than one': {
    file: 'remoteip 198.51.100.12-15,198.51.100.30\nlocalip 192.0.2.1-3\n',
    addresses: { local: ['192.0.2.1-3'], remote: ['198.51.100.12-198.51.100.14'] },
    remarks: [
      'f:1: only the first 3 addresses are carried over: pptpd serves no more clients than localip has addresses (f:2); written: 198.51.100.12-198.51.100.14',
    ],
  },
  'more local addresses than clients': {
    file: 'localip 192.0.2.1-9\nremoteip 198.51.100.12-15\n',
    addresses: { local: ['192.0.2.1-9'], remote: ['198.51.100.12-15'] },
  },
  'delegate has no limit': {
    file: 'delegate\nconnections 20\nlocalip 192.0.2.1\nremoteip nonsense\n',
    addresses: { local: [], delegate: true },
    connections: 0,
    remarks: [
      'f:2: left out: with "delegate" pptpd ignores it and has no limit',
      'f:3: left out: with "delegate" pptpd ignores it',
      'f:4: left out: with "delegate" pptpd ignores it',
    ],
  },
  'a space before a comma that pptpd accepts': {
    file: 'localip 192.0.2.1\nremoteip 198.51.100.1 ,198.51.100.2\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1', '198.51.100.2'] },
  },
  'a space before a comma that pptpd refuses': {
    file: 'localip 192.0.2.1\nremoteip 198.51.100.1-2 ,198.51.100.7\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1-2', '198.51.100.7'] },
    remarks: [
      'f:2: pptpd would not start with "198.51.100.1-2 " (there is a space after a range); read as 198.51.100.1-2, 198.51.100.7',
    ],
  },
  'a space after a comma': {
    file: 'localip 192.0.2.1\nremoteip 198.51.100.1, 198.51.100.2\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1', '198.51.100.2'] },
    remarks: [
      'f:2: pptpd would not start with " 198.51.100.2" (there is a space after a comma); read as 198.51.100.1, 198.51.100.2',
    ],
  },
  'a no-break space': {
    file: 'localip 192.0.2.1\nremoteip 198.51.100.1,\u00A0198.51.100.2\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1', '198.51.100.2'] },
    remarks: [
      'f:2: pptpd would not start with "\\u00a0198.51.100.2" (a no-break space is part of the word); read as 198.51.100.1, 198.51.100.2',
    ],
  },
  'a comment after a range': {
    file: 'localip 192.0.2.1\nremoteip 198.51.100.1-2 # ours\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1-2'] },
    remarks: [
      'f:2: pptpd would not start with "198.51.100.1-2 # ours" (there is a comment after a range); read as 198.51.100.1-2',
    ],
  },
  'notations that pptpd does not support, and connections': {
    file: 'connections 4\nlocalip 192.0.2.1\nremoteip 198.51.100.0/28,198.51.100.32-198.51.100.40\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1-198.51.100.4'] },
    connections: 4,
    remarks: [
      'f:3: pptpd would not start with "198.51.100.0/28" (pptpd does not support blocks); read as 198.51.100.0/28, 198.51.100.32-198.51.100.40',
      'f:3: only the first 4 addresses are carried over: pptpd serves no more clients than connections allows (f:1); written: 198.51.100.1-198.51.100.4',
    ],
  },
  'DOS line ends': {
    file: 'localip 192.0.2.1\r\nremoteip 198.51.100.1-2\r\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1-2'] },
    remarks: [
      'f:1: the line ends in CR (a DOS line end), which pptpd reads as part of the value; carried over without it',
      'f:2: the line ends in CR (a DOS line end), which pptpd reads as part of the value; carried over without it',
      'f:2: pptpd would not start with "198.51.100.1-2\\r" (there is a CR (a DOS line end) after a range); read as 198.51.100.1-2',
    ],
  },
  'text after an address': {
    file: 'localip 192.0.2.1 (the VPN server)\nremoteip 198.51.100.1    # text\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1'] },
    remarks: [
      'f:1: pptpd reads "192.0.2.1 (the VPN server)" as 192.0.2.1; written: 192.0.2.1',
      'f:2: pptpd reads "198.51.100.1    # text" as 198.51.100.1; written: 198.51.100.1',
    ],
  },
  'a leading zero': {
    file: 'localip 192.0.2.1\nremoteip 198.51.100.010\n',
    addresses: { ...LOCAL, remote: ['198.51.100.8'] },
    remarks: ['f:2: pptpd reads "198.51.100.010" as 198.51.100.8; written: 198.51.100.8'],
  },
  'a host name': {
    file: 'localip vpn.example\nremoteip 198.51.100.1-2\n',
    addresses: { local: ['192.0.2.9'], remote: ['198.51.100.1-2'] },
    remarks: ['f:1: pptpd looks up "vpn.example" at its start; written: 192.0.2.9, its current address'],
  },
  'a duplicate that pptpd does not notice': {
    file: 'localip 192.0.2.1\nremoteip 198.51.100.8,198.51.100.010\n',
    addresses: { ...LOCAL, remote: ['198.51.100.8'] },
    remarks: [
      'f:2: pptpd reads "198.51.100.010" as 198.51.100.8; written: 198.51.100.8',
      'f:2: left out: 198.51.100.8, repeated: pptpd would lend it to two clients',
    ],
  },
  'a duplicate that pptpd does not notice, and a local address for each client': {
    file: 'localip 192.0.2.1-3\nremoteip 198.51.100.8,198.51.100.8 # again,198.51.100.9\n',
    addresses: { local: ['192.0.2.1', '192.0.2.3'], remote: ['198.51.100.8-198.51.100.9'] },
    remarks: [
      'f:2: pptpd reads "198.51.100.8 # again" as 198.51.100.8; written: 198.51.100.8',
      'f:2: left out: 198.51.100.8, repeated: pptpd would lend it to two clients',
    ],
  },
  'digits that hide the dash from pptpd': {
    file: 'localip 192.0.2.1\nremoteip 198.51.100.12345678-9,198.51.100.5\n',
    addresses: { ...LOCAL, remote: ['198.51.100.5'] },
    remarks: ['f:2: pptpd reads no address from "198.51.100.12345678-9"; left out'],
  },
  'the local address in the clients’ range': {
    file: 'localip 198.51.100.2\nremoteip 198.51.100.1-4\n',
    addresses: { local: ['198.51.100.2'], remote: ['198.51.100.1', '198.51.100.3-198.51.100.4'] },
    remarks: [
      'f:2: left out: 198.51.100.2: pptpd would use an address both for a client and for its own end, and such a tunnel carries no data',
    ],
  },
  'local addresses in the clients’ range': {
    file: 'localip 198.51.100.1-4\nremoteip 198.51.100.3-6\n',
    addresses: { local: ['198.51.100.1-198.51.100.2'], remote: ['198.51.100.3-198.51.100.4'] },
    remarks: [
      'f:2: left out: 198.51.100.5-198.51.100.6: pptpd would use an address both for a client and for its own end, and such a tunnel carries no data',
    ],
  },
  'the same local address for some clients': {
    file: 'localip 192.0.2.1,192.0.2.1,192.0.2.2\nremoteip 198.51.100.1-3\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1-3'] },
    remarks: ['f:1: pptpd uses some of these for more than one client; written: 192.0.2.1, for every client'],
  },
  'an address that pppd refuses': {
    file: 'localip 192.0.2.1\nremoteip 127.0.0.5,198.51.100.1\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1'] },
    remarks: ['f:2: left out: pairs with 127.0.0.5, which pppd refuses'],
  },
};

const host = {
  lookUp: (name: string) => (name === 'vpn.example' ? '192.0.2.9' : null),
  isReadable: () => true,
  isExecutable: () => true,
};

for (const [name, { file, addresses, connections, remarks = [] }] of Object.entries(rows)) {
  test(name, () => {
    const limits = connections === undefined ? {} : { limits: { connections } };
    const imported = importPptpd({ name: 'f', text: file }, [], host);
    assert.deepEqual(imported, { ok: true, input: { addresses, ...limits }, remarks });
  });
}

const LOCALIP = 'localip 192.0.2.1\n';
const faults: readonly (readonly [file: string, ...faults: string[]])[] = [
  [`${LOCALIP}remoteip\n`, 'f:2: "remoteip" has no value; pptpd would not start'],
  ['localip \nremoteip 198.51.100.1\n', 'f:1: "localip" has no value; pptpd would not start'],
  [`${LOCALIP}remoteip 198.51.100.9-4\n`, 'f:2: pptpd would not start with "198.51.100.9-4" (it runs backwards)'],
  [
    `${LOCALIP}remoteip 198.51.100.1,nowhere\n`,
    'f:2: pptpd would not start with "nowhere" (it is not an address, and this machine knows no host of that name)',
  ],
  [
    `${LOCALIP}remoteip nowhere, 198.51.100.9-4\n`,
    'f:2: pptpd would not start with "nowhere" (it is not an address, and this machine knows no host of that name)',
    'f:2: "198.51.100.9-4" runs backwards',
  ],
  [
    `${LOCALIP}remoteip 198.51.100.1,198.51.100.1\n`,
    'f:2: pptpd would not start with "198.51.100.1" (198.51.100.1 is repeated)',
  ],
  [
    `${LOCALIP}remoteip 198.51.100.254-300\n`,
    'f:2: pptpd would not start with "198.51.100.254-300" (198.51.100.256 is not an address)',
  ],
  [`${LOCALIP}remoteip 198.51.100.1,,198.51.100.2\n`, 'f:2: pptpd would not start with "" (an address is missing)'],
  [
    'localip 198.51.100.1-9\nremoteip 198.51.100.1-9\n',
    'f:2: pptpd would start, but no usable address is left for clients',
  ],
];

for (const [file, ...expected] of faults) {
  test(`not converted: ${JSON.stringify(file)}`, () => {
    const imported = importPptpd({ name: 'f', text: file }, [], host);
    assert.ok(!imported.ok, 'it must be refused');
    assert.deepEqual(imported.faults, expected);
  });
}
