/** Ways in which a file comes to hold something else than its writer meant: by chance, or on purpose. */
import fc from 'fast-check';

/** Whole numbers at which readers that count on others go wrong. */
const COUNTS = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
const NUMBERS = ['-1', '0', '1e308', '1e999', '4294967296', '9007199254740993', '0.5', 'NaN', '1e-320', '', '00'];
const VALUES = ['null', '[]', '{}', '""', '-1', '1e400', 'true', '[[]]', '{"a":{}}', '"\\u0000\\ud800"', '"../../x"'];
const PIECES = ['\0', '\r', '"', '\ufeff', '\ud7ff', '%00', "'", '../', '\n\n', ',,,,', '{', ']', '&a *a', '__proto__'];

/** Near the beginning, near the end, or anywhere; negative: from the end. */
const place = fc.oneof(
  fc.nat({ max: 80 }),
  fc.nat({ max: 80 }).map((at) => -at - 1),
  fc.nat({ max: 2 ** 30 }),
);
const nth = fc.nat({ max: 200 });

const step = fc.oneof(
  fc.record({ kind: fc.constant('flip'), at: place, bit: fc.nat({ max: 7 }) }),
  fc.record({ kind: fc.constant('set'), at: place, value: fc.nat({ max: 255 }) }),
  fc.record({
    kind: fc.constant('count'),
    at: place,
    value: fc.constantFrom(...COUNTS),
    size: fc.constantFrom(1, 2, 4, 8),
    isLittle: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('cut'), at: place }),
  fc.record({ kind: fc.constant('drop'), at: place, length: fc.integer({ min: 1, max: 64 }) }),
  fc.record({
    kind: fc.constant('repeat'),
    at: place,
    length: fc.integer({ min: 1, max: 64 }),
    times: fc.constantFrom(1, 3, 1000),
  }),
  fc.record({ kind: fc.constant('splice'), at: place, from: place, length: fc.integer({ min: 1, max: 256 }) }),
  fc.record({ kind: fc.constant('number'), nth, text: fc.constantFrom(...NUMBERS) }),
  fc.record({ kind: fc.constant('value'), nth, text: fc.constantFrom(...VALUES) }),
  fc.record({ kind: fc.constant('piece'), at: place, text: fc.constantFrom(...PIECES) }),
  fc.record({
    kind: fc.constant('nest'),
    nth,
    depth: fc.constantFrom(5, 300, 8000),
    open: fc.constantFrom('[', '{"a":'),
  }),
);

/** A few of them, one after the other. */
export const damage = fc.array(step, { minLength: 1, maxLength: 4 });

/** @returns a copy of `file` after these steps; `other` is what is spliced in */
export const applyDamage = (file, steps, other) =>
  steps.reduce((bytes, one) => applyStep(bytes, one, other), Buffer.from(file));

function applyStep(bytes, one, other) {
  if (bytes.length === 0) return bytes;
  const at = placeIn(bytes, one.at ?? 0);
  switch (one.kind) {
    case 'flip':
      return replace(bytes, at, 1, [bytes[at] ^ (1 << one.bit)]);
    case 'set':
      return replace(bytes, at, 1, [one.value]);
    case 'count':
      return replace(bytes, at, one.size, encodeCount(one));
    case 'cut':
      return bytes.subarray(0, at);
    case 'drop':
      return replace(bytes, at, one.length, []);
    case 'repeat': {
      const piece = bytes.subarray(at, at + one.length);
      return replace(bytes, at, 0, Buffer.concat(Array(one.times).fill(piece)));
    }
    case 'splice': {
      const from = placeIn(other, one.from);
      return replace(bytes, at, 0, other.subarray(from, from + one.length));
    }
    case 'piece':
      return replace(bytes, at, 0, Buffer.from(one.text));
    case 'number':
      return replaceToken(bytes, /\d+(\.\d+)?/g, one.nth, () => one.text);
    case 'value':
      return replaceToken(bytes, /"[^"\\]*"|-?\d+(\.\d+)?|true|false|null|\[[^[\]{}]*\]/g, one.nth, () => one.text);
    case 'nest':
      return replaceToken(bytes, /"[^"\\]*"|\d+/g, one.nth, (token) => nest(token, one));
    default:
      throw new Error(`no damage is called ${one.kind}`);
  }
}

const placeIn = (bytes, at) => (at < 0 ? Math.max(0, bytes.length + at) : at % bytes.length);

const replace = (bytes, at, length, by) =>
  Buffer.concat([bytes.subarray(0, at), Buffer.from(by), bytes.subarray(at + length)]);

function encodeCount({ value, size, isLittle }) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  const own = bytes.subarray(0, size);
  return isLittle ? own : own.reverse();
}

/** The nth of what looks so, counted round; of bytes that are no text as well. */
function replaceToken(bytes, pattern, nth, change) {
  const text = bytes.toString('latin1');
  const tokens = [...text.matchAll(pattern)];
  if (tokens.length === 0) return bytes;
  const { 0: token, index } = tokens[nth % tokens.length];
  return replace(bytes, index, token.length, Buffer.from(change(token), 'latin1'));
}

const nest = (token, { depth, open }) => open.repeat(depth) + token + (open === '[' ? ']' : '}').repeat(depth);
