import { hash } from 'node:crypto';
import { BlobNotFoundError } from '../../blob/blob-store.ts';
import { BrokenImageError, ImageTooLargeError } from '../../media/probe.ts';
import { LostMotionError, type RenderPlan } from '../../media/render.ts';
import { type FileOfMediaRow, findFileByUuid } from '../../store/file/file.ts';
import { countPendingJobs, hasOpenOrErroredJob } from '../../store/job/job.ts';
import { findRendition } from '../../store/rendition/rendition.ts';
import type { FileRow } from '../../store/table.ts';
import type { Context } from '../context.ts';
import { UnsupportedMediaError } from '../error.ts';
import { FileGoneError } from '../file/file.ts';
import { storeMadeBytes } from '../file/made-bytes.ts';
import { type JobArguments, serverUnicity } from '../job/class.ts';
import { enqueueJob } from '../job/enqueue.ts';
import { existing } from '../viewer/access.ts';
import { keepRendition } from './cache.ts';
import { planOf } from './canonical.ts';
import { focusOf } from './focus.ts';
import { formatParameters, type ImageRequest, parseParameters } from './parameters.ts';
import { specOf, toSource } from './plan.ts';
import { versionOf } from './version.ts';

/** Maximum number of waiting jobs: about ten minutes of one core. Other requests get WebP, and ask again later. */
const WAITING_MAX = 1000;

/** Below that of thumbnails, which people wait for after an upload. */
const PRIORITY = -1;

/** No request waits for it, and requests may leave it a tenth of the processor. */
const TIMEOUT_MS = 120_000;

/** An AVIF that a request needs. */
export interface WantedAvif {
  request: ImageRequest;
  version: string;
  plan: RenderPlan;
}

/**
 * Enqueues the job that creates an AVIF, unless that job is open or has failed, or too many others wait. Never throws: the
 * request is a read, and WebP serves it as well.
 */
export async function requestAvif(
  ctx: Context,
  file: Pick<FileRow, 'uuid' | 'media_id' | 'blob_key'>,
  { request, version, plan }: WantedAvif,
): Promise<void> {
  const subject = hash('sha256', `${file.blob_key} ${specOf(plan)}`);
  const unicity = serverUnicity('create-avif', subject);
  const parameters = formatParameters({ request, expiryHour: null });
  const args = { file_uuid: file.uuid, version, parameters };
  const options = { mediaId: file.media_id, unicity, priority: PRIORITY };
  try {
    if (await hasOpenOrErroredJob(ctx.db, unicity)) return;
    if ((await countPendingJobs(ctx.db, 'create-avif', WAITING_MAX)) >= WAITING_MAX) return;
    await enqueueJob(ctx, 'create-avif', args, options);
  } catch (error) {
    ctx.log.warn({ err: error, file: file.uuid }, 'the job of an AVIF cannot be enqueued');
  }
}

/**
 * Renders an image as AVIF, in the process of low priority, and keeps it as the rendition that its request looks for.
 * Keeps WebP in its place if it cannot be AVIF: an animation would stand still, a large one takes too much memory, and the
 * cache may be too small for it. Otherwise each request would enqueue the job again. Does
 * nothing if the file has been deleted, or if its bytes, focal point or crops have changed: then the rendition has another
 * URL. May be repeated after a crash at any point. Throws UnsupportedMediaError for an image that cannot be rendered,
 * FileGoneError if its bytes are lost, and the reason of `signal`.
 */
export async function createAvif(
  ctx: Context,
  { file_uuid, version, parameters }: JobArguments<'create-avif'>,
  signal?: AbortSignal,
): Promise<void> {
  const file = await findFileByUuid(ctx.db, existing(ctx), file_uuid);
  const request = parseParameters(parameters)?.request;
  const source = file && toSource({ ...file, mimeType: file.mime_type });
  if (file === undefined || request === undefined || source == null) return;
  if (file.damaged_at !== null) throw new FileGoneError(file);
  const focus = await focusOf(ctx, file.media_id);
  if (versionOf(file.md5, focus) !== version) return;
  const plan = planOf({ ...request, format: 'avif' }, source, focus);
  const substitute = planOf({ ...request, format: 'webp' }, source, focus);
  if ((await findRendition(ctx.db, file.blob_key, specOf(plan))) !== undefined) return;
  const image = await renderFirst(ctx, file, [plan, substitute]);
  signal?.throwIfAborted();
  if (image !== null) await keep(ctx, file, { ...image, spec: specOf(plan) });
}

interface Rendered {
  bytes: Buffer;
  mimeType: string;
}

/** Renders the first plan that is possible. Returns null if the file has been deleted or replaced meanwhile. */
async function renderFirst(
  ctx: Context,
  file: FileOfMediaRow,
  plans: readonly RenderPlan[],
): Promise<Rendered | null> {
  const [plan, ...others] = plans;
  if (plan === undefined) return null;
  try {
    const bytes = await render(ctx, file, plan);
    const isKept = bytes.length <= ctx.settings.renditionCacheBytesMax;
    if (!isKept && others.length > 0) return await renderFirst(ctx, file, others);
    return { bytes, mimeType: `image/${plan.format}` };
  } catch (cause) {
    if (cause instanceof BlobNotFoundError) {
      const current = await findFileByUuid(ctx.db, existing(ctx), file.uuid);
      if (current?.blob_key === file.blob_key) throw new FileGoneError(file, { cause });
      return null;
    }
    if (!isImpossible(cause)) throw cause;
    if (others.length > 0) return renderFirst(ctx, file, others);
    throw new UnsupportedMediaError(file.mime_type, cause.message, { cause });
  }
}

async function render(ctx: Context, file: FileRow, plan: RenderPlan): Promise<Buffer> {
  const limits = { pixelsMax: ctx.settings.imagePixelsMax, timeoutMs: TIMEOUT_MS };
  const image = await ctx.blobs.withLocalFile(file.blob_key, (path) =>
    ctx.renderer.renderImage(path, plan, limits),
  );
  return image.bytes;
}

function isImpossible(error: unknown): error is Error {
  return (
    error instanceof BrokenImageError ||
    error instanceof ImageTooLargeError ||
    error instanceof LostMotionError
  );
}

/** Stores the bytes and their row. The cache may delete them again, and may be too small for them. */
async function keep(
  ctx: Context,
  file: FileRow,
  { bytes, mimeType, spec }: Rendered & { spec: string },
): Promise<void> {
  const size_bytes = bytes.length;
  if (size_bytes > ctx.settings.renditionCacheBytesMax) return;
  const { blobKey, md5 } = await storeMadeBytes(ctx, bytes);
  const made = { spec, mime_type: mimeType, size_bytes, md5, blob_key: blobKey };
  try {
    await keepRendition(ctx, file, { ...made, created_at: ctx.clock() });
  } catch (error) {
    // Deleted or replaced meanwhile: nobody asks for it any more.
    if (!(error instanceof FileGoneError)) throw error;
  }
}
