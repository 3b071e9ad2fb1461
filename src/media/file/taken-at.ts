import { type ImageTags, textOf } from './image-tag.ts';

/**
 * Returns when an image was taken, in milliseconds since 1970: by its EXIF, XMP or IPTC metadata, in this order, then by
 * the time at which a scanner or camera digitized it. The time of a camera that names no zone counts as UTC: what the
 * camera's clock showed is then what every reader sees.
 */
export function takenAtOf({ exif = {}, xmp = {}, iptc = {} }: ImageTags): number | undefined {
  const original = {
    time: textOf(exif.DateTimeOriginal),
    fraction: textOf(exif.SubSecTimeOriginal),
    zone: textOf(exif.OffsetTimeOriginal) ?? textOf(exif.OffsetTime),
  };
  const digitized = {
    time: textOf(exif.DateTimeDigitized),
    fraction: textOf(exif.SubSecTimeDigitized),
    zone: textOf(exif.OffsetTimeDigitized) ?? textOf(exif.OffsetTime),
  };
  return (
    exifTime(original) ??
    parseTime(textOf(xmp.DateTimeOriginal)) ??
    parseTime(textOf(xmp.DateCreated)) ??
    parseTime(iptcTime(textOf(iptc['Date Created']), textOf(iptc['Time Created']))) ??
    exifTime(digitized) ??
    parseTime(textOf(xmp.CreateDate))
  );
}

interface ExifTime {
  time: string | undefined;
  /** Digits after the point of the seconds. */
  fraction: string | undefined;
  zone: string | undefined;
}

function exifTime({ time, fraction, zone }: ExifTime): number | undefined {
  if (time === undefined) return undefined;
  const decimals = /^\d{1,9}$/.test(fraction ?? '') ? `.${fraction}` : '';
  const offset = /^(?:Z|[+-]\d{2}:\d{2})$/.test(zone ?? '') ? zone : '';
  return parseTime(`${time.slice(0, 19)}${decimals}${offset}`);
}

function iptcTime(date: string | undefined, time: string | undefined): string | undefined {
  if (date === undefined) return undefined;
  return time === undefined ? date : `${date}T${time}`;
}

const TIME =
  /^(\d{4})[:-](\d\d)(?:[:-](\d\d))?(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d\d:?\d\d)?)?$/;

/**
 * Returns the milliseconds since 1970 of a time as EXIF or ISO 8601 writes it: at least a year and a month, without a
 * zone in UTC. Undefined for any other text, and for a time that no calendar has.
 */
export function parseTime(text: string | undefined): number | undefined {
  const match = TIME.exec(text?.trim() ?? '');
  if (match === null) return undefined;
  const [
    ,
    year,
    month,
    day = '01',
    hour = '00',
    minute = '00',
    second = '00',
    fraction = '',
    zone,
  ] = match;
  const milliseconds = fraction.padEnd(3, '0').slice(0, 3);
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}Z`;
  const time = Date.parse(local);
  // Date.parse takes 30 February for 1 March.
  if (Number.isNaN(time) || new Date(time).toISOString() !== local) return undefined;
  return time - offsetMs(zone);
}

function offsetMs(zone: string | undefined): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone ?? '') ?? [];
  const offset = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000;
  return sign === '-' ? -offset : offset;
}
