import { describe, expect, it } from 'vitest';
import { main } from '../../main.js';
import { RecordingIo } from '../../testing/recording-io.js';
import { modelsField, resolveBench, secondsField, workersListField } from './settings.js';

const fields = [modelsField, secondsField, workersListField('2,8')];
const resolve = (options: Record<string, unknown>) => resolveBench(fields, options, [2, 8]);

describe('resolveBench', () => {
  it('measures the whole zoo by default', () => {
    const { models, workers, seconds, repetitions, engine } = resolve({});
    expect(models.map(({ model }) => model.name).sort()).toEqual([
      'cnn11m',
      'gap19k',
      'lenet5',
      'mynet',
      'net19k',
      'tiny6k',
    ]);
    expect({ workers, seconds, repetitions, engine }).toEqual({
      workers: [2, 8],
      seconds: 0.5,
      repetitions: 5,
      engine: 'native',
    });
  });

  it('takes models and workers between commas', () => {
    const { models, workers } = resolve({ models: 'lenet5, mynet', workers: '1,4' });
    expect(models.map(({ model }) => model.name)).toEqual(['lenet5', 'mynet']);
    expect(workers).toEqual([1, 4]);
  });

  it.each([
    [{ workers: '0,2' }, '--workers 0,2: must be a whole number from 1 to 1024'],
    [{ workers: '2,2' }, '--workers 2,2: must not name a number twice'],
    [{ seconds: '0' }, '--seconds 0: must be above 0 and up to 3600'],
    [{ models: 'lenet6' }, 'no model is called "lenet6"'],
  ])('refuses %j', (options, text) => {
    expect(() => resolve(options)).toThrow(text);
  });
});

describe('lockstep bench', () => {
  const run = async (...argv: string[]) => {
    const io = new RecordingIo();
    return { code: await main(argv, io), out: io.stdout.text, error: io.stderr.text };
  };

  it('has its own flags at each sub-command', async () => {
    const { code, error } = await run('bench', 'sync', '--picture', 'x.svg');
    expect({ code, error }).toEqual({
      code: 2,
      error: expect.stringContaining('LOCKSTEP_CLI_OPTION: unknown option --picture.'),
    });
  });

  it('says what kernels needs', async () => {
    expect(await run('bench', 'kernels')).toMatchObject({ code: 2, error: expect.stringContaining('needs MODEL') });
  });

  it('names its sub-commands and examples in the help', async () => {
    const { code, out } = await run('bench', '--help');
    expect(code).toBe(0);
    for (const text of ['kernels', 'sync', 'memory', '--picture <file>', 'lockstep bench sync'])
      expect(out).toContain(text);
  });
});
