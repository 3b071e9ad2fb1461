import { fewRandomBytes } from '../../lib/random.ts';
import { isDirTaken, updateDir } from '../../store/file/file.ts';
import type { Context } from '../context.ts';

const DIR_ALPHABET = 'abcdefghijklmnopqrstuvwxyz012345';

/**
 * Returns eight characters that no other media item has as the first segment of its URLs: 40 random bits collide once
 * in a million at a million media.
 */
export async function newDir(ctx: Context): Promise<string> {
  const dir = Array.from(fewRandomBytes(8), (byte) => DIR_ALPHABET[byte % 32]).join('');
  return (await isDirTaken(ctx.db, dir)) ? newDir(ctx) : dir;
}

/** Gives all files of a media item new URLs. The old ones lead nowhere. Call it with the node locked. */
export async function changeAddress(ctx: Context, mediaId: number): Promise<void> {
  await updateDir(ctx.db, mediaId, await newDir(ctx));
}
