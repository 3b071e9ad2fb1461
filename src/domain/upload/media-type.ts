import { fileExtension } from '../../lib/filename.ts';
import type { Sniffed } from '../../media/sniff.ts';
import type { Context, Settings } from '../context.ts';
import { InvalidInputError, TooLargeError, UnsupportedMediaError } from '../error.ts';
import type { MediaType } from '../tree/media.ts';

/** Types of media that hold a file. */
export const FILE_TYPES = ['image', 'eimage', 'doc', 'file', 'video', 'audio', 'vector'] as const;
export type FileType = (typeof FILE_TYPES)[number];

type Kind = Sniffed['kind'];

/** What a file claims to be. */
export interface Claim {
  filename: string;
  /** Of the request; null when it said nothing. */
  declaredType: string | null;
  sizeBytes: number;
}

/**
 * The policy of the ingest pipeline: content, extension and declared type must agree, the content must
 * fit the wanted type, and the size its kind's limit. Without a wanted type the content decides.
 * Throws UnsupportedMediaError, TooLargeError, InvalidInputError.
 */
export function classify(
  ctx: Context,
  claim: Claim,
  sniffed: Sniffed,
  wanted: MediaType | null,
  allowed: readonly FileType[] = FILE_TYPES,
): FileType {
  checkAgreement(claim, sniffed);
  const limitBytes = sizeLimitBytes(ctx.settings, sniffed);
  if (claim.sizeBytes > limitBytes) throw new TooLargeError(limitBytes);
  const natural = naturalType(ctx.settings, sniffed);
  const type = wanted ?? natural;
  if (!isFileType(type)) {
    throw InvalidInputError.of('type', 'INVALID_CHOICE', `A media of type ${type} holds no file.`);
  }
  const fits = type === natural || type === 'file' || (type === 'eimage' && natural === 'image');
  if (fits && allowed.includes(type)) return type;
  throw new UnsupportedMediaError(
    sniffed.mimeType,
    `The content is ${sniffed.mimeType}, which is not accepted as ${type}.`,
  );
}

/** Bytes of no known format, and bare text, which anything may look like that is damaged. */
const UNRECOGNISED = ['application/octet-stream', 'text/plain'];

/**
 * What bytes become that nothing recognises, which is what the road takes them for; null where it does not
 * say, and for what is known to be something: that has to agree. Throws TooLargeError.
 */
export function typeOfUnknown(
  { settings }: Context,
  { sizeBytes }: Claim,
  { mimeType }: Sniffed,
  takenFor: FileType | undefined,
): FileType | null {
  if (takenFor === undefined || !UNRECOGNISED.includes(mimeType)) return null;
  const limitBytes = totalLimitBytes(settings, [takenFor]);
  if (sizeBytes > limitBytes) throw new TooLargeError(limitBytes);
  return takenFor;
}

/** The most bytes that content of this kind may have. */
export function sizeLimitBytes(settings: Settings, { kind, mimeType }: Sniffed): number {
  if (kind === 'image') return settings.imageBytesMax;
  return settings.documentTypes.includes(mimeType)
    ? settings.documentBytesMax
    : settings.fileBytesMax;
}

/** The most bytes that a file may have which is to become one of these types. */
export function totalLimitBytes(
  settings: Settings,
  allowed: readonly FileType[] = FILE_TYPES,
): number {
  const limits = allowed.map((type) => {
    if (type === 'image' || type === 'eimage') return settings.imageBytesMax;
    return type === 'doc' ? settings.documentBytesMax : settings.fileBytesMax;
  });
  return Math.min(settings.fileBytesMax, Math.max(...limits));
}

/** The most bytes that a file may have of which only its declared type is known. */
export function declaredLimitBytes(settings: Settings, declaredType: string | null): number {
  const isImage = kindOfMimeType(declaredType) === 'image';
  return isImage ? settings.imageBytesMax : Number.POSITIVE_INFINITY;
}

function naturalType({ documentTypes }: Settings, { kind, mimeType }: Sniffed): FileType {
  if (kind === 'image' || kind === 'vector' || kind === 'video' || kind === 'audio') return kind;
  return documentTypes.includes(mimeType) ? 'doc' : 'file';
}

function isFileType(type: MediaType): type is FileType {
  return (FILE_TYPES as readonly string[]).includes(type);
}

/**
 * Kinds whose name and content must agree: a picture that is a page, or the reverse, is how a browser is
 * led to run what it was told to show. Other names and types may stand on any content of none of them.
 */
const KIND_BY_EXTENSION: Readonly<Record<string, Kind>> = Object.fromEntries(
  (
    [
      ['image', 'jpg jpeg jpe jfif png apng gif webp avif heic heif tif tiff bmp ico'],
      ['vector', 'svg svgz'],
      ['video', 'mp4 m4v webm mov mkv avi mpg mpeg ogv'],
      ['audio', 'mp3 m4a aac ogg oga opus wav flac weba'],
      ['pdf', 'pdf'],
    ] as const
  ).flatMap(([kind, extensions]) => extensions.split(' ').map((extension) => [extension, kind])),
);

function checkAgreement({ filename, declaredType }: Claim, sniffed: Sniffed): void {
  const extension = fileExtension(filename);
  const named = extension === null ? undefined : KIND_BY_EXTENSION[extension];
  if (!agrees(named, sniffed)) {
    const message = `The content is ${sniffed.mimeType}, which the extension .${extension} does not fit.`;
    throw new UnsupportedMediaError(sniffed.mimeType, message);
  }
  if (!agrees(kindOfMimeType(declaredType), sniffed)) {
    const message = `The content is ${sniffed.mimeType}, and not ${declaredType} as declared.`;
    throw new UnsupportedMediaError(sniffed.mimeType, message);
  }
}

function agrees(claimed: Kind | undefined, { kind }: Sniffed): boolean {
  if (claimed === undefined) return true;
  // Containers such as Ogg, MP4 and WebM carry either, and their names are used for both.
  const isTimed = (one: Kind) => one === 'video' || one === 'audio';
  return claimed === kind || (isTimed(claimed) && isTimed(kind));
}

/**
 * The type of a `Content-Type` without its parameters, in lower case; null for what is none. Whatever a
 * sender writes there reaches neither the database nor an answer.
 */
export function mediaTypeOf(contentType: string): string | null {
  const essence = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}$/.test(essence) ? essence : null;
}

function kindOfMimeType(mimeType: string | null): Kind | undefined {
  const essence = mediaTypeOf(mimeType ?? '') ?? '';
  if (essence === 'image/svg+xml') return 'vector';
  if (essence === 'application/pdf') return 'pdf';
  const [family] = essence.split('/');
  return family === 'image' || family === 'video' || family === 'audio' ? family : undefined;
}
