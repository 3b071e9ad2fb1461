import { buffer } from 'node:stream/consumers';
import type { Staging } from '../../blob/staging.ts';
import {
  BrokenImageError,
  DamagedImageError,
  ImageTooLargeError,
  probeImage,
} from '../../media/probe.ts';
import { type Sniffed, sniffFile } from '../../media/sniff.ts';
import type { OpenSource, Source } from '../../media/source.ts';
import { isUniqueViolation } from '../../store/error.ts';
import { type Context, transact } from '../context.ts';
import { DomainError, UnsupportedMediaError } from '../error.ts';
import { deleteBytes } from '../file/delete-bytes.ts';
import { stripLocation } from '../file/strip-location.ts';
import { checkQuota } from '../viewer/quota.ts';
import { checkContent, chooseType, type FileType, type Policy } from './policy.ts';
import type { StagedFile } from './staging.ts';

/** The rows that staged files are stored in, new or existing. */
export interface Destination<T> {
  policy: Policy;
  /** Number of media that `write` creates, for the quota. (Default: 1) */
  items?: number;
  /** The staged files, under the names and keys that they will have. */
  files: readonly StagedFile[];
  /** Writes the rows of the files, inside a transaction. The bytes are already in the blob store. */
  write: (ctx: Context, files: readonly ExaminedFile[]) => Promise<T>;
  /**
   * Creates the error to throw if a concurrent request has written the same rows first. If present, `write` is tried
   * three times before this error is thrown. All three fail only if other requests insert and delete the same row at
   * the same time. If absent, the unique violation is thrown at once.
   */
  conflict?: () => DomainError;
}

/**
 * Opens a destination. Rejects an invalid request before any bytes move, so that only the staged bytes have to be
 * deleted.
 */
export type Into<T> = (ctx: Context, staged: readonly StagedFile[]) => Promise<Destination<T>>;

/** A staged file whose content is known and accepted. */
export interface ExaminedFile extends StagedFile {
  type: FileType;
  mimeType: string;
  /** Width and height of an image in pixels; null for anything else, and for an image that cannot be decoded. */
  size: { width: number; height: number } | null;
  /** True if the sender gave no name: `filename` then comes from the content. */
  isUnnamed: boolean;
}

/** Milliseconds within which an image must be decoded. */
const PROBE_TIMEOUT_MS = 20_000;

/** See `Destination.conflict`. */
const TRIES_MAX = 3;

/**
 * Takes staged files into a destination. Every upload of every dialect passes through here: it detects the type of each
 * file, applies the policy, probes images, moves the bytes into the blob store, and only then writes the rows.
 *
 * If the files are refused, no row is written and their bytes are deleted, unless `isKeptWhenRefused`. After any other
 * failure, such as a lost database connection, the rows may exist; the sweep decides then whether the bytes are
 * deleted. Throws UnsupportedMediaError, TooLargeError, InvalidInputError, QuotaExceededError, and the errors of the
 * destination.
 */
export async function take<T>(
  ctx: Context,
  staged: readonly StagedFile[],
  into: Into<T>,
): Promise<T> {
  const held = [...staged];
  return orDrop(ctx, held, async () => {
    const destination = await into(ctx, staged);
    const files: ExaminedFile[] = [];
    const sent: string[] = [];
    for (const file of destination.files) {
      const kept = await keptBytes(ctx, await examine(ctx, file, destination.policy));
      files.push(kept);
      if (kept.blobKey === file.blobKey) continue;
      sent.push(file.blobKey);
      held.push({ ...kept, isKeptWhenRefused: undefined });
    }
    const result = await storeAndWrite(ctx, destination, files);
    // The bytes as they were sent, of which others are stored.
    for (const blobKey of sent) await ctx.staging.discard(blobKey);
    return result;
  });
}

/** Returns the file as it is stored: without its location, if the server removes that. */
function keptBytes(ctx: Context, file: ExaminedFile): Promise<ExaminedFile> | ExaminedFile {
  return ctx.settings.stripLocation === 'always' ? stripLocation(ctx, file) : file;
}

/**
 * Takes staged files whose content is known, as copies of stored files, into a destination, as `take` does. Throws
 * QuotaExceededError, and the errors of the destination.
 */
export function takeKnown<T>(
  ctx: Context,
  files: readonly ExaminedFile[],
  destination: Omit<Destination<T>, 'policy' | 'files'>,
): Promise<T> {
  return orDrop(ctx, files, () => storeAndWrite(ctx, destination, files));
}

async function orDrop<T>(
  ctx: Context,
  staged: readonly StagedFile[],
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DomainError || isUniqueViolation(error)) await dropRefused(ctx, staged);
    throw error;
  }
}

async function storeAndWrite<T>(
  ctx: Context,
  destination: Omit<Destination<T>, 'policy' | 'files'>,
  files: readonly ExaminedFile[],
): Promise<T> {
  for (const file of files) await store(ctx, file);
  return write(ctx, destination, files);
}

