const MIB = 2 ** 20;

/** Smallest part of this server. A blob of up to this size is stored by one request. */
export const PART_BYTES_MIN = 8 * MIB;

/** S3 takes 10,000 parts. */
const PARTS_MAX = 9000;

/** Returns the size of all parts but the last, in whole MiB: R2 demands equal parts. */
export function partBytesFor(sizeBytes: number): number {
  return Math.max(PART_BYTES_MIN, Math.ceil(sizeBytes / PARTS_MAX / MIB) * MIB);
}
