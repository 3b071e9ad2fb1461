import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');

/** Directory of Node's compile cache for the program and its packages. Test runs may share it. */
export const COMPILE_CACHE = join(ROOT, 'node_modules/.cache/trivium-compiled');

/** Fills the cache if it is missing: a process that is killed, as most here are, writes nothing to it. */
export async function fillCompileCache(): Promise<void> {
  if (existsSync(COMPILE_CACHE)) return;
  const load = "await import('./src/start/command.ts'); await import('./src/start/app.ts')";
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', load], {
    cwd: ROOT,
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE },
  });
}
