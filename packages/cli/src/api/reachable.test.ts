import type { NetworkInterfaceInfo } from 'node:os';
import { describeNodeEvent } from '@lockstep/core/text';
import { describe, expect, it } from 'vitest';
import { listReachable } from './reachable.js';

const info = (address: string, internal = false): NetworkInterfaceInfo => ({
  address,
  internal,
  ...(address.includes(':') ? { family: 'IPv6' as const, scopeid: 0 } : { family: 'IPv4' as const }),
  netmask: '',
  mac: '',
  cidr: null,
});
const INTERFACES = {
  lo: [info('127.0.0.1', true), info('::1', true)],
  eth0: [info('fe80::1'), info('fd00::7'), info('192.168.0.7')],
  wlan0: [info('169.254.1.1'), info('10.0.0.7')],
};

describe('cases: work 16: the addresses of a port', () => {
  it.each([
    ['ws://0.0.0.0:7400', ['ws://192.168.0.7:7400', 'ws://10.0.0.7:7400']],
    ['wss://[::]:7400', ['wss://192.168.0.7:7400', 'wss://10.0.0.7:7400', 'wss://[fd00::7]:7400']],
    ['ws://192.168.0.7:7400', ['ws://192.168.0.7:7400']],
    ['ws://trainer:7400', ['ws://trainer:7400']],
    ['ws://127.0.0.1:7400', []],
    ['ws://[::1]:7400', []],
    ['ws://localhost:7400', []],
  ])('%s is reached under %j', (url, expected) => {
    expect(listReachable(url, INTERFACES)).toEqual(expected);
  });

  it('stand in lines that can be pasted, with the token', () => {
    const tell = (url: string, flags = ''): string =>
      describeNodeEvent({ event: 'listening', url, reachable: listReachable(url, INTERFACES), flags });
    expect(tell('ws://0.0.0.0:7400', '--token-file secret')).toBe(
      [
        'Listening at ws://0.0.0.0:7400; on other machines, whichever address they reach:',
        '  lockstep worker --connect ws://192.168.0.7:7400 --token-file secret',
        '  lockstep worker --connect ws://10.0.0.7:7400 --token-file secret',
      ].join('\n'),
    );
    expect(tell('ws://10.0.0.7:7400', '--token-file secret')).toBe(
      'Listening at ws://10.0.0.7:7400; on other machines: lockstep worker --connect ws://10.0.0.7:7400 --token-file secret',
    );
    expect(tell('ws://127.0.0.1:7400')).toBe(
      'Listening at ws://127.0.0.1:7400, for this machine alone; on it: lockstep worker --connect ws://127.0.0.1:7400',
    );
  });
});
