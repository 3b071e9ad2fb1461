import { z } from 'zod';
import {
  type Visibility as StoredVisibility,
  toVisibility,
  VISIBILITIES,
  VISIBILITY,
} from '../../store/scope.ts';
import type { NodeRow } from '../../store/table.ts';
import { listFoldersByIds } from '../../store/tree/folder.ts';
import type { Context } from '../context.ts';
import { InvalidInputError } from '../error.ts';
import { existing } from '../viewer/access.ts';
import type { AuditTarget, NewAuditEntry } from '../viewer/audit.ts';

/**
 * Who may see a media item and read its files. `public`: everybody. `unlisted`: the files are for everybody who knows
 * the URL. `private`: the files, too, are only for viewers who may see the media item.
 */
export type Visibility = StoredVisibility;

/** The schema of a visibility. */
export const visibilityInput = z.enum(VISIBILITIES);

/** A visibility as it is requested. `isPublic` is the earlier form of it: false means `unlisted` or `private`. */
export interface WantedVisibility {
  visibility?: Visibility | null | undefined;
  isPublic?: boolean | null | undefined;
}

/**
 * Returns the visibility of a new media item, as a value of its row: the requested one, else that of the folders that
 * contain it, the nearest first, else the default of the server. `path` is that of the new row. Throws
 * InvalidInputError.
 */
export async function visibilityOfNew(
  ctx: Context,
  wanted: WantedVisibility,
  path: string,
): Promise<number> {
  checkConsistent(wanted);
  const isGiven = wanted.visibility || wanted.isPublic;
  return wantedValue(wanted, isGiven ? VISIBILITY.public : await inheritedVisibility(ctx, path));
}

/**
 * Returns the new visibility of a media item, as a value of its row; undefined if it does not change. `isPublic: false`
 * makes no private media item more visible. Throws InvalidInputError.
 */
export function changedVisibility(
  { is_public: before }: Pick<NodeRow, 'is_public'>,
  wanted: WantedVisibility,
): number | undefined {
  checkConsistent(wanted);
  const after = wantedValue(wanted, before);
  return after === before ? undefined : after;
}

/** Returns the entry of the audit log about another visibility, given as values of rows. Null: it is inherited. */
export function visibilityEntry(
  target: AuditTarget,
  before: number | null,
  after: number | null,
): NewAuditEntry {
  const [from, to] = [before, after].map((value) => (value === null ? null : toVisibility(value)));
  return { action: 'change_visibility', target, details: { from, to } };
}

/** Returns the requested value; `otherwise`, or what `isPublic: false` makes of it, if none is named. */
function wantedValue({ visibility, isPublic }: WantedVisibility, otherwise: number): number {
  if (visibility) return VISIBILITY[visibility];
  if (isPublic) return VISIBILITY.public;
  return isPublic === false ? Math.min(otherwise, VISIBILITY.unlisted) : otherwise;
}

function checkConsistent({ visibility, isPublic }: WantedVisibility): void {
  if (!visibility || typeof isPublic !== 'boolean') return;
  if ((visibility === 'public') === isPublic) return;
  const message = 'It contradicts `visibility`. Give only one of them.';
  throw InvalidInputError.of('isPublic', 'CONFLICT', message);
}

async function inheritedVisibility(ctx: Context, path: string): Promise<number> {
  // The first id is that of the hidden root.
  const ids = path.split('/').slice(2, -1).map(Number);
  const known = ids.length === 0 ? undefined : await folderSettings(ctx, ids);
  const settings = ids.map((id) => known?.get(id) ?? null);
  return VISIBILITY[resolveVisibility(ctx, settings).visibility];
}

/**
 * Returns the visibility that each of these folders gives to new media in it; null: it inherits the one of the folder
 * above. Folders above a viewer's start nodes count, too.
 */
export async function folderSettings(
  ctx: Context,
  ids: readonly number[],
): Promise<Map<number, Visibility | null>> {
  const rows = await listFoldersByIds(ctx.db, existing(ctx), ids, ['id', 'items_visibility']);
  return new Map(
    rows.map(({ id = 0, items_visibility: value = null }) => [
      id,
      value === null ? null : toVisibility(value),
    ]),
  );
}

/** The visibility that new media in a folder get. */
export interface InheritedVisibility {
  visibility: Visibility;
  /** Whether it comes from a folder above, or is the default of the server. */
  isInherited: boolean;
}

/** Returns the visibility that a folder gives. `settings`: of the folders above it, from the top down, and its own. */
export function resolveVisibility(
  { settings: { visibilityDefault } }: Pick<Context, 'settings'>,
  settings: readonly (Visibility | null)[],
): InheritedVisibility {
  const nearest = settings.findLast((one) => one !== null);
  return {
    visibility: nearest ?? visibilityDefault,
    isInherited: (settings.at(-1) ?? null) === null,
  };
}
