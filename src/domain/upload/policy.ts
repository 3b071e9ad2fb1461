import { mediaTypeOf } from '../../lib/header-value.ts';
import { isReadable } from '../../media/image-header.ts';
import type { Sniffed } from '../../media/sniff.ts';
import type { Context, Settings } from '../context.ts';
import { InvalidInputError, type SizeLimit, UnsupportedMediaError } from '../error.ts';
import type { MediaType } from '../tree/media.ts';
import { findContradiction } from './agreement.ts';
import {
  checkSize,
  documentLimit,
  fileLimit,
  imageLimit,
  lowestOf,
  sizeLimit,
} from './size-limit.ts';
import type { DeclaredFile, StagedFile } from './staging.ts';

/** Types of media items that hold a file. */
export const FILE_TYPES = ['image', 'eimage', 'doc', 'file', 'video', 'audio', 'vector'] as const;
export type FileType = (typeof FILE_TYPES)[number];

/** The types that bytes may have. */
export interface Policy {
  /** Null: the content decides. */
  type: MediaType | null;
  /** Types that the dialect supports. (Default: all that hold a file) */
  allowedTypes?: readonly FileType[];
  /** Types that content may have instead if it does not fit `type`. (Default: none) */
  otherTypes?: readonly FileType[];
}

type SizedFile = DeclaredFile & Pick<StagedFile, 'sizeBytes'>;

/**
 * Checks a file before it is decoded: its size must be within the limit for its content, and its content must not
 * contradict its extension or its declared type. Throws TooLargeError, UnsupportedMediaError.
 */
export function checkContent({ settings }: Context, file: SizedFile, sniffed: Sniffed): void {
  const contradiction = findContradiction(file, sniffed);
  if (contradiction !== null) {
    const { content, claim } = contradiction;
    const message =
      'extension' in claim
        ? `The content is ${content}, which does not match the extension .${claim.extension}.`
        : `The content is ${content}, not ${claim.declaredType} as declared.`;
    throw new UnsupportedMediaError(sniffed.mimeType, message);
  }
  checkSize(file.sizeBytes, sizeLimit(settings, sniffed));
}

/**
 * Returns the type of a file. An image that cannot be decoded is a file. `whyBroken` says why that is so for an image
 * of a supported format; null if it is intact. Without a wanted type the content decides. Throws UnsupportedMediaError,
 * and InvalidInputError for a wanted type that cannot hold a file.
 */
export function chooseType(
  { settings }: Context,
  sniffed: Sniffed,
  whyBroken: string | null,
  { type: wanted, allowedTypes = FILE_TYPES, otherTypes = [] }: Policy,
): FileType {
  const natural = whyBroken === null ? naturalType(settings, sniffed) : 'file';
  const type = wanted ?? natural;
  if (!isFileType(type)) {
    throw InvalidInputError.of(
      'type',
      'INVALID_CHOICE',
      `A media item of type ${type} cannot hold a file.`,
    );
  }
  const fits = type === natural || type === 'file' || (type === 'eimage' && natural === 'image');
  if (fits && allowedTypes.includes(type)) return type;
  if (otherTypes.includes(natural)) return natural;
  throw new UnsupportedMediaError(sniffed.mimeType, whyRefused(sniffed, whyBroken, wanted));
}

function whyRefused(
  { mimeType }: Sniffed,
  whyBroken: string | null,
  wanted: MediaType | null,
): string {
  if (wanted === null) return `The content is ${mimeType}, which is not accepted here.`;
  const isImageWanted = wanted === 'image' || wanted === 'eimage';
  if (isImageWanted && whyBroken !== null) return whyBroken;
  return `The content is ${mimeType}, which is not accepted as ${wanted}.`;
}

/** Returns the size limit for a file whose content may turn out to be any of these types. */
export function totalLimit(
  settings: Settings,
  allowed: readonly FileType[] = FILE_TYPES,
): SizeLimit {
  const limits = allowed.map((type) => {
    if (type === 'image' || type === 'eimage') return imageLimit(settings);
    return type === 'doc' ? documentLimit(settings) : fileLimit(settings);
  });
  const highest = limits.reduce((high, limit) => (limit.bytes > high.bytes ? limit : high));
  return lowestOf([highest, fileLimit(settings)]);
}

/** Returns the size limit for a file of which only the declared type is known. */
export function declaredLimit(settings: Settings, declaredType: string | null): SizeLimit {
  const isImage = isReadable(parseDeclaredType(declaredType ?? '') ?? '');
  return isImage ? imageLimit(settings) : { ...fileLimit(settings), bytes: Infinity };
}

function naturalType({ documentTypes }: Settings, { kind, mimeType }: Sniffed): FileType {
  if (kind === 'image' || kind === 'vector' || kind === 'video' || kind === 'audio') return kind;
  return documentTypes.includes(mimeType) ? 'doc' : 'file';
}

function isFileType(type: MediaType): type is FileType {
  return (FILE_TYPES as readonly string[]).includes(type);
}

/**
 * Returns the type of a `Content-Type` header without its parameters, in lower case; null if it is malformed, so that
 * other text reaches neither the database nor a response.
 */
export function parseDeclaredType(contentType: string): string | null {
  const essence = mediaTypeOf(contentType);
  return /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}$/.test(essence) ? essence : null;
}
