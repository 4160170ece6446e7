#!/usr/bin/env bash
# jpeg-js 0.4.4 shows other colours for a JPEG that stores red, green and blue as they are (APP14 "Adobe", transform 0), as
# Pillow 12.0.0 writes it with keep_rgb=True: it converts from YCbCr all the same. With colorTransform: false it is right.
# Exits non-zero if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pillow==12.0.0
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund jpeg-js@0.4.4
venv/bin/python - <<'PY'
from PIL import Image
Image.new('RGB', (16, 16), (200, 30, 30)).save('red.jpg', quality=95, keep_rgb=True)
print('Pillow 12.0.0 reads back', Image.open('red.jpg').convert('RGB').getpixel((8, 8)))
PY
cat >try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import jpeg from 'jpeg-js';

const file = readFileSync('red.jpg');
const at = file.indexOf('Adobe');
console.log(`APP14 is ${at < 0 ? 'not there' : `there, transform ${file[at + 11]}`}`);
const pixelOf = (options) => [...jpeg.decode(file, options).data.subarray(4 * (8 * 16 + 8), 4 * (8 * 16 + 8) + 3)];
const isRed = ([r, g, b]) => Math.abs(r - 200) < 6 && Math.abs(g - 30) < 6 && Math.abs(b - 30) < 6;
const usual = pixelOf({});
const raw = pixelOf({ colorTransform: false });
console.log(`jpeg-js 0.4.4: ${usual}; with colorTransform: false ${raw}`);
process.exit(at > 0 && file[at + 11] === 0 && !isRed(usual) && isRed(raw) ? 0 : 1);
JS
node try.mjs
