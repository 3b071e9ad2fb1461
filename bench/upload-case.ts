import { binaryPayload, MIB, type Payload, pdfPayload, splitPayload } from './payload.ts';
import { sendChunks, sendWhole } from './sender/graphql.ts';
import { CHUNK_BYTES, sendAsSelfCommunity } from './sender/selfcommunity.ts';
import type { Send } from './sender/sender.ts';
import type { Unit } from './transfer.ts';

export interface UploadCase {
  title: string;
  unit: Unit;
  payloads: readonly Payload[];
  /** Uploads at once. */
  concurrency: number;
  /** Of the limit's requests; without: a file is one request. */
  chunkBytes?: number;
  ours: { name: string; send: Send };
  /**
   * Whether the files of a round stay. Big ones go, for the space they take. Many go only at the end: ext4
   * passes over each inode that was deleted in the last minutes to find a free one, 0.6 ms for a new file.
   */
  keepsFiles?: boolean;
}

/** U1 to U3 of PERFORMANCE.md, and U1 on the roads that it does not name. */
export function uploadCases(authorization: string): UploadCase[] {
  const big = binaryPayload(256 * MIB);
  const one = { unit: 'MB/s' as const, payloads: [big], concurrency: 1 };
  const whole = { ours: { name: 'Trivium uploadFile', send: sendWhole(authorization) } };
  const chunked = (chunkBytes: number) => {
    const send = sendChunks(authorization, chunkBytes);
    return { chunkBytes, ours: { name: 'Trivium uploadChunk, completeUpload', send } };
  };
  return [
    { title: 'U1  256 MiB in 5 MiB chunks', ...one, ...chunked(5 * MIB) },
    { title: 'U1  256 MiB in one request', ...one, ...whole },
    {
      title: 'U1  40 MiB in chunks of 204,800 bytes',
      ...one,
      payloads: [pdfPayload(40 * MIB)],
      chunkBytes: CHUNK_BYTES,
      ours: { name: 'Trivium SelfCommunity', send: sendAsSelfCommunity(authorization) },
    },
    {
      title: 'U2  8 × 32 MiB at once in 1 MiB chunks',
      unit: 'MB/s',
      payloads: splitPayload(big, 32 * MIB, 8),
      concurrency: 8,
      ...chunked(MIB),
    },
    {
      title: 'U3  1,000 files of 20 KiB, 16 at once',
      unit: 'files/s',
      payloads: splitPayload(big, 20 * 1024, 1000),
      concurrency: 16,
      keepsFiles: true,
      ...whole,
    },
  ];
}
