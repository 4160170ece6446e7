import { crc32, deflateRawSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { listZip, unpackMember } from './zip-archive.js';

const content = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) >> 7);

const unpackAll = (archive: Uint8Array) =>
  listZip(archive, 'a.npz').map((member) => [
    member.name,
    Buffer.from(unpackMember(archive, member, `${member.name} of a.npz`)).toString('hex'),
  ]);

const hex = Buffer.from(content).toString('hex');

/** An archive of one member with its directory's fields changed: [offset in the entry, bytes, value]. */
function change(level: 0 | 6, ...changes: readonly [number, 2 | 4, number][]): Uint8Array {
  const archive = zipSync({ 'x.npy': content }, { level });
  const view = new DataView(archive.buffer, archive.byteOffset);
  const entry = view.getUint32(archive.length - 6, true);
  for (const [offset, size, value] of changes) {
    if (size === 2) view.setUint16(entry + offset, value, true);
    else view.setUint32(entry + offset, value, true);
  }
  return archive;
}

describe('a zip archive', () => {
  it.each([0, 6] as const)('gives its members byte for byte: level %i', (level) => {
    const archive = zipSync({ 'x.npy': content, 'empty.npy': new Uint8Array(0), 'щ.npy': content }, { level });
    expect(unpackAll(archive)).toEqual([
      ['x.npy', hex],
      ['empty.npy', ''],
      ['щ.npy', hex],
    ]);
  });

  it('may have a comment at its end, which looks like an end itself', () => {
    const archive = zipSync({ 'x.npy': content });
    const comment = Buffer.from('PK\x05\x06 a comment that begins as the end does, and goes on', 'latin1');
    const long = Buffer.concat([archive, comment]);
    long.writeUInt16LE(comment.length, archive.length - 2);
    expect(unpackAll(long)).toEqual([['x.npy', hex]]);
  });

  it('may say its sizes in 64 bits', () => {
    const packed = deflateRawSync(content);
    const name = Buffer.from('x.npy');
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46 + 28);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(8, 10);
    entry.writeUInt32LE(crc32(content), 16);
    for (const at of [20, 24, 42]) entry.writeUInt32LE(0xffffffff, at);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt16LE(28, 30);
    const extra = entry.subarray(46);
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(24, 2);
    extra.writeBigUInt64LE(BigInt(content.length), 4);
    extra.writeBigUInt64LE(BigInt(packed.length), 12);
    extra.writeBigUInt64LE(0n, 20);
    const directory = [entry.subarray(0, 46), name, extra];
    const before = [local, name, packed];
    const at = Buffer.concat(before).length;
    const end64 = Buffer.alloc(56);
    end64.writeUInt32LE(0x06064b50, 0);
    end64.writeBigUInt64LE(1n, 32);
    end64.writeBigUInt64LE(BigInt(at), 48);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50, 0);
    locator.writeBigUInt64LE(BigInt(at + 46 + name.length + 28), 8);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(0xffff, 10);
    end.writeUInt32LE(0xffffffff, 16);
    const archive = Buffer.concat([...before, ...directory, end64, locator, end]);
    expect(unpackAll(archive)).toEqual([['x.npy', hex]]);
  });

  const [CRC, PACKED, SIZE, METHOD, FLAGS, AT] = [16, 20, 24, 10, 8, 42];

  it.each<[string, Uint8Array, string]>([
    ['another CRC, stored', change(0, [CRC, 4, 1]), 'x.npy of a.npz does not have the CRC-32 that the directory says.'],
    ['another CRC, packed', change(6, [CRC, 4, 1]), 'x.npy of a.npz does not have the CRC-32 that the directory says.'],
    ['a size too large', change(6, [SIZE, 4, 5001]), 'x.npy of a.npz has 5000 bytes, the directory says 5001.'],
    [
      'a size too small',
      change(6, [SIZE, 4, 100]),
      'x.npy of a.npz holds more than the 100 bytes that the directory says.',
    ],
    [
      'two sizes of what is stored',
      change(0, [SIZE, 4, 4999]),
      'x.npy of a.npz has 5000 bytes, the directory says 4999.',
    ],
    [
      'a size that cannot come out',
      change(6, [SIZE, 4, 0xfffffff0]),
      'x.npy of a.npz claims 4,294,967,280 bytes from ',
    ],
    ['a place that is none', change(0, [AT, 4, 20]), 'x.npy of a.npz is not where the directory says.'],
    ['more than the file has', change(0, [PACKED, 4, 1 << 20]), 'x.npy of a.npz is not where the directory says.'],
    ['another way to pack', change(0, [METHOD, 2, 12]), 'x.npy of a.npz is packed by method 12. Save it again'],
    ['a password', change(0, [FLAGS, 2, 1]), 'x.npy of a.npz is encrypted. Save it without a password.'],
  ])('is not believed: %s', (_, archive, text) => {
    expect(() => unpackAll(archive)).toThrow(
      expect.objectContaining({ code: 'LOCKSTEP_DATA_NPZ', text: expect.stringContaining(text) }),
    );
  });

  it('names the member whose bytes were changed', () => {
    const archive = zipSync({ 'x.npy': content, 'y.npy': content }, { level: 0 });
    const place = (listZip(archive, 'a.npz')[1]?.at as number) + 4000;
    archive[place] = (archive[place] as number) ^ 4;
    expect(() => unpackAll(archive)).toThrow('y.npy of a.npz does not have the CRC-32');
  });

  it.each([0, 6] as const)('issue 25: with a flipped bit anywhere gives the same bytes or none: level %i', (level) => {
    const members = { 'x.npy': content.subarray(0, 40), 'y.npy': content.subarray(40, 100) };
    const archive = zipSync(members, { level });
    const whole = Object.values(members).map((bytes) => Buffer.from(bytes).toString('hex'));
    const refused = { data: 0, directory: 0 };
    const directory = new DataView(archive.buffer, archive.byteOffset).getUint32(archive.length - 6, true);
    for (let bit = 0; bit < 8 * archive.length; bit++) {
      const flipped = archive.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      try {
        for (const [, hex] of unpackAll(flipped)) expect(whole).toContain(hex);
      } catch (error) {
        expect(error).toMatchObject({ code: 'LOCKSTEP_DATA_NPZ' });
        refused[bit >> 3 < directory ? 'data' : 'directory']++;
      }
    }
    // what is left are times, flags of systems, and names
    expect(refused.data).toBeGreaterThan(8 * (directory - 2 * 30 - 10));
    expect(refused.directory).toBeGreaterThan(300);
  });

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['four bytes', Uint8Array.of(1, 2, 3, 4)],
    ['one that was cut', zipSync({ 'x.npy': content }).subarray(0, 3000)],
  ])('is none: %s', (_, archive) => {
    expect(() => listZip(archive, 'a.npz')).toThrow(
      'a.npz is not a zip archive that can be unpacked: it has no directory at its end. Save it again with numpy.savez.',
    );
  });

  it('has no member twice', () => {
    const archive = Buffer.from(zipSync({ 'x.npy': content, 'y.npy': content }));
    archive[archive.lastIndexOf('y.npy')] = 'x'.charCodeAt(0);
    expect(() => listZip(archive, 'a.npz')).toThrow('it has two members x.npy');
  });
});
