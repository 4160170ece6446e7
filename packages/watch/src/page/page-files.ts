/** The files of the page, read once: its own, and those of the two libraries it uses. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
}

const require = createRequire(import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};
/** What hmac.js and sha2.js import from each other. */
const HASH_FILES = ['hmac.js', 'sha2.js', '_md.js', '_u64.js', 'utils.js'];

/** By the path of their URL. */
export function readPageFiles(): Map<string, PageFile> {
  const files = new Map<string, PageFile>();
  const add = (url: string, file: string): void => {
    files.set(url, { type: TYPES[path.extname(file)] as string, body: readFileSync(file) });
  };
  const own = fileURLToPath(new URL('../../page/', import.meta.url));
  add('/', path.join(own, 'index.html'));
  add('/style.css', path.join(own, 'style.css'));
  const scripts = fileURLToPath(new URL('./browser/', import.meta.url));
  for (const name of readdirSync(scripts)) {
    if (/^[\w-]+\.js$/.test(name)) add(`/page/browser/${name}`, path.join(scripts, name));
  }
  // what both sides know: names of columns and phases, and what is said of a run
  for (const name of ['chronicle.js', 'showing.js']) {
    add(`/chronicle/${name}`, fileURLToPath(new URL(`../chronicle/${name}`, import.meta.url)));
  }
  const texts = require.resolve('@lockstep/core/text');
  const core = path.dirname(path.dirname(texts));
  for (const file of listImported(texts)) add(`/core/${path.relative(core, file).split(path.sep).join('/')}`, file);
  const plot = path.dirname(require.resolve('uplot'));
  add('/uplot/uPlot.js', path.join(plot, 'uPlot.esm.js'));
  add('/uplot/uPlot.css', path.join(plot, 'uPlot.min.css'));
  const hashes = path.dirname(require.resolve('@noble/hashes/hmac.js'));
  for (const name of HASH_FILES) add(`/hashes/${name}`, path.join(hashes, name));
  return files;
}

/** A script and all that it leads to by relative imports, in other rooms too. */
function listImported(script: string, found = new Set<string>()): Set<string> {
  if (found.has(script)) return found;
  found.add(script);
  const imports = readFileSync(script, 'utf8').matchAll(/^(?:import|export)\b[^'"]*['"](\.[^'"]+)['"]/gm);
  for (const [, name = ''] of imports) listImported(path.resolve(path.dirname(script), name), found);
  return found;
}

/** Headers of every answer: nothing from elsewhere, in nobody's frame, kept in no cache. */
export function pageHeaders(files: ReadonlyMap<string, PageFile>): Record<string, string> {
  const html = files.get('/')?.body.toString('utf8') ?? '';
  const inline = /<script type="importmap">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
  const hash = createHash('sha256').update(inline).digest('base64');
  return {
    'content-security-policy': [
      "default-src 'none'",
      `script-src 'self' 'sha256-${hash}'`,
      "style-src 'self'",
      'img-src data:',
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  };
}