/** Returns the only file, for a destination that holds one. */
export function onlyFile(files: readonly ExaminedFile[]): ExaminedFile {
  const [file, ...others] = files;
  if (file === undefined || others.length > 0) throw new Error(`Got ${files.length} files, not 1`);
  return file;
}

/** Moves the bytes of a file into the blob store. */
function store({ blobs, staging }: Context, { blobKey, sizeBytes, content }: StagedFile) {
  if (content === undefined) return staging.promote(blobKey, sizeBytes);
  return blobs.put(blobKey, sizeBytes, [content]);
}

/** Determines the type of a file and checks it against the policy. The bytes do not move. */
async function examine(ctx: Context, file: StagedFile, policy: Policy): Promise<ExaminedFile> {
  const { staging } = ctx;
  if (file.content !== undefined) return examineSource(ctx, file, policy, file.content);
  if (!staging.isLocal) {
    // A local copy of a large file takes as long as its upload. The type needs few bytes, and only images are decoded.
    const sniffed = await sniffFile(rangesOf(staging, file), { filename: file.filename });
    if (sniffed.kind !== 'image') {
      checkContent(ctx, file, sniffed);
      return accept(ctx, file, policy, { ...NOT_PROBED, sniffed });
    }
  }
  return staging.withLocalFile(file.blobKey, (path) => examineSource(ctx, file, policy, path));
}

async function examineSource(
  ctx: Context,
  file: StagedFile,
  policy: Policy,
  source: Source,
): Promise<ExaminedFile> {
  const sniffed = await sniffFile(source, { filename: file.filename });
  checkContent(ctx, file, sniffed);
  const probed = sniffed.kind === 'image' ? await probe(ctx, source, sniffed) : NOT_PROBED;
  return accept(ctx, file, policy, { ...probed, sniffed });
}

function accept(
  ctx: Context,
  file: StagedFile,
  policy: Policy,
  { sniffed, size, whyBroken }: Probe & { sniffed: Sniffed },
): ExaminedFile {
  const type = chooseType(ctx, sniffed, whyBroken, policy);
  const isUnnamed = !isNamed(file);
  const filename = isUnnamed ? nameOf(sniffed) : file.filename;
  return { ...file, filename, isUnnamed, type, mimeType: sniffed.mimeType, size };
}

/**
 * Tells whether a user has chosen the name of a file: a browser's form names an image that a page has redrawn "blob".
 */
export function isNamed({ filename }: Pick<StagedFile, 'filename'>): boolean {
  return filename !== '' && filename !== 'blob';
}

function nameOf({ kind, extension }: Sniffed): string {
  return extension === null ? kind : `${kind}.${extension}`;
}

interface Probe {
  /** Null for a damaged image. */
  size: ExaminedFile['size'];
  /** Why a damaged image cannot be decoded; null if it can. */
  whyBroken: string | null;
}

const NOT_PROBED: Probe = { size: null, whyBroken: null };

/** Throws UnsupportedMediaError for an image that is dangerous to open. */
async function probe({ settings }: Context, source: Source, { mimeType }: Sniffed): Promise<Probe> {
  try {
    const limits = { pixelsMax: settings.imagePixelsMax, timeoutMs: PROBE_TIMEOUT_MS };
    return { size: await probeImage(source, limits, mimeType), whyBroken: null };
  } catch (error) {
    if (error instanceof DamagedImageError) return { size: null, whyBroken: error.message };
    if (error instanceof BrokenImageError || error instanceof ImageTooLargeError) {
      throw new UnsupportedMediaError(mimeType, error.message, { cause: error });
    }
    throw error;
  }
}

async function write<T>(
  ctx: Context,
  { write, conflict, items = 1 }: Omit<Destination<T>, 'policy' | 'files'>,
  files: readonly ExaminedFile[],
): Promise<T> {
  // An upload session reserved its room when it began.
  const isReserved = files.some(({ isKeptWhenRefused }) => isKeptWhenRefused);
  const storedBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const demand = isReserved ? {} : { items, storedBytes };
  for (let tries = 1; ; tries++) {
    try {
      return await transact(ctx, async (ctx) => {
        await checkQuota(ctx, demand);
        return write(ctx, files);
      });
    } catch (error) {
      if (conflict === undefined || !isUniqueViolation(error)) throw error;
      if (tries === TRIES_MAX) throw conflict();
    }
  }
}

async function dropRefused(ctx: Context, files: readonly StagedFile[]): Promise<void> {
  for (const { blobKey, isKeptWhenRefused } of files) {
    if (!isKeptWhenRefused) await deleteBytes(ctx, blobKey);
  }
}

/** Reads staged bytes where a source wants them. Their sizes are known, so that no read is past the end. */
function rangesOf(
  staging: Staging,
  { blobKey, sizeBytes }: Pick<StagedFile, 'blobKey' | 'sizeBytes'>,
): OpenSource {
  return {
    sizeBytes,
    async read(memory, lengthBytes, position) {
      const end = Math.min(position + lengthBytes, sizeBytes) - 1;
      if (end < position) return 0;
      const bytes = await buffer(await staging.read(blobKey, { start: position, end }));
      return bytes.copy(memory);
    },
  };
}
