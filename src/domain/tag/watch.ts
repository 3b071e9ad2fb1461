import type { Context } from '../context.ts';
import type { ChangeKind, TagEvent } from '../event/event.ts';
import { authorize } from '../viewer/access.ts';
import { type Tag, tagsByIds } from './tag.ts';

/** A change of a tag. */
export interface TagChange {
  kind: ChangeKind;
  id: number;
  /** Its current state; null after its deletion. */
  tag: Tag | null;
}

/** Returns the changes of tags. Several changes between two reads are merged. Throws like `authorize`. */
export function watchTags(ctx: Context, signal: AbortSignal): AsyncIterable<TagChange> {
  authorize(ctx, 'tag.read');
  const events = ctx.events.subscribe((event): event is TagEvent => event.type === 'tag', signal);
  return currentChanges(ctx, events);
}

async function* currentChanges(
  ctx: Context,
  events: AsyncIterable<TagEvent>,
): AsyncGenerator<TagChange> {
  for await (const { kind, id } of events) {
    const [tag = null] = kind === 'deleted' ? [] : await tagsByIds(ctx, [id]);
    // The deletion of a tag that is gone already has an event of its own.
    if (tag !== null || kind === 'deleted') yield { kind, id, tag };
  }
}
