import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Placement, UploadedMedia } from '../../client/operation.ts';
import { UploadError } from '../../client/upload/upload-error.ts';
import { cleanFilename } from '../../lib/filename.ts';
import type { Connection } from '../connection.ts';
import {
  FindByDigestDocument,
  type FindByDigestQuery,
  FindViewerDocument,
  TagMediaDocument,
} from '../document.ts';
import type { LocalFile } from './local-file.ts';

type Found = FindByDigestQuery['medias']['nodes'][number];

/** Finds media that an earlier run has uploaded. */
export interface ExistingMedia {
  /**
   * Returns the media item in the destination that has the content of a file, with or without its location, its name, and the title, type and
   * tags that are wanted; null if there is none. Adds missing tags if the viewer may do that. Throws UploadError.
   */
  find(file: LocalFile, placement: Placement, signal: AbortSignal): Promise<UploadedMedia | null>;
}

/**
 * Creates the search. A server that removes the location of uploads (`TRIVIUM_STRIP_LOCATION=always`) holds another content
 * than was sent: `md5WithoutLocation` returns the MD5 of that, null for a file without location.
 */
export function createExistingMedia(
  connection: Connection,
  md5WithoutLocation: (path: string) => Promise<string | null>,
): ExistingMedia {
  const findViewerId = once(async () => (await connection.ask(FindViewerDocument, {})).viewer.id);
  async function findBy(
    md5: string,
    file: LocalFile,
    placement: Placement,
    signal: AbortSignal,
  ): Promise<UploadedMedia | null> {
    const { folderId } = placement;
    const filter = folderId === undefined ? { md5, unfiled: true } : { md5, folderId };
    const { medias } = await connection.ask(FindByDigestDocument, { filter }, signal);
    const alike = medias.nodes.filter((media) => isAlike(media, file, md5, placement));
    // Unfiled media are each viewer's own pile, and a folder is everyone's.
    const owner = folderId === undefined ? await findViewerId() : null;
    for (const media of alike) {
      if (folderId === undefined && media.owner !== owner) continue;
      if (await hasTags(connection, media, placement)) return withoutExtra(media);
    }
    return null;
  }
  return {
    async find(file, placement, signal) {
      const found = await findBy(await md5Of(file, signal), file, placement, signal);
      if (found !== null) return found;
      const stripped = await md5WithoutLocation(file.path);
      signal.throwIfAborted();
      return stripped === null ? null : findBy(stripped, file, placement, signal);
    },
  };
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}

async function md5Of({ path }: LocalFile, signal: AbortSignal): Promise<string> {
  const hash = createHash('md5');
  const stream = createReadStream(path, { highWaterMark: 2 ** 20 });
  for await (const piece of stream) {
    signal.throwIfAborted();
    hash.update(piece);
  }
  return hash.digest('hex');
}

function isAlike(
  { file, title, type }: Found,
  { filename }: LocalFile,
  md5: string,
  wanted: Placement,
): boolean {
  return (
    file?.md5 === md5 &&
    file.filename === cleanFilename(filename) &&
    (wanted.title === undefined || title === wanted.title) &&
    (wanted.type === undefined || type === wanted.type)
  );
}

/** Tells whether a media item has the tags, also after adding those that are missing. */
async function hasTags(
  { change }: Connection,
  { id, tags }: Found,
  { tagIds = [] }: Placement,
): Promise<boolean> {
  const missing = tagIds.filter((tagId) => !tags.some((tag) => tag.id === tagId));
  if (missing.length === 0) return true;
  try {
    await change(TagMediaDocument, { input: { mediaIds: [id], addTagIds: missing } });
    return true;
  } catch (error) {
    const isRefused =
      error instanceof UploadError && ['FORBIDDEN', 'NOT_AUTHENTICATED'].includes(error.code);
    if (isRefused) return false;
    throw error;
  }
}

function withoutExtra({ owner, tags, ...media }: Found): UploadedMedia {
  // A media item with a file has a type of files, and a URL.
  return media as UploadedMedia;
}
