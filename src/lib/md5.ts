import { createMD5 } from 'hash-wasm';

/** An MD5 that can be put away between two chunks and taken up by another process. */
export interface ResumableMd5 {
  update(bytes: Uint8Array): void;
  /** State to continue from, about 156 bytes. It can hold a few bytes of the content: keep it private. */
  save(): Uint8Array;
  /** 32 lower-case hex digits. Ends the digest. */
  digest(): string;
}

/**
 * Starts an MD5, or takes up a saved one. `hash-wasm` and not `node:crypto`, whose state cannot leave
 * the process. Throws when `state` was saved by an incompatible version of `hash-wasm`.
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
