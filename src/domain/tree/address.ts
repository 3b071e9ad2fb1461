import { fewRandomBytes } from '../../lib/random.ts';
import { listTakenDirs, updateDirs } from '../../store/file/dir.ts';
import { isDirTaken, updateDir } from '../../store/file/file.ts';
import type { Context } from '../context.ts';

const DIR_ALPHABET = 'abcdefghijklmnopqrstuvwxyz012345';

/**
 * Returns eight characters that no other media item has as the first segment of its URLs: 40 random bits collide once
 * in a million at a million media.
 */
export async function newDir(ctx: Context): Promise<string> {
  const dir = randomDir();
  return (await isDirTaken(ctx.db, dir)) ? newDir(ctx) : dir;
}

function randomDir(): string {
  return Array.from(fewRandomBytes(8), (byte) => DIR_ALPHABET[byte % 32]).join('');
}

/** Gives all files of a media item new URLs. The old ones lead nowhere. Call it with the node locked. */
export async function changeAddress(ctx: Context, mediaId: number): Promise<void> {
  await updateDir(ctx.db, mediaId, await newDir(ctx));
}

/** Does the same for many media, with two statements. */
export async function changeAddresses(ctx: Context, mediaIds: readonly number[]): Promise<void> {
  if (mediaIds.length === 0) return;
  const dirs = await newDirs(ctx, mediaIds.length);
  await updateDirs(ctx.db, new Map(mediaIds.map((id, index) => [id, dirs[index] as string])));
}

async function newDirs(ctx: Context, count: number): Promise<string[]> {
  const dirs = new Set<string>();
  while (dirs.size < count) dirs.add(randomDir());
  const taken = await listTakenDirs(ctx.db, [...dirs]);
  return taken.length === 0 ? [...dirs] : newDirs(ctx, count);
}
