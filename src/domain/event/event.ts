import { createEventBus, type EventBus } from '../../lib/event-bus.ts';
import { type ScopeColumns, VISIBILITY } from '../../store/scope.ts';
import { SubscriptionLaggedError } from '../error.ts';

/**
 * A committed change. An event names a thing and does not contain it: a subscriber reads the thing with its own
 * viewer, and gets its current state.
 */
export type DomainEvent = (UploadEvent | JobEvent | MediaEvent) & {
  /** True if another process of the same database has published it. */
  isElsewhere?: true;
};

/** A chunk has been stored, or the upload session has ended. */
export interface UploadEvent {
  type: 'upload';
  uploadId: string;
  /** The current state; null after the end. */
  session: UploadProgress | null;
  /** True once it is completed or aborted: no event follows. */
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

/** A job has been created, changed or deleted. */
export interface JobEvent {
  type: 'job';
  id: number;
  /** Progress that a run has reported and that may not be written yet. */
  progress?: { fraction: number; runStartedAt: number };
}

/** A media item has been created, changed or deleted. */
export interface MediaEvent {
  type: 'media';
  kind: MediaChangeKind;
  id: number;
  /**
   * The columns that decided its visibility before the change. For a new media item: its current columns, but marked as
   * private, because nobody has seen it before.
   */
  before: ScopeColumns;
  /** The folders that contain it now, and those that contained it before the change. */
  folderIds: readonly (number | null)[];
}

/** `updated` includes changes of its tags; `moved` includes a new position in its folder. */
export type MediaChangeKind = 'created' | 'updated' | 'deleted' | 'moved';

/**
 * Returns the event of a change to a media item, from its row before the change. `movedTo`: the folder that it is in
 * now.
 */
export function mediaEvent(
  kind: MediaChangeKind,
  { id, is_public, parent_id, path, owner }: ScopeColumns,
  movedTo: number | null = parent_id,
): MediaEvent {
  const isNew = kind === 'created';
  const before = { id, is_public: isNew ? VISIBILITY.private : is_public, parent_id, path, owner };
  return { type: 'media', kind, id, before, folderIds: [parent_id, movedTo] };
}

/** The bus that operations publish to. Inside of `transact` it holds events back until the commit. */
export type Events = EventBus<DomainEvent>;

/** Maximum number of things with waiting events for one subscriber: some 200 KB at most. */
const WAITING_MAX = 1000;

/**
 * Creates the bus of one process. `createEventRelay` joins those of several processes that serve one PostgreSQL
 * database.
 */
export function createEvents(): Events {
  return createEventBus<DomainEvent>({
    keyOf,
    merge,
    waitingMax: WAITING_MAX,
    tooSlow: () => new SubscriptionLaggedError(),
  });
}

/** Creates a sink for the events of a transaction. The caller releases them after the commit, or drops them. */
export function heldBack(events: Events): { events: Events; release: () => void } {
  const held: DomainEvent[] = [];
  return {
    events: { ...events, publish: (event) => void held.push(event) },
    release: () => {
      for (const event of held) events.publish(event);
    },
  };
}

/** Returns the key of the thing that an event is about. */
export function keyOf(event: DomainEvent): string {
  return `${event.type} ${event.type === 'upload' ? event.uploadId : event.id}`;
}

/** Returns the one event that replaces two events of a thing, for a subscriber who has seen neither. */
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
  if (earlier.type === 'job' && later.type === 'job' && earlier.progress !== undefined) {
    // The event of a commit may follow a report of the run that the commit has started.
    return { progress: earlier.progress, ...later };
  }
  return later;
}

/**
 * Merges two kinds of change: a created thing stays created, a deleted one deleted unless it is restored; `moved`
 * implies `updated`.
 */
function mergeKinds(earlier: MediaChangeKind, later: MediaChangeKind): MediaChangeKind {
  if (earlier === 'deleted' && later === 'created') return 'updated';
  if (later === 'deleted' || earlier === 'updated') return later;
  return earlier;
}
