import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The compile cache of the program, unless another one is in use. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/trivium-compiled', import.meta.url));

/**
 * Returns the environment of threads and processes. Without the cache, each would load a compiler of 20 MiB to strip the
 * types of its files. Only someone who may change the program may write to the cache. Everything works without it.
 */
export function childEnvironment(): Record<string, string> {
  const directory = getCompileCacheDir();
  // Node has added its version to the name.
  return { NODE_COMPILE_CACHE: directory === undefined ? CACHE : dirname(directory) };
}
