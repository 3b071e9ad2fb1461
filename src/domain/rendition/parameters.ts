import type { Fit, FitRequest } from './fit.ts';

/** The format of a rendition; `auto`: the best one that the client accepts. */
export type ImageFormat = FitRequest['format'] | 'auto';

/** A rendition that a URL names. */
export interface ImageRequest extends Omit<FitRequest, 'format'> {
  format: ImageFormat;
}

/** The parameters in the path of a rendition. */
export interface ImageParameters {
  request: ImageRequest;
  /** The hour since 1970 at which the URL of a private image expires. Null: it does not expire. */
  expiryHour: number | null;
}

/** The request for an image as it is. */
export const UNCHANGED: ImageRequest = {
  width: null,
  height: null,
  fit: 'contain',
  format: 'original',
  quality: null,
  crop: null,
};

/** Returns the text of parameters, such as `w640.h360.cover.auto.q75.c-hero`. Defaults are left out. */
export function formatParameters({ request, expiryHour }: ImageParameters): string {
  const { width, height, fit, format, quality, crop } = request;
  const parts = [
    width === null ? '' : `w${width}`,
    height === null ? '' : `h${height}`,
    fit === UNCHANGED.fit ? '' : fit,
    format === UNCHANGED.format ? '' : format,
    quality === null ? '' : `q${quality}`,
    crop === null ? '' : formatCrop(crop),
    expiryHour === null ? '' : `e${expiryHour}`,
  ];
  return parts.filter((part) => part !== '').join('.');
}

/** Parses the text of parameters. Returns null for a text that `formatParameters` would not write. */
export function parseParameters(text: string): ImageParameters | null {
  const parameters: ImageParameters = { request: { ...UNCHANGED }, expiryHour: null };
  for (const part of text === '' ? [] : text.split('.')) {
    if (!setParameter(parameters, part)) return null;
  }
  return formatParameters(parameters) === text ? parameters : null;
}

/** Sets the parameter that a part of the text names. Returns false if it names none. */
function setParameter(parameters: ImageParameters, part: string): boolean {
  const { request } = parameters;
  const [, letter, digits] = /^([whqe])([1-9]\d{0,8})$/.exec(part) ?? [];
  const number = Number(digits);
  const [, coding, alias] = /^([cb])-([\w-]+)$/.exec(part) ?? [];
  if (letter === 'w') request.width = number;
  else if (letter === 'h') request.height = number;
  else if (letter === 'q') request.quality = number;
  else if (letter === 'e') parameters.expiryHour = number;
  else if (isFit(part)) request.fit = part;
  else if (isFormat(part)) request.format = part;
  else if (alias === undefined) return false;
  else request.crop = coding === 'c' ? alias : Buffer.from(alias, 'base64url').toString();
  return true;
}

/** Returns the name of a crop, in base64url if a path cannot hold it as it is. */
function formatCrop(alias: string): string {
  return /^[\w-]{1,40}$/.test(alias)
    ? `c-${alias}`
    : `b-${Buffer.from(alias).toString('base64url')}`;
}

const FITS: readonly string[] = ['contain', 'cover', 'fill', 'inside', 'outside'] satisfies Fit[];

function isFit(word: string): word is Fit {
  return FITS.includes(word);
}

const FORMATS: readonly string[] = [
  ...(['original', 'auto', 'jpeg', 'png', 'webp', 'avif', 'gif'] satisfies ImageFormat[]),
];

function isFormat(word: string): word is ImageFormat {
  return FORMATS.includes(word);
}
