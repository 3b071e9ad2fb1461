import { access, constants } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import type { Availability } from './decoder.ts';

const require = createRequire(import.meta.url);

/** Finds out whether a package is installed, without loading it. `specifier`: as in an import. */
export function packageAvailability(specifier: string): Availability {
  try {
    require.resolve(specifier);
    return { isAvailable: true };
  } catch {
    const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
    return { isAvailable: false, reason: `The package ${name} is not installed.` };
  }
}

/** Loads a CommonJS package. */
export function loadPackage(specifier: string): unknown {
  return require(specifier);
}

/** Finds a program. `searchPath`: directories, as in `PATH`. Returns its path; null if it is in none of them. */
export async function findProgram(name: string, searchPath: string): Promise<string | null> {
  for (const directory of searchPath.split(delimiter)) {
    const path = join(directory, name);
    const isFound = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (directory !== '' && isFound) return path;
  }
  return null;
}
