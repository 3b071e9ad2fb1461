import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { findLocation } from '../../media/location/find-location.ts';
import { type Patch, patched } from '../../media/location/patch.ts';
import { sourceOf } from '../../media/location/window.ts';
import type { Context } from '../context.ts';
import { newBlobKey } from './blob-key.ts';
import { blobSource } from './blob-source.ts';
import { withPatches } from './location.ts';

/** A staged file, or one in memory (`content`), and its digests. */
interface StagedBytes {
  blobKey: string;
  content?: Buffer;
  sizeBytes: number;
  md5: string;
  sha256: string | null;
  mimeType: string;
}

/**
 * Returns a file without its location, or the same file if it has none. Stages the changed bytes under another key, because
 * an upload session keeps the bytes that its client sent until it ends. The caller deletes the copy. Leaves nothing behind
 * if it fails.
 */
export async function stripLocation<File extends StagedBytes>(
  ctx: Context,
  file: File,
): Promise<File> {
  const { content, mimeType } = file;
  const source = content === undefined ? blobSource(ctx.staging, file) : sourceOf(content);
  const patches = await findLocation(source, mimeType);
  if (patches.length === 0) return file;
  return content === undefined
    ? { ...file, ...(await stageAgain(ctx, file, patches)) }
    : { ...file, ...inMemory(content, patches) };
}

function inMemory(bytes: Buffer, patches: readonly Patch[]) {
  const content = patched(bytes, patches);
  const digest = (name: string) => createHash(name).update(content).digest('hex');
  return { content, md5: digest('md5'), sha256: digest('sha256') };
}

async function stageAgain(
  { staging }: Context,
  { blobKey, sizeBytes }: StagedBytes,
  patches: readonly Patch[],
) {
  const copyKey = newBlobKey();
  const digests = { md5: createHash('md5'), sha256: createHash('sha256') };
  const source = withPatches(await staging.read(blobKey), 0, patches) as Readable;
  async function* hashed() {
    for await (const piece of source) {
      digests.md5.update(piece);
      digests.sha256.update(piece);
      yield piece;
    }
  }
  try {
    await staging.append(copyKey, 0, hashed(), { totalBytesMax: sizeBytes });
  } catch (error) {
    source.destroy();
    await staging.discard(copyKey);
    throw error;
  }
  const [md5, sha256] = [digests.md5.digest('hex'), digests.sha256.digest('hex')];
  return { blobKey: copyKey, md5, sha256 };
}
