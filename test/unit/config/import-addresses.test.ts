/**
 * The addresses and the limit that pptpd would use, and what is said about them. What pptpd itself does is asked by
 * test/process/import-against-pptpd.test.ts.
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
      'f: no line sets "localip", and pptpd takes 192.168.0.1-100, a different one for each client; carried over',
      'f: no line sets "remoteip", and pptpd takes 192.168.1.1-100; carried over',
    ],
  },
  'an indented line led to the default': {
    file: 'connections 20\n localip 192.0.2.1\nremoteip 198.51.100.1-20\n',
    addresses: { local: ['192.168.0.1-100'], remote: ['198.51.100.1-20'] },
    connections: 20,
    remarks: [
      'f:2: pptpd ignores this line, and it is not carried over: it begins with a space ("localip 192.0.2.1")',
      'f:2: so no line sets "localip", and pptpd takes 192.168.0.1-100, a different one for each client; carried over',
    ],
  },
  'misspelt lines led to the defaults': {
    file: 'localip=192.0.2.1\nremotip 198.51.100.1-20\n',
    addresses: { local: ['192.168.0.1-100'], remote: ['192.168.1.1-100'] },
    remarks: [
      'f:1: pptpd ignores this line, and it is not carried over: "localip=192.0.2.1" is no keyword; "localip" with a space behind it would be one',
      'f:1: so no line sets "localip", and pptpd takes 192.168.0.1-100, a different one for each client; carried over',
      'f:2: pptpd ignores this line, and it is not carried over: "remotip" is no keyword; "remoteip" would be one',
      'f:2: so no line sets "remoteip", and pptpd takes 192.168.1.1-100; carried over',
    ],
  },
  'an indented line beside a right one led to nothing': {
    file: ' localip 192.0.2.9\nlocalip 192.0.2.1\nremoteip 198.51.100.1\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1'] },
    remarks: ['f:1: pptpd ignores this line, and it is not carried over: it begins with a space ("localip 192.0.2.9")'],
  },
  'as they stand there': {
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
  'more addresses than the default of connections': {
    file: 'localip 192.0.2.1\nremoteip 198.51.100.2-254\n',
    addresses: { ...LOCAL, remote: ['198.51.100.2-198.51.100.101'] },
    remarks: [
      'f:2: only the first 100 addresses are carried over: pptpd serves no more clients than connections allows (100 by default); written: 198.51.100.2-198.51.100.101',
    ],
  },
  'a range past 255, of which connections leaves the front': {
    file: 'localip 192.0.2.1\nremoteip 198.51.100.100-300\n',
    addresses: { ...LOCAL, remote: ['198.51.100.100-198.51.100.199'] },
    remarks: [
      'f:2: pptpd takes 198.51.100.100-198.51.100.199 from "198.51.100.100-300"; written: 198.51.100.100-198.51.100.199',
      'f:2: only the first 100 addresses are carried over: pptpd serves no more clients than connections allows (100 by default); written: 198.51.100.100-198.51.100.199',
    ],
  },
  'fewer local addresses than clients, but not one': {
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
      'f:2: left out: pptpd ignores it with "delegate"; it has no limit then',
      'f:3: left out: pptpd ignores it with "delegate"',
      'f:4: left out: pptpd ignores it with "delegate"',
    ],
  },
  'a space before a comma, where pptpd takes it': {
    file: 'localip 192.0.2.1\nremoteip 198.51.100.1 ,198.51.100.2\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1', '198.51.100.2'] },
  },
  'a space before a comma, where it does not': {
    file: 'localip 192.0.2.1\nremoteip 198.51.100.1-2 ,198.51.100.7\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1-2', '198.51.100.7'] },
    remarks: [
      'f:2: pptpd would not start with "198.51.100.1-2 " (there is a space behind a range); read as 198.51.100.1-2, 198.51.100.7',
    ],
  },
  'a space behind a comma': {
    file: 'localip 192.0.2.1\nremoteip 198.51.100.1, 198.51.100.2\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1', '198.51.100.2'] },
    remarks: [
      'f:2: pptpd would not start with " 198.51.100.2" (there is a space behind a comma); read as 198.51.100.1, 198.51.100.2',
    ],
  },
  'a no-break space': {
    file: 'localip 192.0.2.1\nremoteip 198.51.100.1,\u00A0198.51.100.2\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1', '198.51.100.2'] },
    remarks: [
      'f:2: pptpd would not start with "\\u00a0198.51.100.2" (a no-break space belongs to the word); read as 198.51.100.1, 198.51.100.2',
    ],
  },
  'a comment behind a range': {
    file: 'localip 192.0.2.1\nremoteip 198.51.100.1-2 # ours\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1-2'] },
    remarks: [
      'f:2: pptpd would not start with "198.51.100.1-2 # ours" (there is a comment behind a range); read as 198.51.100.1-2',
    ],
  },
  'notations that only we know, and connections': {
    file: 'connections 4\nlocalip 192.0.2.1\nremoteip 198.51.100.0/28,198.51.100.32-198.51.100.40\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1-198.51.100.4'] },
    connections: 4,
    remarks: [
      'f:3: pptpd would not start with "198.51.100.0/28" (pptpd knows no blocks); read as 198.51.100.0/28, 198.51.100.32-198.51.100.40',
      'f:3: only the first 4 addresses are carried over: pptpd serves no more clients than connections allows (f:1); written: 198.51.100.1-198.51.100.4',
    ],
  },
  'DOS line ends': {
    file: 'localip 192.0.2.1\r\nremoteip 198.51.100.1-2\r\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1-2'] },
    remarks: [
      'f:1: it ends in CR (a DOS line end), which pptpd takes into the value; carried over without it',
      'f:2: it ends in CR (a DOS line end), which pptpd takes into the value; carried over without it',
      'f:2: pptpd would not start with "198.51.100.1-2\\r" (there is a CR, of a DOS line end, behind a range); read as 198.51.100.1-2',
    ],
  },
  'text behind an address': {
    file: 'localip 192.0.2.1 (the VPN server)\nremoteip 198.51.100.1    # text\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1'] },
    remarks: [
      'f:1: pptpd takes 192.0.2.1 from "192.0.2.1 (the VPN server)"; written: 192.0.2.1',
      'f:2: pptpd takes 198.51.100.1 from "198.51.100.1    # text"; written: 198.51.100.1',
    ],
  },
  'a leading zero': {
    file: 'localip 192.0.2.1\nremoteip 198.51.100.010\n',
    addresses: { ...LOCAL, remote: ['198.51.100.8'] },
    remarks: ['f:2: pptpd takes 198.51.100.8 from "198.51.100.010"; written: 198.51.100.8'],
  },
  'a host name': {
    file: 'localip vpn.example\nremoteip 198.51.100.1-2\n',
    addresses: { local: ['192.0.2.9'], remote: ['198.51.100.1-2'] },
    remarks: ['f:1: pptpd looks up "vpn.example" when it starts; written: 192.0.2.9, its address now'],
  },
  'a duplicate that pptpd does not see': {
    file: 'localip 192.0.2.1\nremoteip 198.51.100.8,198.51.100.010\n',
    addresses: { ...LOCAL, remote: ['198.51.100.8'] },
    remarks: [
      'f:2: pptpd takes 198.51.100.8 from "198.51.100.010"; written: 198.51.100.8',
      'f:2: left out: 198.51.100.8 a second time, which pptpd would give to two clients',
    ],
  },
  'a duplicate that pptpd does not see, and local addresses for each': {
    file: 'localip 192.0.2.1-3\nremoteip 198.51.100.8,198.51.100.8 # again,198.51.100.9\n',
    addresses: { local: ['192.0.2.1', '192.0.2.3'], remote: ['198.51.100.8-198.51.100.9'] },
    remarks: [
      'f:2: pptpd takes 198.51.100.8 from "198.51.100.8 # again"; written: 198.51.100.8',
      'f:2: left out: 198.51.100.8 a second time, which pptpd would give to two clients',
    ],
  },
  'digits that hide the dash from pptpd': {
    file: 'localip 192.0.2.1\nremoteip 198.51.100.12345678-9,198.51.100.5\n',
    addresses: { ...LOCAL, remote: ['198.51.100.5'] },
    remarks: ['f:2: pptpd takes nothing from "198.51.100.12345678-9"; left out'],
  },
  'the local address in the clients’ range': {
    file: 'localip 198.51.100.2\nremoteip 198.51.100.1-4\n',
    addresses: { local: ['198.51.100.2'], remote: ['198.51.100.1', '198.51.100.3-198.51.100.4'] },
    remarks: [
      'f:2: left out: 198.51.100.2; with it pptpd would use an address for a client and for its own end too, and such a tunnel carries nothing',
    ],
  },
  'local addresses that clients have': {
    file: 'localip 198.51.100.1-4\nremoteip 198.51.100.3-6\n',
    addresses: { local: ['198.51.100.1-198.51.100.2'], remote: ['198.51.100.3-198.51.100.4'] },
    remarks: [
      'f:2: left out: 198.51.100.5-198.51.100.6; with it pptpd would use an address for a client and for its own end too, and such a tunnel carries nothing',
    ],
  },
  'the same local address for some clients': {
    file: 'localip 192.0.2.1,192.0.2.1,192.0.2.2\nremoteip 198.51.100.1-3\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1-3'] },
    remarks: ['f:1: pptpd gives some clients the same one of these; written: 192.0.2.1, for every client'],
  },
  'an address that pppd refuses': {
    file: 'localip 192.0.2.1\nremoteip 127.0.0.5,198.51.100.1\n',
    addresses: { ...LOCAL, remote: ['198.51.100.1'] },
    remarks: ['f:2: left out: what has 127.0.0.5, which pptpd would pass on and pppd refuses'],
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
    'f:2: pptpd would not start with "nowhere" (it is no address, and no host of that name is known here)',
  ],
  [
    `${LOCALIP}remoteip nowhere, 198.51.100.9-4\n`,
    'f:2: pptpd would not start with "nowhere" (it is no address, and no host of that name is known here)',
    'f:2: "198.51.100.9-4" runs backwards',
  ],
  [
    `${LOCALIP}remoteip 198.51.100.1,198.51.100.1\n`,
    'f:2: pptpd would not start with "198.51.100.1" (198.51.100.1 stands there already)',
  ],
  [
    `${LOCALIP}remoteip 198.51.100.254-300\n`,
    'f:2: pptpd would not start with "198.51.100.254-300" (198.51.100.256 is no address)',
  ],
  [
    `${LOCALIP}remoteip 198.51.100.1,,198.51.100.2\n`,
    'f:2: pptpd would not start with "" (there is nothing where an address is due)',
  ],
  [
    'localip 198.51.100.1-9\nremoteip 198.51.100.1-9\n',
    'f:2: pptpd starts with it, but no address is left that a client could be given',
  ],
];

for (const [file, ...expected] of faults) {
  test(`at fault: ${JSON.stringify(file)}`, () => {
    const imported = importPptpd({ name: 'f', text: file }, [], host);
    assert.ok(!imported.ok, 'it must be refused');
    assert.deepEqual(imported.faults, expected);
  });
}
