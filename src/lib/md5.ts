import { createMD5 } from 'hash-wasm';

/** An MD5 whose state can be saved between two chunks and loaded by another process. */
export interface ResumableMd5 {
  update(bytes: Uint8Array): void;
  /** Returns the state to continue from, about 156 bytes. It can hold a few bytes of the content: keep it private. */
  save(): Uint8Array;
  /** Ends the digest and returns it as 32 lower-case hex digits. */
  digest(): string;
}

/**
 * Starts an MD5, or continues from a saved state. Uses `hash-wasm`, because the state of `node:crypto` cannot leave the
 * process. Throws when an incompatible version of `hash-wasm` saved `state`.
 */
export async function createResumableMd5(state?: Uint8Array): Promise<ResumableMd5> {
  const hasher = await createMD5();
  if (state === undefined) hasher.init();
  else hasher.load(state);
  return {
    update: (bytes) => void hasher.update(bytes),
    save: () => hasher.save(),
    digest: () => hasher.digest('hex'),
  };
}
