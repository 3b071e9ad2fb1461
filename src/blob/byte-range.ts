/** A range of bytes with both ends included, as in RFC 9110 §14.1.2: `{ start: 0, end: 0 }` is the first byte. */
export interface ByteRange {
  start: number;
  end: number;
}

/** Returns the count unchanged; throws a plain Error if it cannot be an offset or a size. */
export function requireByteCount(count: number): number {
  if (!Number.isSafeInteger(count) || count < 0) throw new Error(`Not a count of bytes: ${count}`);
  return count;
}

/**
 * Cuts a range to the bytes that a blob of `sizeBytes` has. Throws a RangeError if nothing is left, or if `end` comes
 * before `start`.
 */
export function clipByteRange({ start, end }: ByteRange, sizeBytes: number): ByteRange {
  const isRange = Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0;
  if (!isRange || end < start || start >= sizeBytes) {
    throw new RangeError(`Bytes ${start} to ${end} are not a range of ${sizeBytes} bytes`);
  }
  return { start, end: Math.min(end, sizeBytes - 1) };
}
