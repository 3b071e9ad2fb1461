import type { ByteSource } from '../../file/details.ts';
import type { OpenSource } from '../../source.ts';
import { readAt } from '../raster/read.ts';

/** Maximum size of one read, enough for a large cover: a tag may claim to be as long as the file. */
const READ_BYTES_MAX = 32 * 1024 * 1024;

/** Returns the cover of a sound: that of the front if there are several; undefined if there is none. */
export async function readCover(source: OpenSource): Promise<Uint8Array | undefined> {
  const { readCoverImage } = await import('../../file/audio.ts');
  const bounded: ByteSource = {
    sizeBytes: source.sizeBytes,
    async read(position, lengthBytes) {
      const length = Math.min(lengthBytes, source.sizeBytes - position);
      if (length > READ_BYTES_MAX) throw new Error('The tags of the sound are too long.');
      return new Uint8Array(await readAt(source, position, length));
    },
  };
  return readCoverImage(bounded);
}
