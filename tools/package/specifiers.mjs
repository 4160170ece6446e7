/** Specifiers of inner packages, made relative: `'@lockstep/core/run'` to `'../../core/dist/run/index.js'`. */
import path from 'node:path';

/** `from '...'`, `import '...'`, `import('...')`, `require.resolve('...')`. */
const SPECIFIER = /(\b(?:from|import|import\(|resolve\()\s*)(['"])([^'"\n]+)\2/g;

/**
 * A script's text, or that of its types, with each specifier that is among `places` made relative.
 *
 * @param places where a specifier leads, as a path
 * @throws Error at one of ours that leads nowhere
 */
export function makeRelative(text, file, places) {
  return text.replace(SPECIFIER, (match, before, quote, specifier) => {
    const place = places.get(specifier);
    if (place === undefined) {
      if (specifier.startsWith('@lockstep/')) throw new Error(`${file}: ${specifier} is exported by no package`);
      return match;
    }
    const relative = path.relative(path.dirname(file), place).split(path.sep).join('/');
    return `${before}${quote}${relative.startsWith('.') ? relative : `./${relative}`}${quote}`;
  });
}

/** What a script, or its types, imports. */
export function listSpecifiers(text) {
  return [...text.matchAll(SPECIFIER)].map(([, , , specifier]) => specifier);
}
