import type { Context } from '../context.ts';
import type { MediaChangeKind, MediaEvent } from '../event/event.ts';
import { isVisible, scopeOf } from '../viewer/access.ts';
import { findMedia, type Media } from './media.ts';

/** What has become of a media. */
export interface MediaChange {
  kind: MediaChangeKind;
  id: number;
  /** As it is by now; null when it is gone. */
  media: Media | null;
}

/**
 * What becomes of media that the viewer may see; with `folderId`, of those directly in that folder, or just
 * moved out of it. Several changes between two reads are one. What goes out of the viewer's sight is
 * deleted, as far as it is told.
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
  const { publicOnly, within } = scopeOf(ctx);
  const seesAll = !publicOnly && within === null;
  for await (const { kind, id, before } of events) {
    const media = kind === 'deleted' ? null : await findMedia(ctx, { id });
    if (media !== null) yield { kind, id, media };
    // What is gone by now has an event of its own; what is out of sight has none.
    else if ((kind === 'deleted' || !seesAll) && isVisible(ctx, before)) {
      yield { kind: 'deleted', id, media };
    }
  }
}
