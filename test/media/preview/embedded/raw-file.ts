/** A JPEG or other data in a raw file, and the tags with which a directory refers to it. */
interface RawPart {
  bytes: Buffer;
  /** `jpeg`: with the tags of a thumbnail; `strip`: with those of an image, whose compression is JPEG. */
  as: 'jpeg' | 'strip' | 'panasonic';
}

/** A directory of a raw file. */
interface RawDirectory {
  parts: readonly RawPart[];
  orientation?: number;
  /** Directories within. */
  inner?: readonly RawDirectory[];
}

const HEADER_BYTES = 8;

/**
 * Returns a file laid out as cameras do: a TIFF whose directories follow each other, or lie within each other, and refer
 * to the images behind them.
 */
export function rawFile(directories: readonly RawDirectory[], magic = 'II*\0'): Buffer {
  const pieces: Buffer[] = [Buffer.concat([Buffer.from(magic, 'latin1'), Buffer.alloc(4)])];
  let length = HEADER_BYTES;
  const append = (bytes: Buffer): number => {
    pieces.push(bytes);
    length += bytes.length;
    return length - bytes.length;
  };
  const write = ({ parts, orientation, inner = [] }: RawDirectory, next: number): number => {
    const entries: [tag: number, type: number, count: number, value: number][] = [];
    for (const { bytes, as } of parts) {
      const at = append(bytes);
      if (as === 'jpeg') entries.push([513, 4, 1, at], [514, 4, 1, bytes.length]);
      if (as === 'panasonic') entries.push([0x2e, 7, bytes.length, at]);
      if (as === 'strip') {
        entries.push([259, 3, 1, 7], [273, 4, 1, at], [279, 4, 1, bytes.length]);
      }
    }
    if (orientation !== undefined) entries.push([274, 3, 1, orientation]);
    const [within] = inner.map((directory) => write(directory, 0));
    if (within !== undefined) entries.push([330, 4, 1, within]);
    return append(directoryOf(entries, next));
  };
  // From the last to the first, since each one names the next.
  let next = 0;
  for (const directory of directories.toReversed()) next = write(directory, next);
  pieces[0]?.writeUInt32LE(next, 4);
  return Buffer.concat(pieces);
}

function directoryOf(entries: readonly (readonly number[])[], next: number): Buffer {
  const bytes = Buffer.alloc(2 + 12 * entries.length + 4);
  bytes.writeUInt16LE(entries.length, 0);
  for (const [index, [tag = 0, type = 0, count = 0, value = 0]] of entries.entries()) {
    const at = 2 + 12 * index;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(type, at + 2);
    bytes.writeUInt32LE(count, at + 4);
    bytes.writeUInt32LE(value, at + 8);
  }
  bytes.writeUInt32LE(next, bytes.length - 4);
  return bytes;
}

/** Returns a box of an ISO base media file. */
export function box(type: string, ...content: Buffer[]): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + content.reduce((sum, { length }) => sum + length, 0));
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, ...content]);
}

/** Returns a file as Canon's cameras write since 2018, with a preview and its orientation. */
export function canonRaw(jpeg: Buffer, orientation: number): Buffer {
  const metadata = rawFile([{ parts: [], orientation }]);
  const head = Buffer.alloc(16);
  head.writeUInt32BE(jpeg.length, 12);
  return Buffer.concat([
    box('ftyp', Buffer.from('crx \0\0\0\x01crx isom', 'latin1')),
    box(
      'moov',
      box('uuid', Buffer.from('85c0b687820f11e08111f4ce462b6a48', 'hex'), box('CMT1', metadata)),
    ),
    box(
      'uuid',
      Buffer.from('eaf42b5e1c984b88b9fbb7dc406e4d16', 'hex'),
      Buffer.alloc(8),
      box('PRVW', head, jpeg),
    ),
    box('mdat', Buffer.alloc(64)),
  ]);
}

/** Returns a file as Fujifilm's cameras write. */
export function fujifilmRaw(jpeg: Buffer): Buffer {
  const head = Buffer.alloc(160);
  head.write('FUJIFILMCCD-RAW 0201FF389501X-T3');
  head.writeUInt32BE(head.length, 84);
  head.writeUInt32BE(jpeg.length, 88);
  return Buffer.concat([head, jpeg, Buffer.alloc(64)]);
}
