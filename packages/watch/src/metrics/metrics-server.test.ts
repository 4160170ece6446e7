import { request } from 'node:http';
import type { RunObserver } from '@lockstep/core/seams';
import { afterEach, describe, expect, it } from 'vitest';
import { openMetricsServer } from './metrics-server.js';
import { RunMetrics } from './run-metrics.js';

let observer: RunObserver | undefined;
afterEach(() => observer?.close?.());

async function open(host: string): Promise<string> {
  let told = '';
  observer = await openMetricsServer(new RunMetrics(), { host, port: 0 }, (line) => (told = line));
  return told.replace('Metrics: ', '').replace('0.0.0.0', '127.0.0.1');
}

const ask = (url: string, headers: Record<string, string>): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const asked = request(url, { headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on('error', reject).end();
  });

describe('cases: peers 22: metrics', () => {
  it.each([
    ['Prometheus on this machine', {}, 200],
    ['a name that is bound to this machine', { host: 'elsewhere.example:9464' }, 403],
    ['a page of somebody else', { origin: 'http://elsewhere.example' }, 403],
  ])('on the loopback address: %s: %j gets %i', async (_, headers, status) => {
    expect(await ask(await open('127.0.0.1'), headers as Record<string, string>)).toBe(status);
  });

  it.each([
    ['Prometheus that knows the machine by name', { host: 'lab7:9464' }, 200],
    ['a page of somebody else', { host: 'lab7:9464', origin: 'http://elsewhere.example' }, 403],
  ])('for other machines: %s: %j gets %i', async (_, headers, status) => {
    expect(await ask(await open('0.0.0.0'), headers as Record<string, string>)).toBe(status);
  });
});

it('bounds: nodes that are gone: keeps the times of those that went last', async () => {
  const metrics = new RunMetrics();
  for (let life = 0; life < 500; life++) {
    const node = `liar ${life}`;
    const times = { node, worker: undefined, step: 3, beganMs: 0 };
    metrics.onSteps([{ ...times, contributeMs: 1, waitMs: 0, exchangeMs: 1, updateMs: 1, commitMs: 0 } as never]);
    metrics.onEvent({ event: 'node-left', node, address: '10.0.0.7:51012', step: 3, reason: 'it was asked to' });
  }
  let told = '';
  observer = await openMetricsServer(metrics, { host: '127.0.0.1', port: 0 }, (line) => (told = line));
  const text = await (await fetch(told.replace('Metrics: ', ''))).text();
  const names = [...text.matchAll(/phase_seconds_total\{node="([^"]+)",worker="",phase="update"/g)].map(
    ([, name]) => name,
  );
  expect(names).toEqual(Array.from({ length: 64 }, (_, index) => `liar ${436 + index}`));
});
