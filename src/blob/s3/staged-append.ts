import { blobNameOf } from './blob-name.ts';
import { createPartWriter } from './part-writer.ts';
import type { StagingBucket } from './staged-object.ts';
import type { StagedBytes, StagedState } from './staged-rows.ts';

/** Bytes to append. */
export interface PartAppend {
  /** Number of bytes that the caller has acknowledged. */
  offsetBytes: number;
  source: AsyncIterable<Uint8Array>;
  /** Throws if the caller may not write any more. */
  check: () => void;
  /** The state of the staged bytes once these are. */
  state: StagedState;
}

/**
 * Appends to staged bytes: sends each part that becomes full, and writes the rest to rows, with the new size, in one
 * transaction at the end. Nothing before it counts: after a death, the client goes on from the offset that it knows, and the
 * parts are sent again. Returns the number of bytes.
 */
export async function appendParts(
  { client, rows, files }: StagingBucket,
  before: StagedBytes,
  { offsetBytes, source, check, state }: PartAppend,
): Promise<number> {
  const { key, partBytes } = before;
  const name = blobNameOf(key);
  let staged = before;
  const writer = createPartWriter({
    offsetBytes,
    partBytes,
    files,
    readBefore: (start) => rows.read(key, { start, end: offsetBytes - 1 }),
    async putPart(number, body) {
      check();
      // Noted before the first part, so that the row protects the upload from the sweep.
      if (staged.multipartId === null) {
        staged = await rows.save(staged, { multipartId: await client.createUpload(name) });
      }
      const upload = { name, uploadId: staged.multipartId ?? '' };
      const etag = await client.uploadPart(upload, number, body);
      staged = await rows.save(staged, { part: { number, etag, sizeBytes: partBytes } });
    },
  });
  try {
    for await (const piece of source) await writer.write(piece);
    await writer.sent();
    check();
    await rows.save(staged, {
      state,
      sizeBytes: writer.endBytes(),
      cutAt: offsetBytes,
      // The caller has acknowledged all bytes before the offset, so the parts before it will not be sent again.
      keptFrom: offsetBytes - (offsetBytes % partBytes),
      pieces: await writer.rest(),
    });
    return writer.endBytes() - offsetBytes;
  } finally {
    await writer.close();
  }
}
