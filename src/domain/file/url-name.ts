import { urlFilename } from '../../lib/filename.ts';

/**
 * Returns the last segment of a file's URL: `urlFilename` of its key, or of its name if it is the original, with a
 * number appended if it is taken in the same media item: by another file, or because it still leads to the original. `urlFilename` never returns two hyphens in a
 * row, so a number cannot be mistaken for part of a name.
 */
export function freeUrlName(name: string, taken: readonly string[]): string {
  const wanted = urlFilename(name);
  const [, stem = '', extension = ''] = /^(.+?)(\.[^.]+)?$/.exec(wanted) ?? [];
  let free = wanted;
  for (let number = 2; taken.includes(free); number++) {
    const suffix = `--${number}${extension}`;
    free = stem.slice(0, URL_NAME_LENGTH_MAX - suffix.length) + suffix;
  }
  return free;
}

/** The limit of `urlFilename`. */
const URL_NAME_LENGTH_MAX = 100;
