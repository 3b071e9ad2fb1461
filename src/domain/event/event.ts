import { createEventBus, type EventBus } from '../../lib/event-bus.ts';
import type { ScopeColumns } from '../../store/scope.ts';
import { SubscriptionLaggedError } from '../error.ts';

/**
 * What has happened, and is committed. Events name things and do not hold them: who hears of one reads the
 * thing with its own viewer's eyes, and finds it as it is by then.
 */
export type DomainEvent = (UploadEvent | JobEvent | MediaEvent) & {
  /** Another process of the same database has published it. */
  isElsewhere?: true;
};

/** A chunk is safe, or the upload is over. */
export interface UploadEvent {
  type: 'upload';
  uploadId: string;
  /** Where it stands; null: not known, for it is over. */
  session: UploadProgress | null;
  /** Completed or aborted: nothing follows. */
  isOver: boolean;
}

/** The state of an upload session after a chunk. */
export interface UploadProgress {
  uploadId: string;
  filename: string;
  offsetBytes: number;
  totalBytes: number;
  expiresAt: Date;
}

/** A job is new, has changed, or is gone. */
export interface JobEvent {
  type: 'job';
  id: number;
  /** How far its run has come, 0 to 1, where that is not written yet. */
  progress?: number;
}

/** A media is new, has changed, or is gone. */
export interface MediaEvent {
  type: 'media';
  kind: MediaChangeKind;
  id: number;
  /** What told who could see it, before; of a new one, as it is, but seen by nobody without a credential. */
  before: ScopeColumns;
  /** The folders that it is in, and was in before. */
  folderIds: readonly (number | null)[];
}

/** `updated`: also its tags; `moved`: also to another place in its folder. */
export type MediaChangeKind = 'created' | 'updated' | 'deleted' | 'moved';

/** What has become of the media of a row, as the row was before; `movedTo`: the folder that it is in now. */
export function mediaEvent(
  kind: MediaChangeKind,
  { id, is_public, parent_id, path, owner }: ScopeColumns,
  movedTo: number | null = parent_id,
): MediaEvent {
  const before = { id, is_public, parent_id, path, owner };
  return { type: 'media', kind, id, before, folderIds: [parent_id, movedTo] };
}

/** What operations publish with. Inside of `transact` it keeps events back until the commit. */
export type Events = EventBus<DomainEvent>;

/** Different things that may wait for one subscriber: some 200 KB at most. */
const WAITING_MAX = 1000;

/** The bus of one process. Where several serve one PostgreSQL database, `createEventRelay` joins theirs. */
export function createEvents(): Events {
  return createEventBus<DomainEvent>({
    keyOf,
    merge,
    waitingMax: WAITING_MAX,
    tooSlow: () => new SubscriptionLaggedError(),
  });
}

/** A sink for the events of a transaction: the caller publishes them after the commit, or drops them. */
export function heldBack(events: Events): { events: Events; release: () => void } {
  const held: DomainEvent[] = [];
  return {
    events: { ...events, publish: (event) => void held.push(event) },
    release: () => {
      for (const event of held) events.publish(event);
    },
  };
}

/** What the event is about. */
export function keyOf(event: DomainEvent): string {
  return `${event.type} ${event.type === 'upload' ? event.uploadId : event.id}`;
}

/** What somebody is told of one thing who has heard neither of its two events. */
export function merge(earlier: DomainEvent, later: DomainEvent): DomainEvent {
  if (earlier.type === 'upload' && later.type === 'upload') {
    return { ...later, session: later.session ?? earlier.session };
  }
  if (earlier.type === 'media' && later.type === 'media') {
    return {
      ...later,
      kind: mergeKinds(earlier.kind, later.kind),
      before: earlier.before,
    };
  }
  return later;
}

/** New stays new, gone is gone; that it has moved says more than that it has changed. */
function mergeKinds(earlier: MediaChangeKind, later: MediaChangeKind): MediaChangeKind {
  if (later === 'deleted' || earlier === 'updated') return later;
  return earlier;
}
