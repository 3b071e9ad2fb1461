import { urlFilename } from '../../lib/filename.ts';

/**
 * The last segment of the URL of a file: what `urlFilename` makes of its key, or of its name if it is the
 * original; with a number where another file of the same media has that. No name of a file comes with two
 * hyphens, so that a number is not taken for one.
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

/** As `urlFilename` has it. */
const URL_NAME_LENGTH_MAX = 100;
