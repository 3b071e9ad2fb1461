/** Where a chunk lies in its file: first byte, and how many. */
export interface ContentRange {
  startBytes: number;
  sizeBytes: number;
  totalBytes: number;
}

/**
 * Contract §1: `bytes {start}-{end}/{total}`, the end included. Null for anything else, and for a range
 * that is empty or goes past the total.
 */
export function parseContentRange(header: string): ContentRange | null {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header);
  if (match === null) return null;
  const [start = 0, end = 0, total = 0] = match.slice(1).map(toSafeInteger);
  if (end < start || end >= total) return null;
  return { startBytes: start, sizeBytes: end - start + 1, totalBytes: total };
}

/** More digits than a number holds exactly are more than any limit allows, too. */
function toSafeInteger(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}
