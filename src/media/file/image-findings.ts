import type { Findings } from './details.ts';
import { type ImageTags, numberOf, ratioOf, type Tag, textOf } from './image-tag.ts';
import { takenAtOf } from './taken-at.ts';

/** Returns the details in the metadata of an image. Of the standards, EXIF comes first: cameras write it. */
export function findingsOf(tags: ImageTags): Findings {
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
    iso: isoOf(exif) ?? numberOf(xmp.ISOSpeedRatings) ?? numberOf(xmp.PhotographicSensitivity),
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
    ...(isPositive(aperture) ? [`f/${Number(aperture.toFixed(aperture < 1 ? 2 : 1))}`] : []),
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

/** The sensitivity of a camera that is beyond the 16 bits of the tag. */
const ISO_BEYOND = 65_535;

function isoOf(exif: NonNullable<ImageTags['exif']>): number | undefined {
  const iso = firstOf(exif.ISOSpeedRatings);
  if (iso !== undefined && iso !== ISO_BEYOND) return iso;
  return firstOf(exif.RecommendedExposureIndex) ?? firstOf(exif.ISOSpeed);
}

/** Returns the number of a tag, or the first one of those that some cameras write. */
function firstOf({ value }: Tag = {}): number | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'number' ? first : undefined;
}

function placeOf({ gps, xmp = {} }: ImageTags) {
  if (gps?.Latitude !== undefined && gps.Longitude !== undefined) {
    return { latitude: gps.Latitude, longitude: gps.Longitude, altitudeM: gps.Altitude };
  }
  const altitude = ratioOf(xmp.GPSAltitude);
  const isBelowSea = xmp.GPSAltitudeRef?.value === '1';
  return {
    latitude: degreesOf(xmp.GPSLatitude),
    longitude: degreesOf(xmp.GPSLongitude),
    altitudeM: altitude !== undefined && isBelowSea ? -altitude : altitude,
  };
}

/** Returns the degrees of an XMP coordinate, which ExifReader describes as `52.52N`. */
function degreesOf(tag: Tag | undefined): number | undefined {
  const [, degrees, side] = /^(\d+(?:\.\d+)?)([NSEW])$/.exec(textOf(tag) ?? '') ?? [];
  if (degrees === undefined) return undefined;
  return side === 'S' || side === 'W' ? -Number(degrees) : Number(degrees);
}
