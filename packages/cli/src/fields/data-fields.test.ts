import { describe, expect, it } from 'vitest';
import { dataFormFields, readDataForm } from './data-fields.js';

const check = (name: string, value: unknown): string | undefined =>
  dataFormFields.find(({ path }) => path[0] === name)?.check?.(value);

const read = (values: Record<string, unknown>) => readDataForm((name) => values[name]);

describe('the flags for own data', () => {
  it('are read into sizes and shapes', () => {
    const none = { resize: undefined, labelColumn: undefined, csvShape: undefined, csvLayout: undefined };
    expect(read({})).toEqual({ ...none, pixels: {} });
    expect(read({ csvLayout: 'hwc' }).csvLayout).toBe('hwc');
    expect(read({ resize: '32x24' }).resize).toEqual({ height: 32, width: 24 });
    expect(read({ resize: '28' }).resize).toEqual({ height: 28, width: 28 });
    // as YAML reads it
    expect(read({ resize: 28 }).resize).toEqual({ height: 28, width: 28 });
    expect(read({ csvShape: '3x20x30' }).csvShape).toEqual({ channels: 3, height: 20, width: 30 });
  });

  it.each(['0', '257', '28x', '28x0', '28x28x1', 'big', -3])('refuse the size %j', (value) => {
    expect(check('resize', value)).toBe('must be a height and a width up to 256, such as 28x28');
  });

  it.each(['hcw', 'HWC', 3])('refuse the order %j', (value) => {
    expect(check('csvLayout', value)).toContain('must be one of hwc, chw');
  });

  it.each(['28x28', '0x28x28', '17x28x28', '1x257x1', 'x'])('refuse the shape %j', (value) => {
    expect(check('csvShape', value)).toBe('must be channels, height and width, such as 3x32x32');
  });
});
