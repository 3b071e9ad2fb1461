import { cleanFilename, withoutDevice } from '../../lib/filename.ts';

/** Chooses the names of the files in one local directory. */
export interface LocalNames {
  /** Returns a name that no other node of the directory has; `id` tells nodes with one name apart. */
  choose(name: string, id: number): string;
}

/** Creates the names of a directory. Names that differ in case only are one name on some systems. */
export function createLocalNames(): LocalNames {
  const taken = new Set<string>();
  return {
    choose(rawName, id) {
      const name = toLocalName(rawName);
      const free = taken.has(fold(name)) ? withNumber(name, id) : name;
      taken.add(fold(free));
      return free;
    },
  };
}

/**
 * Returns a name as a file of it can be called on every system: never a path, `.` or `..`, at most 255 bytes, and without
 * characters that mean something to a system. Never empty.
 */
export function toLocalName(name: string): string {
  const safe = cleanFilename(name.replace(/[\p{Cc}/\\<>:"|?*]/gu, '_'));
  return safe === '' ? '_' : withoutDevice(safe);
}

/** `photo.jpg` becomes `photo (17).jpg`. */
function withNumber(name: string, id: number): string {
  const dot = name.lastIndexOf('.');
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  return cleanFilename(`${stem} (${id})${extension}`);
}

function fold(name: string): string {
  return name.toLowerCase();
}
