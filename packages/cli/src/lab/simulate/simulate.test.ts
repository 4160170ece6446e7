import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../main.js';
import { RecordingIo } from '../../testing/recording-io.js';

const costs = {
  calibration: 4,
  machine: { processor: 'a processor' },
  date: '2026-01-01T00:00:00.000Z',
  cores: 2,
  message: { send: 3e-5, receive: 3e-5, sendByte: 8e-10, receiveByte: 1e-9 },
  step: { swap: 2e-4, star: 3e-4, mesh: 4e-4 },
  models: [
    {
      model: 'round',
      floats: 19_680,
      tailFloats: 0,
      shardSize: 16,
      threads: [
        {
          threads: 1,
          contributeBase: 0,
          contributeShard: 8e-4,
          afterTail: 0,
          foldVector: 2e-6,
          updateVector: 1e-5,
          order: 2e-5,
        },
      ],
    },
  ],
};

let folder = '';
let file = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-simulate-'));
  file = path.join(folder, 'calibration.json');
  writeFileSync(file, JSON.stringify(costs));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(...flags: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = new RecordingIo();
  const code = await main(['simulate', ...flags], io);
  return { code, out: io.stdout.text, err: io.stderr.text };
}

describe('lockstep simulate', () => {
  it('predicts every model, link, topology and number of nodes', async () => {
    const { out, code } = await run('--calibration', file, '--nodes', '1..4096', '--link', '1G,100G', '--json');
    expect(code).toBe(0);
    const { cases } = JSON.parse(out);
    expect(cases).toHaveLength(2 * 3 * 13);
    for (const { efficiency, nodes, step, compute } of cases) {
      expect(efficiency).toBeGreaterThan(0);
      expect(efficiency).toBeLessThanOrEqual(nodes === 1 ? 1 : 1.01);
      expect(step).toBeGreaterThanOrEqual(compute);
    }
  });

  it('never slows a run down by a faster link', async () => {
    const { out } = await run('--calibration', file, '--nodes', '2,7,64', '--link', '10M..400G', '--json');
    const { cases } = JSON.parse(out);
    for (const topology of ['star', 'mesh', 'hierarchical']) {
      for (const nodes of [2, 7, 64]) {
        const own = cases.filter(
          (c: { topology: string; nodes: number }) => c.topology === topology && c.nodes === nodes,
        );
        const steps = own.map(({ step }: { step: number }) => step);
        expect(steps).toEqual([...steps].sort((a, b) => b - a));
      }
    }
  });

  it('cases: work 25: prints what is predicted when Ctrl-C comes, draws nothing, and ends with 130', async () => {
    const io = new RecordingIo();
    const picture = path.join(folder, 'cut.svg');
    const flags = ['--calibration', file, '--nodes', '1..65536', '--link', '1G..400G', '--picture', picture, '--json'];
    const running = main(['simulate', ...flags], io);
    const isHeard = async (): Promise<boolean> => {
      await new Promise((resolve) => setImmediate(resolve));
      return io.interrupt('SIGINT') > 0;
    };
    while (!(await isHeard()));
    expect(await running).toBe(130);
    const [, done] = /^Interrupted: (\d+) of 408 cases are predicted\.$/m.exec(io.stderr.text) ?? [];
    expect(Number(done)).toBeLessThan(204);
    expect(JSON.parse(io.stdout.text || '{"cases":[]}').cases).toHaveLength(Number(done));
    expect(existsSync(picture)).toBe(false);
  });

  it('says how many nodes a batch can use', async () => {
    const { err } = await run('--calibration', file, '--nodes', '16', '--batch-size', '128');
    expect(err).toContain('a batch of 128 is 8 shards, so no more than 8 nodes compute');
  });

  it('draws a panel for each model and link', async () => {
    const picture = path.join(folder, 'scale.svg');
    const { out } = await run('--calibration', file, '--link', '1G,10G', '--picture', picture);
    expect(out).toContain('round');
    const svg = readFileSync(picture, 'utf8');
    expect(svg.match(/<g /g)).toHaveLength(2);
    expect(svg.match(/<polyline /g)).toHaveLength(6);
  });

  it.each([
    ['no file', 'none.json', undefined, 'there is no'],
    ['something else', 'other.json', '{"calibration": 2}', 'is no calibration of this release'],
    ['no JSON', 'text.json', 'hello', 'is not JSON'],
  ])('ends with code 2 and the way out when the calibration is %s', async (_, name, content, text) => {
    const other = path.join(folder, name);
    if (content !== undefined) writeFileSync(other, content);
    const { err, code } = await run('--calibration', other);
    expect(code).toBe(2);
    expect(err).toContain(text);
    expect(err).toContain(`lockstep bench calibrate --out ${other}`);
  });

  it('names the models there are', async () => {
    const { err, code } = await run('--calibration', file, '--model', 'cnn11m');
    expect(code).toBe(2);
    expect(err).toContain('the calibration has round, not cnn11m');
  });
});
