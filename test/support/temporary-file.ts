import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Returns the path of a file in `fixture/`. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`fixture/${name}`, import.meta.url));
}

/** Runs `work` with the path of a file with these bytes. The name of the file gives no hint of its type. */
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
