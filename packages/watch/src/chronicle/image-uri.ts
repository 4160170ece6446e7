/** Images as PNG data URIs, which an `<img>` shows without another request. */

import { encodePngImage } from '@lockstep/core/data/pictures';
import type { Shape } from '@lockstep/core/model';

/** @param pixels uint8 [channels][height][width] */
export const toDataUri = (shape: Shape, pixels: Uint8Array): string =>
  `data:image/png;base64,${Buffer.from(encodePngImage({ ...shape, pixels })).toString('base64')}`;
