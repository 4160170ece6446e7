/** The flags that say how to read a user's own data. */
import {
  type DataOptions,
  type ImageForm,
  isImageForm,
  isImageSize,
  type PixelChoice,
  type PixelLayout,
  pixelLayouts,
} from '@lockstep/core/data';
import type { ImageSize } from '@lockstep/core/data/readers';
import { type Check, type Field, fieldsIn, isOneOf } from './field.js';
import { pixelFields, readPixels } from './pixel-fields.js';

const SIZE = /^(\d{1,3})(?:x(\d{1,3}))?$/;
const SHAPE = /^(\d{1,2})x(\d{1,3})x(\d{1,3})$/;

/** How to read data, as far as flags say. */
export interface DataForm extends Pick<DataOptions, 'resize' | 'labelColumn' | 'csvShape' | 'csvLayout'> {
  /** What is said of its pixels. */
  readonly pixels: PixelChoice;
}

const isSize: Check = (value) => isImageSize(parseSize(value));

const isShape: Check = (value) => isImageForm(parseShape(value));

/** `32x24` is 32 high and 24 wide; `32` is square. */
function parseSize(value: unknown): ImageSize | undefined {
  const [, height, width = height] = SIZE.exec(String(value)) ?? [];
  return height === undefined ? undefined : { height: Number(height), width: Number(width) };
}

function parseShape(value: unknown): ImageForm | undefined {
  const [channels, height, width] = (SHAPE.exec(String(value)) ?? []).slice(1).map(Number);
  return channels === undefined ? undefined : { channels, height: height as number, width: width as number };
}

const { text } = fieldsIn('Data');

/** How to read rows of a table, and pixels. */
export const rowFields: readonly Field[] = [
  text(
    '--label-column <name>',
    'labelColumn',
    'CSV: column with the labels, by name, first or last (default: by names and values)',
  ),
  text('--csv-shape <shape>', 'csvShape', 'CSV, npz: form of the images where rows are not square, such as 1x20x30', {
    check: isShape,
  }),
  text(
    '--csv-layout <order>',
    'csvLayout',
    'CSV, npz: hwc (colours of a pixel side by side) or chw (planes) (default: by the pixels)',
    { check: isOneOf(...pixelLayouts) },
  ),
  ...pixelFields,
];

export const dataFormFields: readonly Field[] = [
  text('--resize <size>', 'resize', 'bring images to this height and width, such as 28x28', { check: isSize }),
  ...rowFields,
];

/** @param get the checked value of a field, by name */
export const readDataForm = (get: (name: string) => unknown): DataForm => ({
  resize: get('resize') === undefined ? undefined : parseSize(get('resize')),
  labelColumn: get('labelColumn') as string | undefined,
  csvShape: get('csvShape') === undefined ? undefined : parseShape(get('csvShape')),
  csvLayout: get('csvLayout') as PixelLayout | undefined,
  pixels: readPixels(get),
});
