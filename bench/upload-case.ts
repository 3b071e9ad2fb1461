import {
  binaryPayload,
  jpegPayloads,
  MIB,
  type Payload,
  pdfPayload,
  splitPayload,
} from './payload.ts';
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
  /** Size of the limit's requests; absent: one request for the whole file. */
  chunkBytes?: number;
  ours: { name: string; send: Send };
  /**
   * Whether the files of a round stay until the end. Large ones are deleted, for the space they take. Many small ones
   * stay: ext4 searches past each recently deleted inode for a free one, 0.6 ms for a new file.
   */
  keepsFiles?: boolean;
}

/** U1 to U3, and U1 in one request and through SelfCommunity. */
export async function uploadCases(authorization: string): Promise<UploadCase[]> {
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
      title: 'U3  1,000 JPEGs of about 20 KiB, 16 at once, no jobs running',
      unit: 'files/s',
      payloads: await jpegPayloads(1000),
      concurrency: 16,
      keepsFiles: true,
      ...whole,
    },
  ];
}
