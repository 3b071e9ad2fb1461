import { cleanFilename, fileExtension, withoutDevice } from '../../lib/filename.ts';

/** Creates the paths of an archive: each is unique, and safe to unpack on every system. */
export interface ArchivePaths {
  /** Returns the path of a directory in another one, which is empty for the top. */
  directory(parent: string, name: string): string;
  /** Returns the path of a file in a directory. */
  file(directory: string, name: string): string;
}

/** Maximum length of a name on common file systems, in bytes. */
const NAME_BYTES_MAX = 255;

/**
 * Creates the paths of one archive. Names are in NFC, without what a system forbids in them or gives a meaning. Of two names
 * that differ at most in case, which some systems ignore, the second one gets a number: `a (2).png`.
 */
export function createArchivePaths(): ArchivePaths {
  const taken = new Set<string>();
  // The last number of each name: many files may have the same name.
  const numbers = new Map<string, number>();
  const unique = (parent: string, name: string): string => {
    const base = parent + name;
    for (let number = numbers.get(keyOf(base)) ?? 1; ; number++) {
      const path = parent + (number === 1 ? name : numbered(name, number));
      if (taken.has(keyOf(path))) continue;
      taken.add(keyOf(path));
      numbers.set(keyOf(base), number + 1);
      return path;
    }
  };
  return {
    directory: (parent, name) => `${unique(parent, safeName(name) || 'folder')}/`,
    file: (directory, name) => unique(directory, safeName(name) || 'file'),
  };
}

function keyOf(path: string): string {
  return path.toLowerCase();
}

/** Returns a name without separators, control characters, and dots and spaces at its end; it may be empty. */
function safeName(raw: string): string {
  const name = withoutDevice(cleanFilename(raw.replace(/[<>:"/\\|?*]/g, '_')));
  return fitting(name, '');
}

/** Returns a name with a number before its extension. */
function numbered(name: string, number: number): string {
  return fitting(name, ` (${number})`);
}

/** Returns a name with a suffix before its extension, cut to what file systems take. */
function fitting(name: string, suffix: string): string {
  const extension = fileExtension(name) ?? '';
  const end = extension === '' ? '' : name.slice(-extension.length - 1);
  const stem = [...name.slice(0, name.length - end.length)];
  const toName = () => stem.join('') + suffix + end;
  while (stem.length > 1 && Buffer.byteLength(toName()) > NAME_BYTES_MAX) stem.pop();
  return toName();
}
