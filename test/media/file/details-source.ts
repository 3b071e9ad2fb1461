import {
  type ByteSource,
  detailsKindOf,
  type FileDetails,
} from '../../../src/media/file/details.ts';
import { readFileDetails } from '../../../src/media/file/read-details.ts';
import { sniffFile } from '../../../src/media/sniff.ts';
import { fixtureBytes } from '../../support/bytes.ts';

/** Returns a source of these bytes, and how much of it has been read. */
export function watchedSource(bytes: Uint8Array) {
  const read = { times: 0, bytes: 0 };
  const source: ByteSource = {
    sizeBytes: bytes.length,
    async read(position, lengthBytes) {
      const piece = new Uint8Array(bytes.subarray(position, position + lengthBytes));
      read.times++;
      read.bytes += piece.length;
      return piece;
    },
  };
  return { source, read };
}

/** Returns the details of a fixture, or of the given bytes under its name. */
export async function detailsOf(name: string, bytes = fixtureBytes(name)): Promise<FileDetails> {
  const { mimeType } = await sniffFile(bytes, { filename: name });
  const kind = detailsKindOf(mimeType);
  if (kind === null) throw new Error(`Nothing is read of ${mimeType}.`);
  return readFileDetails(watchedSource(bytes).source, kind);
}
