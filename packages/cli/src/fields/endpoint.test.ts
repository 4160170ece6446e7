import { describe, expect, it } from 'vitest';
import { parseEndpoint, parsePort } from './endpoint.js';

describe('parseEndpoint', () => {
  it.each([
    ['0.0.0.0:7400', '0.0.0.0', 7400],
    ['[::1]:0', '::1', 0],
    [':65535', '127.0.0.1', 65_535],
    ['host.example:80', 'host.example', 80],
  ])('reads %s', (text, host, port) => {
    expect(parseEndpoint(text, '--listen')).toEqual({ host, port });
  });

  it.each(['7400', 'host', 'host:', 'host:65536', 'a:b:1', '[host]:1', '::1:80', 'host:1x'])('refuses %s', (text) => {
    expect(() => parseEndpoint(text, '--listen')).toThrow(
      `LOCKSTEP_CLI_OPTION: --listen "${text}": must be host:port, such as 0.0.0.0:7400`,
    );
  });
});

describe('parsePort', () => {
  it('takes a port for one of this machine alone', () => {
    expect(parsePort(9464, '--metrics', 1)).toEqual({ host: '127.0.0.1', port: 9464 });
    expect(parsePort('[::]:9464', '--metrics', 1)).toEqual({ host: '::', port: 9464 });
  });

  it.each(['65536', 'x', '-1', ''])('refuses %j, and says what could stand there', (text) => {
    expect(() => parsePort(text, '--metrics', 9464)).toThrow(
      `--metrics ${JSON.stringify(text)}: must be a port or host:port, such as 9464 or 0.0.0.0:9464`,
    );
  });
});
