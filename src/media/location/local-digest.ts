import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ByteSource } from '../file/details.ts';
import { sniffFile } from '../sniff.ts';
import { findLocation, mayHaveLocation } from './find-location.ts';
import { applyPatches } from './patch.ts';

/**
 * Returns the MD5, as 32 hex digits, that a local file has without its location; null if it has none. A server of another
 * version may remove other bytes.
 */
export async function md5WithoutLocation(path: string): Promise<string | null> {
  const { mimeType } = await sniffFile(path, { filename: path });
  if (!mayHaveLocation(mimeType)) return null;
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    const source: ByteSource = {
      sizeBytes: size,
      read: async (position, lengthBytes) => {
        const bytes = new Uint8Array(lengthBytes);
        const { bytesRead } = await handle.read(bytes, 0, lengthBytes, position);
        return bytes.subarray(0, bytesRead);
      },
    };
    const patches = await findLocation(source, mimeType);
    if (patches.length === 0) return null;
    const hash = createHash('md5');
    let at = 0;
    for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20 })) {
      applyPatches(piece, at, patches);
      hash.update(piece);
      at += piece.length;
    }
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
}
