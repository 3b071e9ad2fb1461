import type { Context } from '../context.ts';
import { isHourReached } from '../file/signed-url.ts';
import { isMacOf, macOf } from '../mac.ts';
import { formatParameters, type ImageParameters, parseParameters } from './parameters.ts';

type Signer = Pick<Context, 'urlKeys' | 'clock'>;

/** The address of an image, and its version. */
export interface ImagePlace {
  /** The directory of its media item's files. */
  dir: string;
  /** The last segment of the URL of the file. */
  name: string;
  version: string;
}

/** The segments of the path of a rendition, `/i/{dir}/{version}/{parameters}/{name}`. */
export interface ImageSegments extends ImagePlace {
  /** The parameters, a point, and the signature. */
  parameters: string;
}

/** A path that this server has made. */
export interface ImagePath extends ImagePlace, ImageParameters {}

/** 128 bits, so that a `srcset` stays short. */
const SIGNATURE_BYTES = 16;

/**
 * Returns the path of a rendition. Expects a canonical request. The signature covers the whole path: only viewers who may
 * see a media item get paths of its renditions, so strangers cannot make the server render others.
 */
export function formatImagePath({ urlKeys: [key = ''] }: Signer, path: ImagePath): string {
  const parameters = formatParameters(path);
  const signature = macOf(key, textOf(path, parameters), SIGNATURE_BYTES).toString('base64url');
  const signed = parameters === '' ? signature : `${parameters}.${signature}`;
  return joined({ ...path, parameters: signed });
}

/**
 * Parses a path from its segments and from `written`, the whole path as the client sent it. `invalid`: the server has not
 * signed it, or it is spelled in another way. `expired`: its signature is right, but its time is over.
 */
export function parseImagePath(
  ctx: Signer,
  segments: ImageSegments,
  written: string,
): ImagePath | 'invalid' | 'expired' {
  const { dir, name, version } = segments;
  const at = segments.parameters.lastIndexOf('.');
  const text = segments.parameters.slice(0, Math.max(0, at));
  const signature = segments.parameters.slice(at + 1);
  if (!isMacOf(ctx.urlKeys, textOf(segments, text), signature, SIGNATURE_BYTES)) return 'invalid';
  const parameters = parseParameters(text);
  if (parameters === null || joined(segments) !== written) return 'invalid';
  const { expiryHour } = parameters;
  if (expiryHour !== null && isHourReached(ctx, expiryHour)) return 'expired';
  return { dir, name, version, ...parameters };
}

function joined({ dir, version, parameters, name }: ImageSegments): string {
  return `/i/${dir}/${version}/${parameters}/${name}`;
}

function textOf({ dir, version, name }: ImagePlace, parameters: string): string {
  return JSON.stringify(['image URL', 1, dir, version, parameters, name]);
}
