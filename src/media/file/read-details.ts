import type { ByteSource, DetailsKind, FileDetails, Findings } from './details.ts';

/** The parsers are loaded when a file needs them. */
const READERS = {
  image: async (source) => (await import('./image.ts')).readImage(source),
  audio: async (source) => (await import('./audio.ts')).readAudio(source),
  video: async (source) => (await import('./video.ts')).readVideo(source),
  pdf: async (source) => (await import('./pdf.ts')).readPdf(source),
} satisfies Record<DetailsKind, (source: ByteSource) => Promise<Findings>>;

/**
 * Reads what a file says of itself. Whatever cannot be read is left out, as is every value that cannot be true or does
 * not fit: the bytes are a stranger's. Runs in a process of its own, because it may never end.
 */
export async function readFileDetails(source: ByteSource, kind: DetailsKind): Promise<FileDetails> {
  try {
    return plausible(await READERS[kind](source));
  } catch {
    return {};
  }
}

/** The greatest value of GraphQL's `Int`. */
const INT_MAX = 2 ** 31 - 1;

/** The years that a date of ISO 8601 has with four digits. */
const TIME_MIN = Date.UTC(1000, 0);
const TIME_MAX = Date.UTC(9999, 11, 31);

function plausible(found: Findings): FileDetails {
  const { latitude, longitude, altitudeM, takenAt } = found;
  // A receiver without a signal writes zeros.
  const isNowhere = latitude === 0 && longitude === 0;
  const place =
    isWithin(latitude, -90, 90) && isWithin(longitude, -180, 180) && !isNowhere
      ? { latitude: rounded(latitude, 7), longitude: rounded(longitude, 7) }
      : {};
  const kept = {
    ...place,
    altitudeM: isWithin(altitudeM, -12_000, 100_000) ? rounded(altitudeM, 2) : undefined,
    takenAt: isWithin(takenAt, TIME_MIN, TIME_MAX) ? Math.round(takenAt) : undefined,
    iso: toInt(found.iso),
    width: toInt(found.width),
    height: toInt(found.height),
    durationMs: toInt(found.durationMs),
    bitRate: toInt(found.bitRate),
    pageCount: toInt(found.pageCount),
    frameRate: isWithin(found.frameRate, 0.001, 100_000) ? rounded(found.frameRate, 3) : undefined,
    camera: toText(found.camera),
    lens: toText(found.lens),
    exposure: toText(found.exposure),
    videoCodec: toText(found.videoCodec),
    audioCodec: toText(found.audioCodec),
    author: toText(found.author),
    copyright: toText(found.copyright, 500),
    textSnippet: toText(found.textSnippet, 1000),
  };
  return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined));
}

function isWithin(value: number | undefined, min: number, max: number): value is number {
  return value !== undefined && value >= min && value <= max;
}

/** Returns a positive whole number; undefined if it is none that fits. */
function toInt(value: number | undefined): number | undefined {
  const whole = Math.round(value ?? 0);
  return isWithin(whole, 1, INT_MAX) ? whole : undefined;
}

function rounded(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}

/** Returns one line without control characters, cut at a character; undefined if nothing is left. */
function toText(value: string | undefined, lengthMax = 200): string | undefined {
  const line = (value ?? '')
    .slice(0, 10 * lengthMax)
    .toWellFormed()
    .replace(/[\s\p{Cc}\ufeff]+/gu, ' ')
    .trim();
  const text = line.length <= lengthMax ? line : line.slice(0, lengthMax - 1).trimEnd();
  if (text === '') return undefined;
  return text === line ? text : `${text.replace(/[\ud800-\udbff]$/, '')}…`;
}
