import { BlobNotFoundError, BlobSizeError } from '../../blob/blob-store.ts';
import type { ByteRange } from '../../blob/byte-range.ts';
import type { BlobBytes } from '../../blob/memory.ts';
import { fileExtension } from '../../lib/filename.ts';
import { RenderBusyError } from '../../media/decode-memory.ts';
import { BrokenImageError, ImageTooLargeError, SlowImageError } from '../../media/probe.ts';
import { LostMotionError, type RenderPlan, renderImage } from '../../media/render.ts';
import type { SentFileRow } from '../../store/file/sent-file.ts';
import {
  deleteRendition,
  findRendition,
  updateRenditionUsed,
} from '../../store/rendition/rendition.ts';
import type { RenditionRow } from '../../store/table.ts';
import type { Context } from '../context.ts';
import { ServerBusyError } from '../error.ts';
import { writeFailure } from '../failure.ts';
import {
  FileGoneError,
  findFileAt,
  isPrivate,
  type OpenedFile,
  openFile,
  openRow,
  type Proof,
} from '../file/file.ts';
import { md5Of, storeMadeBytes } from '../file/made-bytes.ts';
import { viewerSubject } from '../viewer/subject.ts';
import { keepRendition } from './cache.ts';
import { focusOf } from './focus.ts';
import { boxOnLadder } from './ladder.ts';
import { planRendition, specOf, toSource } from './plan.ts';
import { parseRenditionRequest, type Query, type RenditionRequest } from './request.ts';

/** A rendition whose bytes are stored, or in memory if the cache cannot hold them. */
export type Rendition = RenditionRow | UnkeptRendition;

interface UnkeptRendition
  extends Pick<RenditionRow, 'md5' | 'mime_type' | 'size_bytes' | 'created_at'> {
  bytes: Buffer;
}

/** Time limit for one rendition, not counting the wait for a turn. */
const RENDER_TIMEOUT_MS = 10_000;

/** How long the queue of renditions remembers that one took too long. */
const SLOW_RETRY_MS = 60_000;

/** Maximum wait for a turn. Few people wait longer for an image to appear. */
const PATIENCE_MS = 20_000;

/** The interval of writes of the last use: an image on a busy page would otherwise cause a write at every request. */
const USE_NOTED_MS = 3_600_000;

/**
 * Returns the rendition that a query asks for of the file behind `/media/{dir}/{urlName}`; null if there is no such file
 * for the viewer: see `findFileAt`. Returns the file itself if the query asks for no rendition, or if the file is not an
 * image, cannot be rendered, or is an animation whose rendition would stand still. Without a credential or a signature,
 * which also covers the query, its size is rounded to the ladder: otherwise strangers could have every image rendered in
 * millions of sizes. `mode=crop` cuts around the focal point of the media item, as the URLs that Umbraco writes do, unless
 * the query has its own center or anchor. Throws ServerBusyError, FileGoneError.
 */
export async function openRendition(
  ctx: Context,
  dir: string,
  urlName: string,
  query: Query,
  proof: Proof = {},
): Promise<OpenedFile | null> {
  const request = parseRenditionRequest(query);
  if (request === null) return openFile(ctx, dir, urlName, proof);
  const file = await findFileAt(ctx, dir, urlName, proof);
  if (file === undefined) return null;
  const source = toSource({ ...file, mimeType: file.mime_type });
  // A damaged file has no renditions: its row says so when it is read.
  if (source === null || file.damaged_at !== null) return openRow(ctx, file);
  const rounded = boxOnLadder(request, source, []);
  const isExact = proof.isSigned || ctx.viewer.kind !== 'anonymous';
  const { focalPoint } = isCut(request) ? await focusOf(ctx, file.media_id) : { focalPoint: null };
  const plan = planRendition(isExact ? request : rounded, source, focalPoint);
  return {
    ...(plan === null ? await openRow(ctx, file) : await openPlan(ctx, file, plan)),
    dependsOnViewer: rounded.width !== request.width || rounded.height !== request.height,
  };
}

/** Tells whether a request depends on the focal point. Other requests do not look it up. */
function isCut({ mode, width, height, center, anchor }: RenditionRequest): boolean {
  const isBox = width !== null && height !== null;
  return mode === 'crop' && isBox && center === null && anchor === null;
}

/** Opens a rendition, or the file itself if it cannot be rendered. */
async function openPlan(ctx: Context, file: SentFileRow, plan: RenderPlan): Promise<OpenedFile> {
  return (await openRendered(ctx, file, plan)) ?? openRow(ctx, file);
}

/**
 * Opens a rendition; null if it cannot be rendered. Throws ServerBusyError, also if rendering takes too long: the image may be
 * in time when the server has less to do, and megabytes of the original would not help. Throws FileGoneError.
 */
export async function openRendered(
  ctx: Context,
  file: SentFileRow,
  plan: RenderPlan,
): Promise<OpenedFile | null> {
  try {
    return open(ctx, file, await findOrRender(ctx, file, plan));
  } catch (error) {
    if (error instanceof LostMotionError) return null;
    if (error instanceof SlowImageError) throw new ServerBusyError(SLOW_RETRY_MS);
    if (!isUnrenderable(error)) throw error;
    ctx.log.warn({ file: file.uuid, reason: error.message }, 'an image cannot be rendered');
    return null;
  }
}

