import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Path of a file in `fixture/`. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`fixture/${name}`, import.meta.url));
}

/** Lends `work` the path of a file with these bytes, under a name that says nothing. */
export async function withFile<T>(bytes: string | Uint8Array, work: (path: string) => Promise<T>) {
  const directory = await mkdtemp(join(tmpdir(), 'trivium-file-'));
  try {
    const path = join(directory, 'file');
    await writeFile(path, bytes);
    return await work(path);
  } finally {
    await rm(directory, { recursive: true });
  }
}
