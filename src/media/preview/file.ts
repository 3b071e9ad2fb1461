import { readFile, stat } from 'node:fs/promises';
import { PreviewError } from './decoder.ts';

/** Returns the bytes of a file. Throws PreviewError if it is larger than `bytesMax`. */
export async function readBounded(path: string, bytesMax: number): Promise<Buffer> {
  const { size } = await stat(path);
  if (size <= bytesMax) return readFile(path);
  const mebibytes = Math.floor(bytesMax / 2 ** 20);
  throw new PreviewError(`The file is larger than ${mebibytes} MiB, and is not drawn.`);
}
