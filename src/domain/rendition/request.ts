import type { Background, Rect } from '../../media/render.ts';
import { parseColor } from './color.ts';

/**
 * The rendition that a URL asks for, in the parameters of ImageProcessor, which Umbraco's templates write
 * (contract §5.11). Null: the parameter is missing or invalid.
 */
export interface RenditionRequest {
  width: number | null;
  height: number | null;
  mode: Mode;
  /** Position of the image along each side, as fractions: 0 puts the image at the left or top edge. */
  anchor: Point | null;
  /** The point of the image, as fractions, that `crop` keeps as close to the center as possible. */
  center: Point | null;
  /** The part of the image that is cut out before any other step. */
  crop: Crop | null;
  isUpscaled: boolean;
  /** Whether a size that would enlarge the image is reduced, with its aspect ratio kept: ours, unlike the others. */
  isReduced: boolean;
  /** 1 to 100. */
  quality: number | null;
  format: WantedFormat | null;
  background: Background | null;
}

const MODES = ['pad', 'boxpad', 'crop', 'max', 'min', 'stretch'] as const;
type Mode = (typeof MODES)[number];

/** A point, in fractions of a size. */
export interface Point {
  x: number;
  y: number;
}

/** A cut: `pixels`, a rectangle; `fraction`, the fractions to cut off at each side. */
export type Crop =
  | { unit: 'pixels'; rect: Rect }
  | { unit: 'fraction'; left: number; top: number; right: number; bottom: number };

const FORMATS = {
  jpg: 'jpeg',
  jpeg: 'jpeg',
  png: 'png',
  gif: 'gif',
  webp: 'webp',
  avif: 'avif',
} as const;
type WantedFormat = (typeof FORMATS)[keyof typeof FORMATS];

/** A parsed query; a repeated parameter has several values. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Parses a query; returns null if it does not change an image. Names and keywords are case-insensitive; the last
 * of repeated parameters counts. Unknown parameters and invalid values are ignored: no query is an error.
 */
export function parseRenditionRequest(query: Query): RenditionRequest | null {
  const get = reader(query);
  const size = parseSize(get);
  const request = {
    ...size,
    mode: oneOf(MODES, get('mode')) ?? 'pad',
    anchor: parseAnchor(get('anchor')),
    center: parseCenter(get('center')),
    crop: parseCrop(get('crop'), get('cropmode')),
    isUpscaled: get('upscale')?.toLowerCase() !== 'false',
    isReduced: get('upscale')?.toLowerCase() === 'never',
    quality: parseQuality(get('quality')),
    format: parseFormat(get('format')),
    background: parseColor(get('bgcolor')),
  };
  const { width, height, crop, quality, format, background } = request;
  const changes = [width, height, crop, quality, format, background];
  return changes.some((change) => change !== null) ? request : null;
}

type Get = (name: string) => string | undefined;

function reader(query: Query): Get {
  const values = new Map<string, string | undefined>();
  for (const [name, value] of Object.entries(query)) {
    values.set(name.toLowerCase(), (typeof value === 'string' ? value : value?.at(-1))?.trim());
  }
  return (name) => values.get(name);
}

/** Parses the size. A missing side may be given as its ratio to the other side. */
function parseSize(get: Get): { width: number | null; height: number | null } {
  const width = parseSide(get('width'));
  const height = parseSide(get('height'));
  const widthRatio = parsePositive(get('widthratio'));
  const heightRatio = parsePositive(get('heightratio'));
  if (width === null && height !== null && widthRatio !== null && heightRatio === null) {
    return { width: toSide(height * widthRatio), height };
  }
  if (height === null && width !== null && heightRatio !== null && widthRatio === null) {
    return { width, height: toSide(width * heightRatio) };
  }
  return { width, height };
}

/** Parses the length of a side: Umbraco writes fractions of pixels, and old templates write a unit. */
function parseSide(text: string | undefined): number | null {
  const value = parsePositive(text?.replace(/px$/i, ''));
  return value === null ? null : toSide(value);
}

function toSide(value: number): number | null {
  return Math.round(value) || null;
}

function parsePositive(text: string | undefined): number | null {
  const value = parseNumber(text);
  return value !== null && value > 0 ? value : null;
}

/** Accepts no exponents and no signs, unlike JavaScript's `Number`. */
function parseNumber(text: string | undefined): number | null {
  return text !== undefined && /^(?:\d{1,9}(?:\.\d*)?|\.\d+)$/.test(text) ? Number(text) : null;
}

function parseNumbers(text: string | undefined, count: number): number[] | null {
  const values = text?.split(',').map((part) => parseNumber(part.trim())) ?? [];
  const known = values.filter((value) => value !== null);
  return values.length === count && known.length === count ? known : null;
}

function oneOf<T extends string>(words: readonly T[], text: string | undefined): T | null {
  return words.find((word) => word === text?.toLowerCase()) ?? null;
}

/** Parses `topleft`, `bottom`, `center`, …; returns null for any other text. */
function parseAnchor(text: string | undefined): Point | null {
  const match = /^(?:center|(top|bottom)?(left|right)?)$/i.exec(text ?? '');
  if (!text || match === null) return null;
  const [, vertical, horizontal] = match;
  return {
    x: edge(horizontal, 'left', 'right'),
    y: edge(vertical, 'top', 'bottom'),
  };
}

function edge(text: string | undefined, start: string, end: string): number {
  const word = text?.toLowerCase();
  return word === start ? 0 : word === end ? 1 : 0.5;
}

/** Parses the center, whose order is y, x: the reverse of all other parameters. */
function parseCenter(text: string | undefined): Point | null {
  const [y, x] = parseNumbers(text, 2) ?? [];
  return x !== undefined && y !== undefined && x <= 1 && y <= 1 ? { x, y } : null;
}

function parseCrop(text: string | undefined, mode: string | undefined): Crop | null {
  const [left, top, third, fourth] = parseNumbers(text, 4) ?? [];
  if (left === undefined || top === undefined) return null;
  if (third === undefined || fourth === undefined) return null;
  if (mode?.toLowerCase() === 'percentage') {
    const [x1, y1, x2, y2] = [left, top, third, fourth].map(toFraction) as Four;
    return x1 + x2 < 1 && y1 + y2 < 1
      ? { unit: 'fraction', left: x1, top: y1, right: x2, bottom: y2 }
      : null;
  }
  return { unit: 'pixels', rect: { left, top, width: third, height: fourth } };
}

type Four = [number, number, number, number];

/** Converts a value to a fraction: older templates write percentages. */
function toFraction(value: number): number {
  return value > 1 ? value / 100 : value;
}

function parseQuality(text: string | undefined): number | null {
  const value = parseNumber(text);
  return value === null ? null : Math.min(100, Math.max(1, Math.round(value)));
}

function parseFormat(text: string | undefined): WantedFormat | null {
  const name = text?.toLowerCase();
  return name !== undefined && Object.hasOwn(FORMATS, name)
    ? FORMATS[name as keyof typeof FORMATS]
    : null;
}
