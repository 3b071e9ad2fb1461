import SparkMD5 from 'spark-md5';
import { readBlob } from './blob.ts';

/** An MD5 digest that is computed piece by piece. */
export interface Md5 {
  append(bytes: Uint8Array): unknown;
  /** Returns the digest as 32 hex digits; nothing may be appended afterwards. */
  end(): string;
}

/** The MD5 of a blob, computed during its upload, so that the blob is read once. */
export interface BlobMd5 {
  /** Adds a piece. It may overlap the bytes added so far, which count once, but must not leave a gap. */
  add(offsetBytes: number, piece: Uint8Array): void;
  /** Reads and adds the missing bytes before this offset, which an earlier process sent. */
  readTo(endBytes: number): Promise<void>;
  /** Returns the MD5 of the whole blob. */
  end(): Promise<string>;
}

/** Creates an MD5 in JavaScript, because Web Crypto has none: about 100 MB/s. */
export function createSparkMd5(): Md5 {
  const md5 = new SparkMD5.ArrayBuffer();
  return {
    // `append` accepts a view and reads only that part, although its types demand an ArrayBuffer.
    append: (bytes) => md5.append(bytes as unknown as ArrayBuffer),
    end: () => md5.end(),
  };
}

/** Creates the MD5 of a blob. `readTo` and `end` throw what `readBlob` throws. */
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
