import { z } from 'zod';
import { outputSize } from '../../media/render.ts';
import type { Context } from '../context.ts';
import type { File } from '../file/file.ts';
import { expiryHourForNow } from '../file/signed-url.ts';
import { parseInput } from '../input.ts';
import { canonicalRequest } from './canonical.ts';
import type { Fit } from './fit.ts';
import type { Focus } from './focus.ts';
import { SIDE_MAX } from './geometry.ts';
import { formatImagePath } from './image-path.ts';
import { boxOnLadder } from './ladder.ts';
import { type ImageFormat, type ImageRequest, UNCHANGED } from './parameters.ts';
import { type Source, toSource } from './plan.ts';
import { versionOf } from './version.ts';

/** The properties of a file that the URLs of its renditions depend on. */
export const IMAGE_URL_NEEDS = [
  ...['urlPath', 'isPrivate', 'mimeType', 'width', 'height', 'md5'],
] as const satisfies (keyof File)[];

type ImageFile = Pick<File, (typeof IMAGE_URL_NEEDS)[number]>;

/** The parameters of a rendition other than its size. */
interface Look {
  fit?: Fit | null | undefined;
  format?: ImageFormat | null | undefined;
  quality?: number | null | undefined;
  crop?: string | null | undefined;
}

/** A rendition that a client asks for. */
export interface ImageInput extends Look {
  width?: number | null | undefined;
  height?: number | null | undefined;
}

/** The renditions of a `srcset` that a client asks for. */
export interface SrcsetInput extends Look {
  widths?: readonly number[] | null | undefined;
  aspectRatio?: number | null | undefined;
}

/** A rendition of a `srcset`. */
export interface Candidate {
  path: string;
  /** In pixels. */
  width: number;
}

/** The most candidates of a `srcset`. */
const WIDTHS_MAX = 20;

/** The widths of a `srcset`, in pixels: each step saves at least a third of the pixels. */
const WIDTHS_DEFAULT = [160, 320, 640, 960, 1280, 1920, 2560, 3840];

const side = z.int().min(1).max(SIDE_MAX);
const look = { quality: z.int().min(1).max(100).nullish() };
const imageInput = z.object({ width: side.nullish(), height: side.nullish(), ...look });
const srcsetInput = z.object({
  widths: z.array(side).max(WIDTHS_MAX).nullish(),
  aspectRatio: z.number().min(0.01).max(100).nullish(),
  ...look,
});

/**
 * Returns the path of a rendition; null for a file that cannot be rendered. The caller has found the file in the scope of
 * the viewer. Throws InvalidInputError.
 */
export function imagePathOf(
  ctx: Context,
  file: ImageFile,
  focus: Focus,
  input: ImageInput,
): string | null {
  const { width = null, height = null } = parseInput(imageInput, input);
  const source = toSource(file);
  if (source === null) return null;
  const request = { ...toLook(input, UNCHANGED.fit), width, height };
  return candidateOf(ctx, { file, source, focus, version: versionOf(file.md5, focus) }, request)
    .path;
}

/**
 * Returns the renditions of a `srcset`, in ascending order of their widths, each once; null for a file that cannot be
 * rendered. Widths that the image does not have are replaced by its greatest one. With an aspect ratio, the images are cut
 * to it, unless another fit is given. The caller has found the file in the scope of the viewer. Throws
 * InvalidInputError.
 */
export function srcsetOf(
  ctx: Context,
  file: ImageFile,
  focus: Focus,
  input: SrcsetInput,
): Candidate[] | null {
  const { widths, aspectRatio } = parseInput(srcsetInput, input);
  const source = toSource(file);
  if (source === null) return null;
  const image = { file, source, focus, version: versionOf(file.md5, focus) };
  const own = toLook(input, aspectRatio == null ? UNCHANGED.fit : 'cover');
  const wanted = widths?.length ? widths : WIDTHS_DEFAULT;
  const byWidth = new Map<number, Candidate>();
  for (const width of [...new Set(wanted)].sort((a, b) => a - b)) {
    const height = aspectRatio == null ? null : Math.max(1, Math.round(width / aspectRatio));
    const candidate = candidateOf(ctx, image, { ...own, width, height });
    // Of candidates that were reduced to the same width, the one with the greatest requested width stays.
    byWidth.set(candidate.width, candidate);
  }
  return [...byWidth.values()].sort((a, b) => a.width - b.width);
}

/** Returns the most renditions that a `srcset` of these widths may have. `widths` has not been checked. */
export function srcsetLength(widths: unknown): number {
  const given = Array.isArray(widths) ? Math.min(widths.length, WIDTHS_MAX) : 0;
  return given || WIDTHS_DEFAULT.length;
}

interface Image {
  file: ImageFile;
  source: Source;
  focus: Focus;
  version: string;
}

function candidateOf(
  ctx: Context,
  { file, source, focus, version }: Image,
  wanted: ImageRequest,
): Candidate {
  const bounded = mayChooseAnySize(ctx) ? wanted : boxOnLadder(wanted, source, focus.crops);
  const { request, plan } = canonicalRequest(bounded, source, focus);
  const [dir = '', name = ''] = file.urlPath.split('/').slice(2);
  const expiryHour = file.isPrivate ? expiryHourForNow(ctx) : null;
  const path = formatImagePath(ctx, { dir, name, version, request, expiryHour });
  return { path, width: outputSize(plan).width };
}

/**
 * Tells whether the viewer gets exact sizes. Anonymous viewers get sizes of the ladder, as at the URL of the file: otherwise
 * they could make the server render every public image in millions of sizes. A server with `TRIVIUM_AUTH=open` trusts
 * everyone.
 */
function mayChooseAnySize({ viewer, settings }: Context): boolean {
  return viewer.kind !== 'anonymous' || settings.auth === 'open';
}

function toLook(input: Look, fit: Fit): ImageRequest {
  return {
    ...UNCHANGED,
    fit: input.fit ?? fit,
    format: input.format ?? UNCHANGED.format,
    quality: input.quality ?? null,
    crop: input.crop ?? null,
  };
}
