import { blobNameOf } from './blob-name.ts';
import type { S3Client } from './client.ts';
import { isS3Error } from './error.ts';
import type { S3Part } from './multipart.ts';
import { openPartFile, type PartFiles } from './part-file.ts';
import type { StagedBytes, StagedRows } from './staged-rows.ts';

/** What turns staged parts into an object. */
export interface SealParts {
  client: S3Client;
  rows: StagedRows;
  files: PartFiles;
}

/**
 * Makes the parts of staged bytes an object of exactly their size, with what is too short for a part as its last part.
 * Returns the row, which is sealed then. May be repeated after a death at any point: an upload that is gone is one that was
 * completed, if the object has the right size. Throws an Error, and changes nothing, if the parts do not add up.
 */
export async function sealParts(parts: SealParts, staged: StagedBytes): Promise<StagedBytes> {
  const { client, rows } = parts;
  const name = blobNameOf(staged.key);
  let open = staged;
  if (staged.state === 'reopened') {
    // Noted before the completion: a repetition must not delete the new object.
    await client.delete([name]);
    open = await rows.save(staged, { state: 'open' });
  }
  const upload = { name, uploadId: open.multipartId ?? '' };
  try {
    await client.completeUpload(upload, await allParts(parts, open, upload));
  } catch (error) {
    if (!isS3Error(error, 'NoSuchUpload')) throw error;
    if ((await client.head(name))?.sizeBytes !== open.sizeBytes) throw error;
  }
  return rows.save(open, { state: 'sealed', multipartId: null, cutAt: 0, dropsParts: true });
}

async function allParts(
  { client, rows, files }: SealParts,
  { key, sizeBytes, partBytes }: StagedBytes,
  upload: { name: string; uploadId: string },
): Promise<S3Part[]> {
  const fullCount = Math.floor(sizeBytes / partBytes);
  // A failed append may have noted parts that reach past the staged bytes.
  const full = (await rows.parts(key)).filter(({ number }) => number <= fullCount);
  const isWhole = full.every(
    (part, index) => part.number === index + 1 && part.sizeBytes === partBytes,
  );
  if (full.length !== fullCount || !isWhole) {
    throw new Error(`The parts of ${key} do not add up to ${sizeBytes} bytes`);
  }
  const restBytes = sizeBytes - fullCount * partBytes;
  if (restBytes === 0) return full;
  const file = await openPartFile(files);
  try {
    const range = { start: fullCount * partBytes, end: sizeBytes - 1 };
    const countBytes = await file.write(0, rows.read(key, range));
    if (countBytes !== restBytes)
      throw new Error(`Only ${countBytes} of ${restBytes} bytes are staged`);
    const number = fullCount + 1;
    const etag = await client.uploadPart(upload, number, await file.toBody(restBytes));
    return [...full, { number, etag, sizeBytes: restBytes }];
  } finally {
    file.close();
  }
}

/** Aborts all multipart uploads of a name. */
export async function abortUploads(client: S3Client, name: string): Promise<void> {
  for await (const upload of client.listUploads(name)) {
    if (upload.name === name) await client.abortUpload(upload);
  }
}
