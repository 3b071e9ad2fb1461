import { InvalidInputError } from '../../../domain/error.ts';
import type { Policy } from '../../../domain/upload/policy.ts';
import type { UploadSession } from '../../../domain/upload/session.ts';
import type { Fields } from '../field.ts';

/** Contract §2.2: the types that a client can ask for. The limits of their sizes apply to all uploads. */
export const UPLOAD_TYPES = ['image', 'eimage', 'doc'] as const;
type UploadType = (typeof UPLOAD_TYPES)[number];

/**
 * Returns the types that an upload may have, for the type that the client asks for. Only an image must be one that can
 * be decoded. Any other file that is asked for as a document is stored as a file, unless it is an image, sound or
 * video: the client would not find it among its documents. If the client does not ask, the content decides.
 */
export function toUploadPolicy(type: UploadType | null): Policy {
  return type === 'doc' ? { type: null, allowedTypes: ['doc', 'file'] } : { type };
}

/**
 * Returns an upload session. Contract §2.1: `offset` is a string here, and a number in the error of
 * a wrong one.
 */
export function toSessionBody({ uploadId, offsetBytes, expiresAt }: UploadSession) {
  return { upload_id: uploadId, offset: String(offsetBytes), expires: expiresAt.toISOString() };
}

/**
 * Reads a text field. Null if absent or null; numbers become text, as in Django REST framework.
 * Throws InvalidInputError for any other value.
 */
export function toText(fields: Fields, name: string): string | null {
  const value = fields.get(name) ?? null;
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw InvalidInputError.of(name, 'INVALID', 'Not a valid string.');
}

/** Reads the body's `offset`, which no client sends. Null for anything but a count of bytes. */
export function toOffset(value: unknown): number | null {
  const offset = /^\d+$/.test(String(value)) ? Number(value) : Number.NaN;
  return Number.isSafeInteger(offset) ? offset : null;
}

/**
 * Reads the `type` of `complete`; null: the content decides. Contract §2.2: the uploader also sends
 * `document`, `file`, and words that name no type. Throws InvalidInputError for any other.
 */
export function toUploadType(value: unknown): UploadType | null {
  const name = value ?? '';
  if (typeof name === 'string' && NAMES_OF_NO_TYPE.includes(name)) return null;
  const type = name === 'document' ? 'doc' : UPLOAD_TYPES.find((type) => type === name);
  if (type !== undefined) return type;
  const shown = typeof name === 'string' ? name : JSON.stringify(name);
  throw InvalidInputError.of('type', 'INVALID_CHOICE', `"${shown}" is not a valid choice.`);
}

const NAMES_OF_NO_TYPE = ['', 'file', 'undefined', 'null'];

/** The position of a chunk in its file. */
export interface ContentRange {
  startBytes: number;
  sizeBytes: number;
  totalBytes: number;
}

/**
 * Parses `bytes {start}-{end}/{total}`, the end included: contract §1. Null for anything else, and
 * for a range that is empty or exceeds the total.
 */
export function parseContentRange(header: string): ContentRange | null {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header);
  if (match === null) return null;
  const [start = 0, end = 0, total = 0] = match.slice(1).map(toSafeInteger);
  if (end < start || end >= total) return null;
  return { startBytes: start, sizeBytes: end - start + 1, totalBytes: total };
}

/** Parses an integer. A number too large to be exact exceeds any limit. */
function toSafeInteger(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}
