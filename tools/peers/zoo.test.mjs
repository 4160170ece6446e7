import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';

it('prints six networks as one line of JSON, each layer with its shapes', () => {
  const file = path.join(import.meta.dirname, 'zoo.mjs');
  const text = execFileSync(process.execPath, [file], { encoding: 'utf8' });
  expect(text.trimEnd()).not.toContain('\n');
  const zoo = JSON.parse(text);
  expect(zoo).toHaveLength(6);
  const conv = zoo.find(({ name }) => name === 'net19k').layers[0];
  expect(conv).toMatchObject({ type: 'conv', outChannels: 10, kernel: 3, stride: 1, padding: 1, groups: 1 });
  expect(conv.input).toEqual({ channels: 1, height: 28, width: 28 });
  expect(conv.output).toEqual({ channels: 10, height: 28, width: 28 });
});
