import SparkMD5 from 'spark-md5';
import { readBlob } from './blob.ts';

/** An MD5 that takes its bytes in pieces. */
export interface Md5 {
  append(bytes: Uint8Array): unknown;
  /** 32 hex digits; nothing may be appended afterwards. */
  end(): string;
}

/** The MD5 of a blob, computed along with its upload, so that the blob need not be read twice. */
export interface BlobMd5 {
  /** Takes a piece that was read, which begins no later than what it has seen; nothing counts twice. */
  add(offsetBytes: number, piece: Uint8Array): void;
  /** Reads up to there what it has not yet seen: what an earlier process has sent. */
  readTo(endBytes: number): Promise<void>;
  /** Of the whole blob. */
  end(): Promise<string>;
}

/** In JavaScript, as Web Crypto has no MD5: about 100 MB/s. */
export function createSparkMd5(): Md5 {
  const md5 = new SparkMD5.ArrayBuffer();
  return {
    // It takes a view too, and then looks at no more than that; its types do not say so.
    append: (bytes) => md5.append(bytes as unknown as ArrayBuffer),
    end: () => md5.end(),
  };
}

/** `readTo` and `end` throw what `readBlob` does. */
export function createBlobMd5(blob: Blob, md5: Md5, signal?: AbortSignal): BlobMd5 {
  let seenBytes = 0;
  let digest: string | null = null;
  const add = (offsetBytes: number, piece: Uint8Array) => {
    const unseen = piece.subarray(seenBytes - offsetBytes);
    md5.append(unseen);
    seenBytes += unseen.length;
  };
  const readTo = async (endBytes: number) => {
    if (seenBytes < endBytes) await readBlob(blob, seenBytes, endBytes, add, signal);
  };
  return {
    add,
    readTo,
    async end() {
      await readTo(blob.size);
      digest ??= md5.end();
      return digest;
    },
  };
}