/** Opens a rendition that has been rendered before; null if there is none. */
export async function openKept(
  ctx: Context,
  file: SentFileRow,
  plan: RenderPlan,
): Promise<OpenedFile | null> {
  const found = await findKept(ctx, file, specOf(plan));
  return found && open(ctx, file, found);
}

function isUnrenderable(error: unknown): error is Error {
  return error instanceof BrokenImageError || error instanceof ImageTooLargeError;
}

async function findOrRender(ctx: Context, file: SentFileRow, plan: RenderPlan): Promise<Rendition> {
  const spec = specOf(plan);
  const found = await findKept(ctx, file, spec);
  ctx.observer.renditionSought(found !== null);
  if (found !== null) return found;
  const work = async () => {
    // Another process may have created it while this one waited for its turn.
    const made = await findRendition(ctx.db, file.blob_key, spec);
    return made ?? ctx.observer.render('request', () => render(ctx, file, plan));
  };
  return ctx.renders.run(`${file.blob_key} ${spec}`, work, viewerSubject(ctx));
}

async function findKept(
  ctx: Context,
  file: SentFileRow,
  spec: string,
): Promise<RenditionRow | null> {
  const found = await findRendition(ctx.db, file.blob_key, spec);
  if (found === undefined) return null;
  await noteUse(ctx, found);
  return found;
}

async function noteUse({ db, clock }: Context, { id, used_at }: RenditionRow): Promise<void> {
  const now = clock();
  const noted = now - USE_NOTED_MS;
  if (used_at <= noted) await updateRenditionUsed(db, id, { now, noted });
}

async function render(ctx: Context, file: SentFileRow, plan: RenderPlan): Promise<Rendition> {
  const { imagePixelsMax: pixelsMax, renditionCacheBytesMax } = ctx.settings;
  const limits = { pixelsMax, timeoutMs: RENDER_TIMEOUT_MS, patienceMs: PATIENCE_MS };
  const { bytes } = await ctx.blobs
    .withLocalFile(file.blob_key, (path) => renderImage(path, plan, limits))
    .catch((cause) => {
      if (cause instanceof RenderBusyError) throw new ServerBusyError();
      throw cause instanceof BlobNotFoundError ? new FileGoneError(file, { cause }) : cause;
    });
  const mime_type = `image/${plan.format}`;
  const made = { mime_type, size_bytes: bytes.length, created_at: ctx.clock() };
  const unkept = async () => ({ ...made, bytes, md5: await md5Of(bytes) });
  if (bytes.length > renditionCacheBytesMax) return unkept();
  try {
    const { blobKey, md5 } = await storeMadeBytes(ctx, bytes);
    const row = { ...made, md5, spec: specOf(plan), blob_key: blobKey };
    return (await keepRendition(ctx, file, row)) ?? { ...row, bytes };
  } catch (error) {
    // Its request only reads. The sweep deletes the bytes that no row refers to.
    if (writeFailure(error) === null) throw error;
    ctx.log.warn({ err: error }, 'a rendition cannot be kept');
    return unkept();
  }
}

function open(ctx: Context, file: SentFileRow, rendition: Rendition): OpenedFile {
  return {
    file: {
      filename: renamed(file, rendition.mime_type),
      mimeType: rendition.mime_type,
      sizeBytes: rendition.size_bytes,
      md5: rendition.md5,
      updatedAt: new Date(rendition.created_at),
      isPrivate: isPrivate(file),
    },
    read: async (range) =>
      'bytes' in rendition ? clip(rendition.bytes, range) : readKept(ctx, file, rendition, range),
  };
}

async function readKept(
  { blobs, db }: Context,
  file: SentFileRow,
  { id, blob_key, size_bytes }: RenditionRow,
  range: ByteRange | undefined,
): Promise<BlobBytes> {
  try {
    return await blobs.readSized(blob_key, size_bytes, range);
  } catch (cause) {
    if (!(cause instanceof BlobNotFoundError || cause instanceof BlobSizeError)) throw cause;
    // Lost bytes can be rendered again: the next request finds no row, and does so.
    await deleteRendition(db, id);
    throw new FileGoneError(file, { cause });
  }
}

function clip(bytes: Buffer, range: ByteRange | undefined): Buffer {
  return range === undefined ? bytes : bytes.subarray(range.start, range.end + 1);
}

/** Returns the file name with the extension of the format: `photo.jpg` as WebP is `photo.webp`. */
function renamed({ filename, mime_type }: SentFileRow, mimeType: string): string {
  if (mime_type === mimeType) return filename;
  const extension = fileExtension(filename);
  const stem = extension === null ? filename : filename.slice(0, -(extension.length + 1));
  return `${stem}.${mimeType === 'image/jpeg' ? 'jpg' : mimeType.slice('image/'.length)}`;
}
