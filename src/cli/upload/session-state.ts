import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { LocalFile } from './local-file.ts';

/** The unfinished upload sessions of this user, which survive the process: one small file for each. */
export interface SessionState {
  /** Returns the session of a file; null if there is none, or if the file has changed since. */
  find(file: LocalFile): string | null;
  save(file: LocalFile, uploadId: string): void;
  remove(file: LocalFile): void;
}

interface Saved {
  url: string;
  path: string;
  sizeBytes: number;
  modifiedMs: number;
  uploadId: string;
}

/**
 * Creates the state for a server, in `$XDG_STATE_HOME/trivium/uploads`. It holds ids of sessions, which are useless
 * without the credential that began them. Synchronous, since it is written when an upload begins, which must not be
 * interrupted before that.
 */
export function createSessionState(
  url: string,
  { XDG_STATE_HOME, HOME }: Readonly<Record<string, string | undefined>>,
): SessionState {
  const home = XDG_STATE_HOME || join(HOME || homedir(), '.local/state');
  const directory = join(home, 'trivium/uploads');
  let isBroken = false;
  const pathOf = (file: LocalFile) => {
    const key = createHash('sha256')
      .update(`${url}\n${realpathSync(file.path)}`)
      .digest('hex');
    return join(directory, `${key.slice(0, 32)}.json`);
  };
  return {
    find(file) {
      const saved = read(pathOf(file));
      const isSame = saved?.sizeBytes === file.sizeBytes && saved.modifiedMs === file.modifiedMs;
      return isSame ? saved.uploadId : null;
    },
    save(file, uploadId) {
      const { path, sizeBytes, modifiedMs } = file;
      try {
        mkdirSync(directory, { recursive: true, mode: 0o700 });
        write(pathOf(file), { url, path, sizeBytes, modifiedMs, uploadId });
      } catch (error) {
        if (!isBroken) console.error(`trivium: ${directory}: ${broken(error)}`);
        isBroken = true;
      }
    },
    remove(file) {
      try {
        rmSync(pathOf(file), { force: true });
      } catch {
        // A state that stays does no harm: a later run finds that its session is over.
      }
    },
  };
}

function broken(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `cannot be written, so an interrupted upload starts again from the beginning (${reason})`;
}

function read(path: string): Saved | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    // The state is missing or damaged. The upload starts again.
    return null;
  }
}

function write(path: string, saved: Saved): void {
  const next = `${path}.${process.pid}`;
  writeFileSync(next, `${JSON.stringify(saved)}\n`, { mode: 0o600 });
  renameSync(next, path);
}
