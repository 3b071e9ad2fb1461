import { createEventBus, type EventBus } from '../../lib/event-bus.ts';
import { type ScopeColumns, VISIBILITY } from '../../store/scope.ts';
import type { NodeRow } from '../../store/table.ts';
import { SubscriptionLaggedError } from '../error.ts';

/**
 * A committed change. An event names a thing and does not contain it: a subscriber reads the thing with its own
 * viewer, and gets its current state.
 */
export type DomainEvent = (UploadEvent | JobEvent | MediaEvent | FolderEvent | TagEvent) & {
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
  /** What has changed. Empty for a new and a deleted media item; absent in an event of an earlier version. */
  changed?: readonly MediaPart[];
}

/**
 * A part of a media item that changes by itself: its columns, its tags, its place, a file, the thumbnail, the preview,
 * and the details that the server finds out about its files in the background.
 */
export type MediaPart = 'fields' | 'tags' | 'place' | 'file' | 'thumbnail' | 'preview' | 'details';

/** A folder has been created, changed, moved or deleted. */
export interface FolderEvent {
  type: 'folder';
  kind: ChangeKind;
  id: number;
  /** As in `MediaEvent`. */
  before: ScopeColumns;
}

/** A tag has been created, changed or deleted. */
export interface TagEvent {
  type: 'tag';
  kind: ChangeKind;
  id: number;
}

/** The kinds of changes that every thing has. */
export type ChangeKind = 'created' | 'updated' | 'deleted';

/** `updated` includes changes of its tags; `moved` includes a new position in its folder. */
export type MediaChangeKind = 'created' | 'updated' | 'deleted' | 'moved';

/**
 * Returns the event of a change to a media item, from its row before the change. `movedTo`: the folder that it is in
 * now. `changed` defaults to the columns, or the place.
 */
export function mediaEvent(
  kind: MediaChangeKind,
  row: ScopeColumns,
  movedTo: number | null = row.parent_id,
  changed: readonly MediaPart[] = CHANGED[kind],
): MediaEvent {
  const folderIds = [row.parent_id, movedTo];
  return { type: 'media', kind, id: row.id, before: scopeBefore(kind, row), folderIds, changed };
}

/** What a change changes if nobody says more. */
const CHANGED: Readonly<Record<MediaChangeKind, readonly MediaPart[]>> = {
  ...{ created: [], deleted: [] },
  ...{ updated: ['fields'], moved: ['place'] },
};

/** Returns the event of a change to these parts of a media item, from its row before the change. */
export function mediaUpdate(row: ScopeColumns, ...changed: readonly MediaPart[]): MediaEvent {
  return mediaEvent('updated', row, row.parent_id, changed);
}

/**
 * Returns the event of a change to a folder or a media item, from its row before the change. `movedTo`: see
 * `mediaEvent`.
 */
export function nodeEvent(
  kind: MediaChangeKind,
  row: ScopeColumns & Pick<NodeRow, 'type'>,
  movedTo?: number | null,
): MediaEvent | FolderEvent {
  if (row.type !== 'folder') return mediaEvent(kind, row, movedTo);
  const ofFolder = kind === 'moved' ? 'updated' : kind;
  return { type: 'folder', kind: ofFolder, id: row.id, before: scopeBefore(kind, row) };
}

function scopeBefore(
  kind: MediaChangeKind,
  { id, is_public, parent_id, path, owner }: ScopeColumns,
): ScopeColumns {
  const isNew = kind === 'created';
  return { id, is_public: isNew ? VISIBILITY.private : is_public, parent_id, path, owner };
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

/**
 * Creates a sink for the events of a transaction, which merges those of one thing. The caller releases them after the
 * commit, or drops them.
 */
export function heldBack(events: Events): { events: Events; release: () => void } {
  const held = new Map<string, DomainEvent>();
  const publish = (event: DomainEvent) => {
    const earlier = held.get(keyOf(event));
    held.set(keyOf(event), earlier === undefined ? event : merge(earlier, event));
  };
  return {
    events: { ...events, publish },
    release: () => {
      for (const event of held.values()) events.publish(event);
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
    const kind = mergeKinds(earlier.kind, later.kind);
    const folderIds = [...new Set([...earlier.folderIds, ...later.folderIds])];
    const changed = mergeChanged(kind, earlier, later);
    return { ...later, kind, before: earlier.before, folderIds, changed };
  }
  if (earlier.type === 'folder' && later.type === 'folder') {
    return { ...later, kind: mergeKinds(earlier.kind, later.kind), before: earlier.before };
  }
  if (earlier.type === 'tag' && later.type === 'tag') {
    return { ...later, kind: mergeKinds(earlier.kind, later.kind) };
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
function mergeKinds<Kind extends MediaChangeKind>(earlier: Kind, later: Kind): Kind | 'updated' {
  if (earlier === 'deleted' && later === 'created') return 'updated';
  if (later === 'deleted' || earlier === 'updated') return later;
  return earlier;
}

function mergeChanged(
  kind: MediaChangeKind,
  earlier: MediaEvent,
  later: MediaEvent,
): readonly MediaPart[] {
  if (kind === 'created' || kind === 'deleted') return [];
  const both = new Set([earlier, later].flatMap((event) => changedIn(event)));
  return both.size === 0 ? CHANGED.updated : [...both];
}

/** Returns what an event says has changed. */
export function changedIn({ kind, changed = CHANGED[kind] }: MediaEvent): readonly MediaPart[] {
  return changed;
}
