import { isInScope, isUnlimited } from '../../store/scope.ts';
import type { Context } from '../context.ts';
import type { MediaChangeKind, MediaEvent } from '../event/event.ts';
import { scopeOf } from '../viewer/access.ts';
import { findMedia, type Media } from './media.ts';

/** A change of a media item. */
export interface MediaChange {
  kind: MediaChangeKind;
  id: number;
  /** Its current state; null after its deletion. */
  media: Media | null;
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
  return visibleChanges(ctx, events);
}

async function* visibleChanges(
  ctx: Context,
  events: AsyncIterable<MediaEvent>,
): AsyncGenerator<MediaChange> {
  for await (const { kind, id, before } of events) {
    // A job may still be deleting the media item, or other nodes of its folder.
    const scope = { ...scopeOf(ctx), excluding: [] };
    const seesAll = isUnlimited(scope);
    const media = kind === 'deleted' ? null : await findMedia(ctx, { id });
    if (media !== null) yield { kind, id, media };
    // A deletion has an event of its own; leaving the viewer's scope has none.
    else if ((kind === 'deleted' || !seesAll) && isInScope(scope, before)) {
      yield { kind: 'deleted', id, media };
    }
  }
}
