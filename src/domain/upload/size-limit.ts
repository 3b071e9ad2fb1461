import type { Sniffed } from '../../media/sniff.ts';
import type { Settings } from '../context.ts';
import { type SizeLimit, TooLargeError } from '../error.ts';

/** Throws TooLargeError if a size exceeds the lowest of the limits. */
export function checkSize(sizeBytes: number, ...limits: readonly SizeLimit[]): void {
  const lowest = lowestOf(limits);
  if (sizeBytes > lowest.bytes) throw new TooLargeError(lowest);
}

/** Returns the lowest of some limits: of equal ones, the first. */
export function lowestOf(limits: readonly SizeLimit[]): SizeLimit {
  return limits.reduce((lowest, limit) => (limit.bytes < lowest.bytes ? limit : lowest));
}

/** Returns the size limit for content of this kind. */
export function sizeLimit(settings: Settings, { kind, mimeType }: Sniffed): SizeLimit {
  if (kind === 'image') return imageLimit(settings);
  return settings.documentTypes.includes(mimeType) ? documentLimit(settings) : fileLimit(settings);
}

/** Returns the size limit for images. */
export function imageLimit({ imageBytesMax }: Settings): SizeLimit {
  return { bytes: imageBytesMax, setting: 'TRIVIUM_IMAGE_BYTES_MAX' };
}

/** Returns the size limit for documents. */
export function documentLimit({ documentBytesMax }: Settings): SizeLimit {
  return { bytes: documentBytesMax, setting: 'TRIVIUM_DOCUMENT_BYTES_MAX' };
}

/** Returns the size limit for any file. */
export function fileLimit({ fileBytesMax }: Settings): SizeLimit {
  return { bytes: fileBytesMax, setting: 'TRIVIUM_FILE_BYTES_MAX' };
}
