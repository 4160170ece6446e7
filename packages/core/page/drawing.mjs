/** From a drawing of any size to the image that the network was trained on: the ink scaled and centred as in MNIST. */

/** Values from here on are ink. */
const INK = 40;

/**
 * @param drawing { height, width, pixels }: 0 where nothing is drawn, up to 255
 * @param form { height, width, ink }: size of the result; share of it that the ink takes, or null to keep the drawing's place
 * @returns pixels of the result
 */
export function prepare(drawing, form) {
  const box = findInk(drawing);
  if (box === undefined) return new Uint8Array(form.height * form.width);
  return form.ink === null ? resize(drawing, form.height, form.width).pixels : centre(crop(drawing, box), form);
}

/** The smallest box with all ink: rows [top, bottom), columns [left, right). */
export function findInk({ height, width, pixels }) {
  let [top, bottom, left, right] = [height, 0, width, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (pixels[y * width + x] < INK) continue;
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
    }
  }
  return bottom > top ? { top, bottom, left, right } : undefined;
}

function crop({ width, pixels }, { top, bottom, left, right }) {
  const cropped = new Uint8Array((bottom - top) * (right - left));
  for (let y = top; y < bottom; y++) {
    cropped.set(pixels.subarray(y * width + left, y * width + right), (y - top) * (right - left));
  }
  return { height: bottom - top, width: right - left, pixels: cropped };
}

/** The ink, scaled to its share of the result and placed with its centre of mass in the middle. */
function centre(ink, { height, width, ink: share }) {
  const scale = Math.min((share * height) / ink.height, (share * width) / ink.width);
  const toSide = (side) => Math.max(1, Math.floor(side * scale + 0.5));
  const small = resize(ink, toSide(ink.height), toSide(ink.width));
  const mass = findCentre(small);
  const place = (middle, at, room) => Math.min(Math.max(0, room), Math.max(0, Math.floor(middle - at + 0.5)));
  const top = place(height / 2, mass.y, height - small.height);
  const left = place(width / 2, mass.x, width - small.width);
  const result = new Uint8Array(height * width);
  for (let y = 0; y < small.height; y++) {
    result.set(small.pixels.subarray(y * small.width, (y + 1) * small.width), (top + y) * width + left);
  }
  return result;
}

function findCentre({ height, width, pixels }) {
  let [mass, x, y] = [0, 0, 0];
  for (let i = 0; i < height * width; i++) {
    mass += pixels[i];
    x += pixels[i] * ((i % width) + 0.5);
    y += pixels[i] * (Math.floor(i / width) + 0.5);
  }
  return mass > 0 ? { x: x / mass, y: y / mass } : { x: width / 2, y: height / 2 };
}

/** Stretches with a triangle filter: bilinear when enlarging, every pixel counts when shrinking. */
function resize(image, height, width) {
  if (image.height === height && image.width === width) return image;
  const columns = planTaps(image.width, width);
  const rows = planTaps(image.height, height);
  const wide = new Float64Array(image.height * width);
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < width; x++) {
      wide[y * width + x] = weigh(columns[x], (k) => image.pixels[y * image.width + k]);
    }
  }
  const pixels = new Uint8Array(height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      pixels[y * width + x] = Math.floor(weigh(rows[y], (k) => wide[k * width + x]) + 0.5);
    }
  }
  return { height, width, pixels };
}

/** For each output pixel, the input pixels from `first` on that it is made of, and their weights. */
function planTaps(from, to) {
  const scale = from / to;
  const radius = Math.max(1, scale);
  return Array.from({ length: to }, (_, index) => {
    const centre = (index + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - radius + 0.5));
    const end = Math.min(from, Math.floor(centre + radius + 0.5));
    const raw = Array.from({ length: end - first }, (_, k) =>
      Math.max(0, 1 - Math.abs(first + k + 0.5 - centre) / radius),
    );
    const sum = raw.reduce((total, weight) => total + weight, 0);
    return { first, weights: raw.map((weight) => weight / sum) };
  });
}

function weigh({ first, weights }, valueAt) {
  let sum = 0;
  for (let k = 0; k < weights.length; k++) sum += weights[k] * valueAt(first + k);
  return sum;
}
