import { crc32, inflateRawSync } from 'node:zlib';

/** An entry of a ZIP archive. */
export interface ZipEntry {
  path: string;
  isStored: boolean;
  /** Whether the path is declared to be UTF-8. */
  isUtf8: boolean;
  bytes: Buffer;
}

/** Returns the entries of an archive, in the order of its directory. Throws if anything does not agree with it. */
export function readZip(zip: Buffer): ZipEntry[] {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06'));
  if (end === -1) throw new Error('The archive has no end.');
  const count = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  const entries = Array.from({ length: count }, () => {
    const [nameLength, extraLength] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30)];
    const entry = readEntry(zip, at, nameLength);
    at += 46 + nameLength + extraLength + zip.readUInt16LE(at + 32);
    return entry;
  });
  if (at !== end) throw new Error('The directory has another size.');
  return entries;
}

function readEntry(zip: Buffer, at: number, nameLength: number): ZipEntry {
  const [method, flags] = [zip.readUInt16LE(at + 10), zip.readUInt16LE(at + 8)];
  const path = zip.toString('utf8', at + 46, at + 46 + nameLength);
  const header = zip.readUInt32LE(at + 42);
  const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
  if (zip.toString('utf8', header + 30, header + 30 + nameLength) !== path) {
    throw new Error(`${path} has another name in its header.`);
  }
  const packed = zip.subarray(start, start + zip.readUInt32LE(at + 20));
  const bytes = method === 0 ? packed : inflateRawSync(packed);
  if (bytes.length !== zip.readUInt32LE(at + 24) || crc32(bytes) !== zip.readUInt32LE(at + 16)) {
    throw new Error(`${path} is broken.`);
  }
  return { path, isStored: method === 0, isUtf8: (flags & 0x800) !== 0, bytes };
}
