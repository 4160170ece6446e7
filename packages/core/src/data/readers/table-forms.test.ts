/** Any images and labels, written as a table in any of the usual forms, read back. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { DataFolder } from '../test-data-folder.js';
import { writeFiles } from '../test-images.js';

const place = new DataFolder();
afterAll(() => place.remove());

const PER_CLASS = 12;

const tables = fc.record({
  classes: fc.constantFrom(['0', '1'], ['0', '1', '2', '3', '4'], ['1', '2', '3'], ['cat', 'dog, big', 'щука']),
  channels: fc.constantFrom(1, 3),
  side: fc.integer({ min: 2, max: 5 }),
  /** Differs by seed, so that no column looks like labels. */
  seed: fc.integer({ min: 1, max: 1000 }),
  isLast: fc.boolean(),
  header: fc.constantFrom('none', 'label', 'Target', 'digit', 'Species', 'kind', 'numbers'),
  pixelNames: fc.constantFrom('pixel#', 'p#', 'px-#', '1x#', 'Pixel #', '#'),
  index: fc.constantFrom('none', '', 'Unnamed: 0', 'index', 'id'),
  number: fc.constantFrom('12', '12.0', '1.2e1', ' 12 ', '+12', '"12"'),
  delimiter: fc.constantFrom(',', ';', '\t'),
  end: fc.constantFrom('\n', '\r\n'),
  blankLines: fc.integer({ min: 0, max: 2 }),
  isPacked: fc.boolean(),
  hasMark: fc.boolean(),
  layout: fc.constantFrom('hwc' as const, 'chw' as const),
});

type Table = typeof tables extends fc.Arbitrary<infer T> ? T : never;

const writeNumber = (value: number, form: Table['number']): string =>
  form === '1.2e1' ? value.toExponential(18) : form.replace('12', String(value));

const quote = (text: string): string => (/[,;\t]/.test(text) ? `"${text}"` : text);

/** [label, pixels plane by plane], one for each row. */
function makeRows({ classes, channels, side, seed }: Table): [string, number[]][] {
  const size = channels * side * side;
  return Array.from({ length: PER_CLASS * classes.length }, (_, row) => [
    classes[row % classes.length] as string,
    Array.from({ length: size }, (_, i) => ((row + 7) * (i + 3) * 7919 + seed * 104_729 * (i + 1) + row * row) % 256),
  ]);
}

function writeTable(table: Table): string {
  const { side, isLast, header, pixelNames, index, number, delimiter, end, blankLines, hasMark, layout, channels } =
    table;
  const plane = side * side;
  const put = (label: string, pixels: readonly string[], count: string): string =>
    [...(index === 'none' ? [] : [count]), ...(isLast ? [...pixels, label] : [label, ...pixels])].join(delimiter);
  const rows = makeRows(table).map(([label, planar], row) => {
    const pixels = planar.map((value, i) => {
      const at = layout === 'hwc' ? (i % channels) * plane + Math.floor(i / channels) : i;
      return writeNumber(planar[at] ?? value, number);
    });
    const isNumber = /^\d+$/.test(label);
    return put(isNumber ? writeNumber(Number(label), number) : quote(label), pixels, String(row));
  });
  const names = Array.from({ length: channels * plane }, (_, i) => pixelNames.replace('#', String(i)));
  const columns = names.length + 1;
  const numbered = Array.from({ length: columns }, (_, i) => String(i));
  const labelName = isLast ? String(columns - 1) : '0';
  const others = numbered.filter((name) => name !== labelName);
  const titles =
    header === 'none' ? [] : header === 'numbers' ? [put(labelName, others, '')] : [put(header, names, index)];
  return (hasMark ? '\ufeff' : '') + [...titles, ...rows].join(end) + end.repeat(blankLines);
}

it('issue 23: any images and labels read back from a table in any of the usual forms', async () => {
  let number = 0;
  await fc.assert(
    fc.asyncProperty(tables, async (table) => {
      const hasMany = table.channels * table.side ** 2 >= 10;
      // few numbers that count up may be pixels
      fc.pre(hasMany || table.header !== 'numbers');
      fc.pre(hasMany || table.pixelNames !== '#' || table.header !== 'kind');
      // a header of numbers says nothing of a column that counts rows
      fc.pre(table.header !== 'numbers' || table.index === 'none');
      // whether such a name is that of the labels, only the name of another column tells
      fc.pre(table.header !== 'kind' || table.index !== 'id');
      const name = `t${number++}.csv${table.isPacked ? '.gz' : ''}`;
      const text = writeTable(table);
      writeFiles(place.folder, { [name]: table.isPacked ? gzipSync(text) : text });
      place.data = join(place.folder, name);
      const {
        train,
        test,
        channels,
        height,
        width,
        classNames = [],
      } = await place.open({
        csvLayout: table.layout,
      });
      expect({ channels, height, width }).toEqual({ channels: table.channels, height: table.side, width: table.side });
      const bytes = channels * height * width;
      const read = [train, test].flatMap(({ count, images, labels }) =>
        Array.from({ length: count }, (_, i) => [
          classNames[labels[i] as number],
          Buffer.from(images.subarray(i * bytes, (i + 1) * bytes)).toString('hex'),
        ]),
      );
      const written = makeRows(table).map(([label, pixels]) => [label, Buffer.from(pixels).toString('hex')]);
      expect(read.map((row) => row.join()).sort()).toEqual(written.map((row) => row.join()).sort());
    }),
    { numRuns: 60 },
  );
});

it.each([
  ['a header', '"label","a","b","c","d"\n'],
  ['no header', ''],
])("issue 23: Excel's mark of UTF-8 before a quoted cell belongs to no cell: %s", async (_, header) => {
  const rows = [0, 1, 0, 1].map((label, i) => `"${label}","${i}","2","3","4"`).join('\r\n');
  writeFiles(place.folder, { 'x.csv': `\ufeff${header}${rows}` });
  place.data = join(place.folder, 'x.csv');
  const { classes, train, test } = await place.open({ heldOut: 2 });
  expect([classes, train.count + test.count]).toEqual([2, 4]);
});
