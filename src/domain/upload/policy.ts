import { fileExtension } from '../../lib/filename.ts';
import type { Sniffed } from '../../media/sniff.ts';
import type { Context, Settings } from '../context.ts';
import { InvalidInputError, TooLargeError, UnsupportedMediaError } from '../error.ts';
import type { MediaType } from '../tree/media.ts';
import type { DeclaredFile, StagedFile } from './staging.ts';

/** Types of media items that hold a file. */
export const FILE_TYPES = ['image', 'eimage', 'doc', 'file', 'video', 'audio', 'vector'] as const;
export type FileType = (typeof FILE_TYPES)[number];

type Kind = Sniffed['kind'];

/** The types that bytes may have. */
export interface Policy {
  /** Null: the content decides. */
  type: MediaType | null;
  /** Types that the dialect supports. (Default: all that hold a file) */
  allowedTypes?: readonly FileType[];
  /**
   * Type for bytes of no known format, and for images that cannot be read. They are served with the MIME type of their
   * content, and have no width and height. Absent: they are rejected.
   */
  unreadableAs?: FileType;
}

type SizedFile = DeclaredFile & Pick<StagedFile, 'sizeBytes'>;

/**
 * Returns the type of a file. Its content, its extension and its declared type must agree, the content must fit the
 * wanted type, and the size must be within the limit for its kind. Without a wanted type the content decides. Throws
 * UnsupportedMediaError, TooLargeError, InvalidInputError.
 */
export function classify(
  ctx: Context,
  file: SizedFile,
  sniffed: Sniffed,
  wanted: MediaType | null,
  allowed: readonly FileType[] = FILE_TYPES,
): FileType {
  checkAgreement(file, sniffed);
  const limitBytes = sizeLimitBytes(ctx.settings, sniffed);
  if (file.sizeBytes > limitBytes) throw new TooLargeError(limitBytes);
  const natural = naturalType(ctx.settings, sniffed);
  const type = wanted ?? natural;
  if (!isFileType(type)) {
    throw InvalidInputError.of(
      'type',
      'INVALID_CHOICE',
      `A media item of type ${type} cannot hold a file.`,
    );
  }
  const fits = type === natural || type === 'file' || (type === 'eimage' && natural === 'image');
  if (fits && allowed.includes(type)) return type;
  throw new UnsupportedMediaError(
    sniffed.mimeType,
    `The content is ${sniffed.mimeType}, which is not accepted as ${type}.`,
  );
}

/** Types of bytes of no known format. Plain text is one of them: damaged files of many formats look like it. */
const UNRECOGNISED = ['application/octet-stream', 'text/plain'];

/**
 * Returns the type for bytes of no known format, `Policy.unreadableAs`; null if there is none, or if the format is
 * known: then `classify` decides. Throws TooLargeError.
 */
export function typeOfUnknown(
  { settings }: Context,
  { sizeBytes }: SizedFile,
  { mimeType }: Sniffed,
  unreadableAs: FileType | undefined,
): FileType | null {
  if (unreadableAs === undefined || !UNRECOGNISED.includes(mimeType)) return null;
  const limitBytes = totalLimitBytes(settings, [unreadableAs]);
  if (sizeBytes > limitBytes) throw new TooLargeError(limitBytes);
  return unreadableAs;
}

/** Returns the size limit for content of this kind, in bytes. */
export function sizeLimitBytes(settings: Settings, { kind, mimeType }: Sniffed): number {
  if (kind === 'image') return settings.imageBytesMax;
  return settings.documentTypes.includes(mimeType)
    ? settings.documentBytesMax
    : settings.fileBytesMax;
}

/** Returns the size limit for a file whose content may turn out to be any of these types, in bytes. */
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

/** Returns the size limit for a file of which only the declared type is known, in bytes. */
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
 * Kinds whose extension and content must agree: an image that is really a page, or the reverse, can make a browser run
 * what it should only show. Any other extension is accepted for content of any other kind.
 */
const KIND_BY_EXTENSION: Readonly<Record<string, Kind>> = Object.fromEntries(
  (
    [
      ['image', 'jpg jpeg jpe jfif png apng gif webp avif heic heif tif tiff bmp ico'],
      ['vector', 'svg'],
      ['video', 'mp4 m4v webm mov mkv avi mpg mpeg ogv'],
      ['audio', 'mp3 m4a aac ogg oga opus wav flac weba'],
      ['pdf', 'pdf'],
    ] as const
  ).flatMap(([kind, extensions]) => extensions.split(' ').map((extension) => [extension, kind])),
);

function checkAgreement({ filename, declaredType }: DeclaredFile, sniffed: Sniffed): void {
  const extension = fileExtension(filename);
  const named = extension === null ? undefined : KIND_BY_EXTENSION[extension];
  if (!agrees(named, sniffed)) {
    const message = `The content is ${sniffed.mimeType}, which does not match the extension .${extension}.`;
    throw new UnsupportedMediaError(sniffed.mimeType, message);
  }
  if (!agrees(kindOfMimeType(declaredType), sniffed)) {
    const message = `The content is ${sniffed.mimeType}, not ${declaredType} as declared.`;
    throw new UnsupportedMediaError(sniffed.mimeType, message);
  }
}

function agrees(expected: Kind | undefined, { kind }: Sniffed): boolean {
  if (expected === undefined) return true;
  // Containers such as Ogg, MP4 and WebM hold either, and their extensions are used for both.
  const isTimed = (one: Kind) => one === 'video' || one === 'audio';
  return expected === kind || (isTimed(expected) && isTimed(kind));
}

/**
 * Returns the type of a `Content-Type` header without its parameters, in lower case; null if it is malformed, so that
 * other text reaches neither the database nor a response.
 */
export function parseDeclaredType(contentType: string): string | null {
  const essence = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}$/.test(essence) ? essence : null;
}

function kindOfMimeType(mimeType: string | null): Kind | undefined {
  const essence = parseDeclaredType(mimeType ?? '') ?? '';
  if (essence === 'image/svg+xml') return 'vector';
  if (essence === 'application/pdf') return 'pdf';
  const [family] = essence.split('/');
  return family === 'image' || family === 'video' || family === 'audio' ? family : undefined;
}
