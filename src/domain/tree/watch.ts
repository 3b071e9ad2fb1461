import { isInScope, isUnlimited } from '../../store/scope.ts';
import type { Context } from '../context.ts';
import {
  type ChangeKind,
  changedIn,
  type FolderEvent,
  type MediaChangeKind,
  type MediaEvent,
  type MediaPart,
} from '../event/event.ts';
import { scopeOf } from '../viewer/access.ts';
import { type Folder, findFolder } from './folder.ts';
import { findMedia, type Media } from './media.ts';

/** A change of a media item. */
export interface MediaChange {
  kind: MediaChangeKind;
  id: number;
  /** What has changed; empty for a new and a deleted media item. */
  changed: readonly MediaPart[];
  /** Its current state; null after its deletion. */
  media: Media | null;
}

/** A change of a folder. */
export interface FolderChange {
  kind: ChangeKind;
  id: number;
  /** Its current state; null after its deletion. */
  folder: Folder | null;
}

/**
 * Returns the changes of media that the viewer may see; with `folderId`, only of media directly in that folder, or just
 * moved out of it. Several changes between two reads are merged. A media item that leaves the viewer's scope is
 * reported as deleted.
 */
export function watchMedias(
  ctx: Context,
  { folderId }: { folderId: number | undefined },
  signal: AbortSignal,
): AsyncIterable<MediaChange> {
  const events = ctx.events.subscribe(
    (event): event is MediaEvent =>
      event.type === 'media' && (folderId === undefined || event.folderIds.includes(folderId)),
    signal,
  );
  return visibleChanges(ctx, events, {
    find: (id) => findMedia(ctx, { id }),
    toChange: (event, media) => ({
      kind: media === null ? 'deleted' : event.kind,
      id: event.id,
      changed: media === null ? [] : changedIn(event),
      media,
    }),
  });
}

/** Returns the changes of folders that the viewer may see, as `watchMedias` does. */
export function watchFolders(ctx: Context, signal: AbortSignal): AsyncIterable<FolderChange> {
  const events = ctx.events.subscribe(
    (event): event is FolderEvent => event.type === 'folder',
    signal,
  );
  return visibleChanges(ctx, events, {
    find: (id) => findFolder(ctx, { id }),
    toChange: ({ kind, id }, folder) => ({ kind: folder === null ? 'deleted' : kind, id, folder }),
  });
}

interface Watched<Event, Node, Change> {
  find: (id: number) => Promise<Node | null>;
  /** `node` is null for a node that has been deleted, or that the viewer may no longer see. */
  toChange: (event: Event, node: Node | null) => Change;
}

async function* visibleChanges<Event extends MediaEvent | FolderEvent, Node, Change>(
  ctx: Context,
  events: AsyncIterable<Event>,
  { find, toChange }: Watched<Event, Node, Change>,
): AsyncGenerator<Change> {
  for await (const event of events) {
    const { kind, id, before } = event;
    // A job may still be deleting the node, or other nodes of its folder.
    const scope = { ...scopeOf(ctx), excluding: [] };
    const seesAll = isUnlimited(scope);
    const node = kind === 'deleted' ? null : await find(id);
    if (node !== null) yield toChange(event, node);
    // A deletion has an event of its own; leaving the viewer's scope has none.
    else if ((kind === 'deleted' || !seesAll) && isInScope(scope, before)) {
      yield toChange(event, null);
    }
  }
}
