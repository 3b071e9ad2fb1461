import { deserialize, serialize } from 'node:v8';
import { z } from 'zod';
import { cleanFilename } from '../../lib/filename.ts';
import { type Context, transact } from '../context.ts';
import { InvalidInputError } from '../error.ts';
import { freeText, parseInput } from '../input.ts';
import { foldersByIds } from '../tree/folder.ts';
import type { MediaFilter } from '../tree/media-filter.ts';
import { idsOfKeys, someNodes } from '../tree/node-key.ts';
import { authorize } from '../viewer/access.ts';
import { type AuditTarget, recordAudit } from '../viewer/audit.ts';
import { markOf, type ViewerMark } from '../viewer/viewer-mark.ts';
import { countSelected, type Selection } from './archive-selection.ts';
import { lifetimeSeconds, signPath } from './signed-url.ts';

/** The path of archives. */
export const ARCHIVE_PATH = '/archive';

const archiveInput = z.object({
  ids: someNodes.transform(idsOfKeys).nullish(),
  folderId: z.int().positive().nullish(),
  filter: z.custom<MediaFilter>().nullish(),
  name: freeText(255).nullish(),
  expiresInSeconds: lifetimeSeconds,
});

/** A selection, exactly one of `ids`, `folderId` and `filter`, and the name of the archive. */
export type ArchiveInput = z.input<typeof archiveInput>;

/** What the URL of an archive says. */
export interface ArchiveOrder {
  /** Name of the file that a browser saves. */
  name: string;
  selection: Selection;
  viewer: ViewerMark;
}

/** Maximum size of a filter in a URL, in bytes: proxies refuse URLs of more than 8 KiB. */
const FILTER_BYTES_MAX = 2048;

/**
 * Returns the path of an archive of media, with a signature. Whoever has it reads the files that the viewer may see at
 * the time of the download. Throws NotFoundError, InvalidInputError.
 */
export async function createArchiveUrl(
  ctx: Context,
  input: ArchiveInput,
): Promise<{ path: string; expiresAt: Date }> {
  authorize(ctx, 'archive.create');
  const { name, expiresInSeconds, ...given } = parseInput(archiveInput, input);
  const selection = toSelection(given);
  const files = await countSelected(ctx, selection);
  const target = await targetOf(ctx, selection);
  const of = encodeOrder({
    name: toArchiveName(name || target.name || 'files'),
    selection,
    viewer: markOf(ctx, ctx.viewer),
  });
  const path = signPath(ctx, ARCHIVE_PATH, { expiresInSeconds }, { of });
  const ids = selection.by === 'ids' ? { ids: selection.ids } : {};
  await transact(ctx, (ctx) =>
    recordAudit(ctx, { action: 'archive', target, details: { files, ...ids } }),
  );
  const expiresAt = new Date((Math.floor(ctx.clock() / 1000) + expiresInSeconds) * 1000);
  return { path, expiresAt };
}

/** Returns what the URL of an archive says. The caller has checked its signature. */
export function decodeOrder(of: string): ArchiveOrder {
  return deserialize(Buffer.from(of, 'base64url')) as ArchiveOrder;
}

/** Encodes as V8 does, because a filter may contain values that JSON has not, such as dates. */
function encodeOrder(order: ArchiveOrder): string {
  return serialize(order).toString('base64url');
}

function toSelection({
  ids,
  folderId,
  filter,
}: Pick<z.output<typeof archiveInput>, 'ids' | 'folderId' | 'filter'>): Selection {
  const given = [ids, folderId, filter].filter((value) => value !== null && value !== undefined);
  if (given.length === 0) {
    throw InvalidInputError.of('ids', 'REQUIRED', 'Give `ids`, `folderId` or `filter`.');
  }
  if (given.length > 1) {
    const message = 'Give only one of `ids`, `folderId` and `filter`.';
    throw InvalidInputError.of('ids', 'CONFLICT', message);
  }
  if (ids) return { by: 'ids', ids };
  if (folderId) return { by: 'folder', id: folderId };
  if (serialize(filter).length > FILTER_BYTES_MAX) {
    const message = `The filter of an archive has at most ${FILTER_BYTES_MAX} bytes.`;
    throw InvalidInputError.of('filter', 'TOO_BIG', message);
  }
  return { by: 'filter', filter: filter ?? {} };
}

/** Returns the target of the entry in the audit log: a folder, or media that are not named. */
async function targetOf(ctx: Context, selection: Selection): Promise<AuditTarget> {
  if (selection.by !== 'folder') return { kind: 'media', id: null, name: null };
  const [folder] = await foldersByIds(ctx, [selection.id], ['id', 'name']);
  return { kind: 'folder', id: selection.id, name: folder?.name ?? null };
}

/** Returns the name of the file that a browser saves. */
function toArchiveName(name: string): string {
  const stem = cleanFilename(name.replace(/[/\\]/g, '_').replace(/\.zip$/i, ''));
  return `${stem || 'files'}.zip`;
}
