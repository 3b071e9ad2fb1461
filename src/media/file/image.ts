import ExifReader, { type IncludeTagsOptions } from 'exifreader';
import type { ByteSource, Findings } from './details.ts';
import { findingsOf } from './image-findings.ts';
import type { ImageTags } from './image-tag.ts';

/** Metadata of a JPEG, GIF or camera's raw file are in its beginning. */
const HEADER_BYTES = 1024 * 1024;

/** The metadata of other formats may be anywhere. Larger files are read up to `HEADER_BYTES`. */
const WHOLE_BYTES_MAX = 32 * 1024 * 1024;

/** Reads the EXIF, IPTC and XMP metadata of an image. Throws if the image has no format that can be read. */
export async function readImage(source: ByteSource): Promise<Findings> {
  const header = await source.read(0, HEADER_BYTES);
  const isAnywhere = hasMetadataAnywhere(header) && source.sizeBytes <= WHOLE_BYTES_MAX;
  const isWhole = !isAnywhere || header.length === source.sizeBytes;
  const bytes = isWhole ? header : await source.read(0, source.sizeBytes);
  // Compressed text stays unread, so that no bomb can unfold.
  const tags = ExifReader.load(xmpOfGif(bytes) ?? bytes.buffer, {
    expanded: true,
    includeTags: WANTED,
  });
  return findingsOf(tags as unknown as ImageTags);
}

/** Returns the XMP packet of a GIF, which ExifReader does not look for; undefined for other files, and without one. */
function xmpOfGif(bytes: Uint8Array<ArrayBuffer>): ArrayBuffer | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!text.toString('latin1', 0, 4).startsWith('GIF8')) return undefined;
  const start = text.indexOf(GIF_XMP, 0, 'latin1');
  const end = text.indexOf('<?xpacket end=', start);
  return start < 0 || end < 0 ? undefined : bytes.slice(start + GIF_XMP.length, end).buffer;
}

/** The header of the extension of a GIF that holds an XMP packet: XMP specification, part 3, §1.1.2. */
const GIF_XMP = '\x21\xff\x0bXMP DataXMP';

/** PNG and WebP allow metadata after the pixels; TIFF, HEIC and AVIF point to them. */
function hasMetadataAnywhere(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(12, bytes.length));
  return /^(?:\x89PNG|RIFF|II\*\0|MM\0\*|.{4}ftyp)/s.test(start.toString('latin1'));
}

/** The tags that are read, so that no time goes into others, such as a camera maker's notes. */
const WANTED: IncludeTagsOptions = {
  exif: [
    'DateTimeOriginal',
    'DateTimeDigitized',
    'OffsetTime',
    'OffsetTimeOriginal',
    'OffsetTimeDigitized',
    'SubSecTimeOriginal',
    'SubSecTimeDigitized',
    'Make',
    'Model',
    'LensModel',
    'ExposureTime',
    'FNumber',
    'ISOSpeedRatings',
    'RecommendedExposureIndex',
    'ISOSpeed',
    'Artist',
    'Copyright',
    // ExifReader follows a pointer only if it is wanted.
    'Exif IFD Pointer',
    'GPS Info IFD Pointer',
    'GPSLatitudeRef',
    'GPSLatitude',
    'GPSLongitudeRef',
    'GPSLongitude',
    'GPSAltitudeRef',
    'GPSAltitude',
  ],
  iptc: ['Date Created', 'Time Created', 'By-line', 'Copyright Notice', 'Coded Character Set'],
  xmp: true,
  gps: true,
};
