import ExifReader, { type IncludeTagsOptions } from 'exifreader';
import type { ByteSource, Findings } from './details.ts';
import { type ImageTags, type Tag, textOf } from './image-tag.ts';
import { takenAtOf } from './taken-at.ts';

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
  const tags = ExifReader.load(bytes.buffer, { expanded: true, includeTags: WANTED });
  return toFindings(tags as unknown as ImageTags);
}

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

function toFindings(tags: ImageTags): Findings {
  const { exif = {}, iptc = {}, xmp = {} } = tags;
  return {
    takenAt: takenAtOf(tags),
    camera: cameraOf(
      textOf(exif.Make) ?? textOf(xmp.Make),
      textOf(exif.Model) ?? textOf(xmp.Model),
    ),
    lens: textOf(exif.LensModel) ?? textOf(xmp.LensModel) ?? textOf(xmp.Lens),
    exposure: exposureOf(
      ratioOf(exif.ExposureTime) ?? ratioOf(xmp.ExposureTime),
      ratioOf(exif.FNumber) ?? ratioOf(xmp.FNumber),
    ),
    iso: isoOf(exif),
    ...placeOf(tags),
    author: textOf(exif.Artist) ?? textOf(iptc['By-line']) ?? textOf(xmp.creator),
    copyright: textOf(exif.Copyright) ?? textOf(iptc['Copyright Notice']) ?? textOf(xmp.rights),
  };
}

/** Returns the model, with its maker unless the name of the model begins with that. */
function cameraOf(make: string | undefined, model: string | undefined): string | undefined {
  if (make === undefined || model === undefined) return model ?? make;
  const [brand = ''] = make.split(' ');
  return model.toLowerCase().startsWith(brand.toLowerCase()) ? model : `${make} ${model}`;
}

function exposureOf(seconds: number | undefined, aperture: number | undefined): string | undefined {
  const parts = [
    ...(isPositive(seconds) ? [`${exposureTime(seconds)} s`] : []),
    ...(isPositive(aperture) ? [`f/${aperture.toFixed(1).replace(/\.0$/, '')}`] : []),
  ];
  return parts.length === 0 ? undefined : parts.join(', ');
}

/** Returns a short time as a fraction, as photographers write it. */
function exposureTime(seconds: number): string {
  if (seconds < 0.25001) return `1/${Math.round(1 / seconds)}`;
  return seconds.toFixed(1).replace(/\.0$/, '');
}

function isPositive(value: number | undefined): value is number {
  return value !== undefined && value > 0 && value < Number.POSITIVE_INFINITY;
}

/** Returns a number that is written as itself, or as a numerator and a denominator. */
function ratioOf(tag: Tag | undefined): number | undefined {
  const { value } = tag ?? {};
  const parts = typeof value === 'string' ? value.split('/').map(Number) : value;
  if (!Array.isArray(parts)) return typeof parts === 'number' ? parts : undefined;
  const [numerator, denominator = 1] = parts;
  const ratio = Number(numerator) / Number(denominator);
  return Number.isFinite(ratio) ? ratio : undefined;
}

/** The sensitivity of a camera that is beyond the 16 bits of the tag. */
const ISO_BEYOND = 65_535;

function isoOf(exif: NonNullable<ImageTags['exif']>): number | undefined {
  const iso = ratioOf(exif.ISOSpeedRatings);
  if (iso !== undefined && iso !== ISO_BEYOND) return iso;
  return ratioOf(exif.RecommendedExposureIndex) ?? ratioOf(exif.ISOSpeed);
}

function placeOf({ gps, xmp = {} }: ImageTags) {
  const altitudeM = gps?.Altitude;
  if (gps?.Latitude !== undefined && gps.Longitude !== undefined) {
    return { latitude: gps.Latitude, longitude: gps.Longitude, altitudeM };
  }
  return {
    latitude: degreesOf(xmp.GPSLatitude),
    longitude: degreesOf(xmp.GPSLongitude),
    altitudeM,
  };
}

/** Returns the degrees of an XMP coordinate, which ExifReader describes as `52.52N`. */
function degreesOf(tag: Tag | undefined): number | undefined {
  const [, degrees, side] = /^(\d+(?:\.\d+)?)([NSEW])$/.exec(textOf(tag) ?? '') ?? [];
  if (degrees === undefined) return undefined;
  return side === 'S' || side === 'W' ? -Number(degrees) : Number(degrees);
}
