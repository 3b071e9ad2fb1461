import type { ColumnType, Generated, Insertable, Selectable, Updateable } from 'kysely';

/**
 * The tables as they are in the database: `snake_case`, times in milliseconds since 1970 (UTC),
 * booleans as 0 and 1, structured values as JSON text. The same on SQLite and PostgreSQL.
 */
export interface Database {
  media: NodeTable;
  file: FileTable;
  rendition: RenditionTable;
  file_version: FileVersionTable;
  file_address: FileAddressTable;
  tag: TagTable;
  media_tag: MediaTagTable;
  media_metadata: MediaMetadataTable;
  media_words: MediaWordsTable;
  folder_words: FolderWordsTable;
  deletion: DeletionTable;
  trashed_node: TrashedNodeTable;
  trashed_row: TrashedRowTable;
  trash_work: TrashWorkTable;
  path_move: PathMoveTable;
  upload: UploadTable;
  staged: StagedTable;
  staged_part: StagedPartTable;
  staged_piece: StagedPieceTable;
  job: JobTable;
  job_attempt: JobAttemptTable;
  api_key: ApiKeyTable;
  user_account: UserTable;
  session: SessionTable;
  login_guess: GuessTable;
  usage: UsageTable;
  audit_entry: AuditTable;
  rehash: RehashTable;
  blob_hold: BlobHoldTable;
  library_move: LibraryMoveTable;
  move_change: MoveChangeTable;
}

/** A column that is set at insert and never changes. */
type Fixed<T> = ColumnType<T, T, never>;

/** The `nameSortKey` of a row's name. The store sets it wherever it writes a name. */
type NameSort = ColumnType<string, string | undefined, string | undefined>;

/** A node of the tree: a folder or a media item. */
export interface NodeTable {
  id: Generated<number>;
  uuid: Fixed<string>;
  type: string;
  /** Null: unfiled, or the hidden root itself. */
  parent_id: number | null;
  /** 0: the root and unfiled nodes; 1: top level. */
  level: number;
  /** Ids of the ancestors from the root down, `/1/5/`; empty when unfiled. */
  path: string;
  sort_order: number;
  name: string;
  name_sort: NameSort;
  title: string | null;
  description: string | null;
  keywords: string | null;
  /** What to say instead of showing it. */
  alt_text: Generated<string | null>;
  caption: Generated<string | null>;
  credit: Generated<string | null>;
  /** The custom fields, a JSON object; null: none. */
  metadata: Generated<string | null>;
  /** What the original says of itself, a JSON object; null: not read yet. */
  details: Generated<string | null>;
  /** When the original was taken, as it says. */
  taken_at: Generated<number | null>;
  /** Duration of the original. */
  duration_ms: Generated<number | null>;
  /** Where the original was taken, in degrees, as it says. */
  latitude: Generated<number | null>;
  longitude: Generated<number | null>;
  /** Why no preview of the original could be drawn; null: it has one, needs none, or has not been drawn yet. */
  preview_error: Generated<string | null>;
  /** The size of the original; -1: none. Triggers on `file` keep it, also where the row of a media item was written with it. */
  size_bytes: Generated<number>;
  /** The `nameSortKey` of the title; empty: none. The store sets it wherever it writes a title. */
  title_sort: NameSort;
  /** `taken_at`, or `UNKNOWN_TIME` of `attribute.ts`. A trigger keeps it. */
  taken_sort: ColumnType<number, never, never>;
  /** URL of the linked page. The URL of a stored file is made from its `file` row. */
  url: string | null;
  image_url: string | null;
  image_width: number | null;
  image_height: number | null;
  focal_point: string | null;
  crops: string | null;
  oembed_type: string | null;
  oembed_url: string | null;
  oembed_width: number | null;
  oembed_height: number | null;
  oembed_duration: number | null;
  oembed_html: string | null;
  embed_type: string | null;
  embed_id: string | null;
  embed_url: string | null;
  embed_metadata: string | null;
  /** The Importer's name for the media item's files. */
  resource: string | null;
  /** Heartcore's name of the type that it was created with; null: created in another dialect. */
  media_type_alias: Fixed<string | null>;
  /** `Viewer.id` of the creator; null: anonymous. */
  owner: Fixed<string | null>;
  /** `Client.hash` of the creator; null: unknown, as for background work. */
  client_hash: Fixed<string | null>;
  /** The visibility of a media item: a value of `VISIBILITY`. 1 or 0 for a folder. */
  is_public: number;
  /** The visibility that new media in a folder get, a value of `VISIBILITY`; null: as in the folder above. */
  items_visibility: Generated<number | null>;
  created_at: Fixed<number>;
  updated_at: number;
  deleted_at: number | null;
}

/** One stored file of a media item. The key `""` is the original, any other one a variant. */
export interface FileTable {
  id: Generated<number>;
  uuid: Fixed<string>;
  media_id: Fixed<number>;
  key: Fixed<string>;
  filename: string;
  /** Lower case, without dot. */
  extension: string | null;
  mime_type: string;
  size_bytes: number;
  md5: string;
  sha256: string | null;
  width: number | null;
  height: number | null;
  /** The dominant color, `#rrggbb`, of an original image and its thumbnail; null until it has been computed, and for every other file. */
  color: string | null;
  /** The ThumbHash of an original image, in Base64; like the two traits below, null until it has been computed. */
  thumbhash: Generated<string | null>;
  has_alpha: Generated<number | null>;
  is_animated: Generated<number | null>;
  /** The sizes that have been made of an original image, as `thumbnailSizesText` writes them; null: none. */
  thumbnail_sizes: Generated<string | null>;
  /** First segment of its URL, the same for all files of a media item. It changes when the media item becomes private. */
  dir: string;
  /** Last segment of its URL. */
  url_name: string;
  blob_key: string;
  created_by: Fixed<string | null>;
  created_role: Fixed<string | null>;
  client_hash: Fixed<string | null>;
  project_id: string | null;
  /** The Importer's name for the media item's files: its `resource`, or its uuid. Set by `insertFile`. */
  resource: ColumnType<string, string | undefined, never>;
  /** The media item's. Set by `insertFile`, and by a trigger on `media`. */
  is_public: ColumnType<number, number | undefined, never>;
  /** When its bytes were found missing or wrong; null: never. A trigger clears it when `blob_key` changes. */
  damaged_at: Generated<number | null>;
  created_at: Fixed<number>;
  updated_at: number;
}

/**
 * A file that an original has replaced. It refers to its media item without a foreign key, and outlives the row of a
 * media item that only moves to another table: `deleteVersionsAndAddresses` deletes it.
 */
export interface FileVersionTable {
  /** Later versions have higher ids; none is used twice. */
  id: Generated<number>;
  uuid: Fixed<string>;
  media_id: Fixed<number>;
  /** The media item's type with this file. */
  type: Fixed<string>;
  filename: Fixed<string>;
  mime_type: Fixed<string>;
  size_bytes: Fixed<number>;
  md5: Fixed<string>;
  /** Null if the file was replaced before it was computed. */
  sha256: Fixed<string | null>;
  width: Fixed<number | null>;
  height: Fixed<number | null>;
  blob_key: Fixed<string>;
  /** Whose storage quota it counts for: as in the row of the original. */
  created_by: Fixed<string | null>;
  client_hash: Fixed<string | null>;
  /** The time at which it became the original. */
  created_at: Fixed<number>;
  replaced_by: Fixed<string | null>;
  replaced_at: Fixed<number>;
  /** When the bytes were found to be damaged; null: never. */
  damaged_at: number | null;
}

/** A name in the URL of a media item's original that was replaced: it leads to the current one. Refers to the media item as a version does. */
export interface FileAddressTable {
  media_id: Fixed<number>;
  url_name: Fixed<string>;
}

/**
 * An image rendered from a file: for a URL that was requested, or in a thumbnail size. It can be rendered again. The least
 * recently used are deleted first; thumbnail sizes stay.
 */
export interface RenditionTable {
  id: Generated<number>;
  /** Deleted with the file. */
  file_id: Fixed<number>;
  /** The bytes that it was rendered from: renditions of replaced bytes are not found any more. */
  source_blob_key: Fixed<string>;
  /** Identifies the rendition: `specOf` of its plan. */
  spec: Fixed<string>;
  mime_type: Fixed<string>;
  size_bytes: Fixed<number>;
  md5: Fixed<string>;
  blob_key: Fixed<string>;
  created_at: Fixed<number>;
  /** Accurate to an hour; `PERMANENT` of `rendition.ts`: not part of the cache. */
  used_at: number;
}

/** A label that any number of media may carry. */
export interface TagTable {
  id: Generated<number>;
  /** SelfCommunity's kind of tag: user, category, contribution. */
  type: string;
  name: string;
  name_sort: NameSort;
  description: string | null;
  color: string;
  visible: number;
  active: number;
  visibility_boost: number;
  created_at: Fixed<number>;
  updated_at: number;
  /** Set while a job removes the tag from its media and then deletes the row. No list shows the tag any more. */
  deleted_at: number | null;
  /** `Viewer.id` of the viewer who deleted it; null: anonymous, or not deleted. */
  deleted_by: string | null;
  /** The last media item whose search words already have the new name of the tag; null if all have it. */
  indexed_up_to: number | null;
  /** The words of the name, as `toIndexedWords` returns them. Set by `insertTag` and `updateTag`, as are the next two. */
  words: Generated<string>;
  /** The name and the description, as `foldText` returns them. */
  name_folded: Generated<string>;
  description_folded: Generated<string>;
}

/** The tags of media. A row is deleted with its media item or its tag. */
export interface MediaTagTable {
  media_id: Fixed<number>;
  tag_id: Fixed<number>;
  /** A copy of the media item's, for lists of a tag; null: a trigger copies it. */
  created_at: Fixed<number | null>;
  /** A copy of the media item's, which a trigger keeps. */
  is_public: Fixed<number | null>;
}

/** The custom fields of a media item, one row each, for filters. Deleted with the media item. */
export interface MediaMetadataTable {
  media_id: Fixed<number>;
  key: Fixed<string>;
  /** The value as canonical JSON; of a longer one than `METADATA_VALUE_MAX` characters, its digest. */
  value: Fixed<string>;
}

/** The words of the name of each folder, as `toIndexedWords` returns them, after a space. */
export interface FolderWordsTable {
  folder_id: number;
  words: string;
}

/**
 * The words that a search finds a media item by, as `toIndexedWords` returns them. Deleted with the media item. Triggers
 * keep the search index of the database equal to it.
 */
export interface MediaWordsTable {
  media_id: Fixed<number>;
  /** Of the name and the title. */
  name: string;
  /** Of the description, the keywords, the alternative text, the caption, the credit, and texts of the details. */
  texts: string;
  /** Of the names of all tags. Triggers on `media_tag` keep it; `indexMedias` writes it after a tag has a new name. */
  tags: Generated<string>;
}

/**
 * A subtree that a job deletes in small transactions. No list shows its nodes any more. The row is deleted with its top
 * node.
 */
export interface DeletionTable {
  /** The top node of the subtree. */
  node_id: Fixed<number>;
  /** `Viewer.id` of the viewer who deleted it; null: anonymous. */
  deleted_by: Fixed<string | null>;
  created_at: Fixed<number>;
  /** `trashed_node.deletion` of the nodes; null: they are deleted for ever. */
  trash: string | null;
}

/** A node in the trash. It has no row in `media`. */
export interface TrashedNodeTable {
  /** Its id in `media`, which it gets back. */
  id: Fixed<number>;
  /** A UUID, the same for all nodes that were deleted together. */
  deletion: string;
  /** Ids of the folders above it in this deletion, from the top down, `5/9/`; empty for the top node. */
  place: string;
  /** 1: the top node of its deletion. */
  is_top: number;
  /** 1: the top node, or below a folder of another owner. */
  is_owner_top: number;
  deleted_at: number;
  /** `Viewer.id` of the viewer who deleted it; null: anonymous. */
  deleted_by: string | null;
  type: Fixed<string>;
  parent_id: Fixed<number | null>;
  /** Its `path` at the deletion. */
  path: string;
  owner: Fixed<string | null>;
  client_hash: Fixed<string | null>;
  /** The Importer's name for its files: its `resource`, or its uuid. */
  resource: Fixed<string>;
  /** Its row in `media`, as JSON. */
  row: string;
  /** Its jobs, as JSON: `TrashedJob[]` of the domain. */
  jobs: Fixed<string>;
}

/** A row of another table that belongs to a node in the trash. */
export interface TrashedRowTable {
  id: Generated<number>;
  node_id: Fixed<number>;
  /** The table that it comes from. */
  source: Fixed<string>;
  /** As JSON. */
  row: Fixed<string>;
  /** The bytes that it refers to; null: none. */
  blob_key: Fixed<string | null>;
  size_bytes: Fixed<number>;
  /** Null: without bytes. */
  md5: Fixed<string | null>;
  sha256: Fixed<string | null>;
  /** When the bytes were found to be damaged, also before the deletion; null: never. */
  damaged_at: number | null;
  created_by: Fixed<string | null>;
  client_hash: Fixed<string | null>;
}

/**
 * A large part of the trash that a job restores or purges in small transactions: the nodes of a deletion whose `place`
 * begins with `below`. The trash no longer shows them.
 */
export interface TrashWorkTable {
  id: Generated<number>;
  kind: Fixed<'restore' | 'purge'>;
  deletion: Fixed<string>;
  below: Fixed<string>;
  /** The first text after all places that begin with `below`. */
  below_end: Fixed<string>;
  created_by: Fixed<string | null>;
  created_at: Fixed<number>;
}

/** A path prefix that a job is replacing: see `store/path-move.ts`. */
export interface PathMoveTable {
  stored: Fixed<string>;
  actual: Fixed<string>;
}

/** A chunked upload. The row exists only once its first bytes are durable. */
export interface UploadTable {
  upload_id: Fixed<string>;
  owner: Fixed<string | null>;
  client_hash: Fixed<string | null>;
  filename: Fixed<string>;
  declared_type: Fixed<string | null>;
  total_bytes: Fixed<number>;
  offset_bytes: number;
  /** The state of the MD5 of the first `offset_bytes` bytes. */
  digest_state: Uint8Array;
  blob_key: Fixed<string>;
  status: 'open' | 'completed' | 'expired';
  media_id: number | null;
  expires_at: number;
  created_at: Fixed<number>;
  updated_at: number;
  /** The process that may write to it; null: any may take it. */
  lease_holder: string | null;
  /** Time by the clock of the database. */
  lease_expires_at: number | null;
  /** The fencing number: grows by one whenever a process takes the lease. */
  lease_fence: Generated<number>;
}

/** Staged bytes that several machines share. */
export interface StagedTable {
  blob_key: Fixed<string>;
  size_bytes: number;
  /** Size of each part but the last. */
  part_bytes: Fixed<number>;
  state: 'open' | 'sealed' | 'reopened';
  /** The id of the multipart upload in the bucket. */
  multipart_id: string | null;
  /** Grows with each change. */
  version: number;
  updated_at: number;
}

/** A part of staged bytes that is in the bucket. */
export interface StagedPartTable {
  blob_key: Fixed<string>;
  /** From 1 on. */
  number: Fixed<number>;
  size_bytes: number;
  etag: string;
}

/** Staged bytes that no part in the bucket holds, or none that was acknowledged. */
export interface StagedPieceTable {
  blob_key: Fixed<string>;
  /** Position of the first byte. */
  position: Fixed<number>;
  bytes: Buffer;
}

/** Work that has to be done at least once, and the worker that does it. */
export interface JobTable {
  id: Generated<number>;
  uuid: Fixed<string>;
  job_class: Fixed<string>;
  arguments: Fixed<string>;
  /** The media item that it works on, or has created. */
  media_id: number | null;
  priority: number;
  status: string;
  progress: number;
  retry_count: number;
  max_retries: number;
  error: string | null;
  /** The first 200 characters of the error, for an index: the database computes them. */
  error_stem: ColumnType<string | null, never, never>;
  unicity: string | null;
  scheduled_at: number;
  lease_token: string | null;
  leased_until: number | null;
  heartbeat_at: number | null;
  worker: string | null;
  cancel_requested_at: number | null;
  cancel_reason: string | null;
  /** `Viewer.id` of the viewer who started it; null: the server itself. */
  created_by: Fixed<string | null>;
  created_role: Fixed<string | null>;
  /** The subject whose request caused the job: `viewer:…` or `anonymous:…`; empty for the server. Used for turns. */
  client: ColumnType<string, string | undefined, never>;
  /** Jobs of a class run in the order of their turns, so that clients take turns: see `insertJob`. */
  turn: Generated<number>;
  /** The result, as JSON. */
  result: string | null;
  created_at: Fixed<number>;
  updated_at: number;
  started_at: number | null;
  finished_at: number | null;
}

/** One run of a job, for its log. */
export interface JobAttemptTable {
  id: Generated<number>;
  job_id: Fixed<number>;
  number: Fixed<number>;
  worker: Fixed<string>;
  started_at: Fixed<number>;
  finished_at: number | null;
  error: string | null;
}

/** A credential that does not belong to a person. */
export interface ApiKeyTable {
  id: Generated<number>;
  uuid: Fixed<string>;
  /** Lower-case hex SHA-256 of the key; the key itself is not stored. */
  key_sha256: Fixed<string>;
  name: string;
  role: string;
  /** JSON array of folder uuids; null: the whole tree. */
  start_nodes: string | null;
  created_at: Fixed<number>;
  expires_at: number | null;
  last_used_at: number | null;
  /** `Viewer.id` of who created it; null: the operator, or an older version. */
  created_by: Fixed<string | null>;
  /** The row stays, because the key may own media. */
  revoked_at: ColumnType<number | null, number | null | undefined, number | null>;
}

/** A user who logs in with a password. */
export interface UserTable {
  id: Generated<number>;
  /** As `cleanName` returns it. */
  name: Fixed<string>;
  role: string;
  /** JSON array of uuids of nodes; null: the whole tree. */
  start_nodes: string | null;
  /** See `hashPassword` of the domain. */
  password: string;
  /** 1: a copy of an entry in the users' file, which decides. */
  is_from_file: Generated<number>;
  /** `Viewer.id` of who created it; null: the operator. */
  created_by: Fixed<string | null>;
  created_at: Fixed<number>;
  updated_at: number;
}

/** A user who has signed in: one row for each token. */
export interface SessionTable {
  id: Generated<number>;
  /** Lower-case hex SHA-256 of the token; the token itself is not stored. */
  token_sha256: Fixed<string>;
  /** Null: the session has the rights of the admin key. */
  user_id: Fixed<number | null>;
  created_at: Fixed<number>;
  expires_at: Fixed<number>;
}

/** The wrong passwords of a subject, as the time when the last of them is forgotten: see `guess.ts` of the domain. */
export interface GuessTable {
  subject: Fixed<string>;
  forgotten_at: number;
}

/**
 * What a subject has stored and reserved. Triggers maintain it. SQLite has one row for a subject; on PostgreSQL a usage
 * is the sum of its rows.
 */
export interface UsageTable {
  id: Generated<number>;
  /** `all`, `viewer:<id>`, `anonymous:<client hash>` or `address:<client hash>`. */
  subject: Fixed<string>;
  /** Open upload sessions. */
  uploads: Generated<number>;
  /** Total size of the files of open upload sessions, in bytes. */
  promised_bytes: Generated<number>;
  stored_bytes: Generated<number>;
  /** Folders and media. */
  items: Generated<number>;
}

/** Who did what to which item, and when. It refers to rows that may be gone. */
export interface AuditTable {
  id: Generated<number>;
  at: Fixed<number>;
  /** See `AuditActor` of the domain. */
  actor_kind: Fixed<string>;
  /** `Viewer.id`; null: anonymous, the operator, or the server itself. */
  actor_id: Fixed<string | null>;
  actor_role: Fixed<string | null>;
  action: Fixed<string>;
  target_kind: Fixed<string>;
  /** Id in the table of its kind. Null: unknown. */
  target_id: Fixed<number | null>;
  /** Its name at that time. */
  target_name: Fixed<string | null>;
  /** JSON object. */
  details: Fixed<string>;
}

/** The place of the job that slowly reads all stored bytes again: one row at most. */
export interface RehashTable {
  id: Fixed<number>;
  /** The last blob key that it has read; empty: none. */
  read_up_to: string;
  /** When it began to read the library from the first key; null: never. */
  started_at: number | null;
}

/** A running backup: until then, no blob may be deleted. */
export interface BlobHoldTable {
  token: Fixed<string>;
  held_until: number;
}

/** The move of this library to another place, or of another one to this database: one row at most. */
export interface LibraryMoveTable {
  id: Fixed<number>;
  /** The same in the databases that a move reads and fills. */
  move_id: Fixed<string>;
  /**
   * Of the source: `copying`, `read_only` while `read_only_until` has not passed, or `moved`. Of the target: `filling`
   * before its first rows, and then `filled`.
   */
  state: 'copying' | 'read_only' | 'moved' | 'filling' | 'filled';
  /** Milliseconds since 1970, by the clock of the database. */
  read_only_until: number | null;
  /** Places without passwords. Null: this part of the library does not move. */
  from_database: Fixed<string>;
  to_database: Fixed<string | null>;
  from_storage: Fixed<string | null>;
  to_storage: Fixed<string | null>;
  /** The target has all blobs up to this key that existed when the move began; empty: none. */
  blobs_up_to: string;
  /** JSON: what the target gets back when it is full, as `relaxTarget` has dropped it; null: nothing. */
  dropped: string | null;
  created_at: Fixed<number>;
}

/** A row that has changed during a move. */
export interface MoveChangeTable {
  id: Generated<number>;
  /** Its table. */
  name: Fixed<string>;
  /** JSON array of the values of its primary key. */
  key: Fixed<string>;
  /** The round of the move that copies it; null: the next one. */
  round: number | null;
}

/** Rows as they are read and as they are inserted. */
export type NodeRow = Selectable<NodeTable>;
export type NewNodeRow = Insertable<NodeTable>;
export type NodeColumns = Updateable<NodeTable>;
export type FileRow = Selectable<FileTable>;
export type NewFileRow = Insertable<FileTable>;
export type FileChange = Updateable<FileTable>;
export type RenditionRow = Selectable<RenditionTable>;
export type NewRenditionRow = Insertable<RenditionTable>;
export type VersionRow = Selectable<FileVersionTable>;
export type NewVersionRow = Insertable<FileVersionTable>;
export type TagRow = Selectable<TagTable>;
export type NewTagRow = Insertable<TagTable>;
export type TagChange = Updateable<TagTable>;
export type DeletionRow = Selectable<DeletionTable>;
export type TrashedNodeRow = Selectable<TrashedNodeTable>;
export type TrashedRow = Selectable<TrashedRowTable>;
export type NewTrashedRow = Insertable<TrashedRowTable>;
export type TrashWorkRow = Selectable<TrashWorkTable>;
export type NewTrashWorkRow = Insertable<TrashWorkTable>;
export type UploadRow = Selectable<UploadTable>;
export type NewUploadRow = Insertable<UploadTable>;
export type StagedRow = Selectable<StagedTable>;
export type StagedPartRow = Selectable<StagedPartTable>;
export type StagedPieceRow = Selectable<StagedPieceTable>;
export type JobRow = Selectable<JobTable>;
export type NewJobRow = Insertable<JobTable>;
export type JobChange = Updateable<JobTable>;
export type JobAttemptRow = Selectable<JobAttemptTable>;
export type ApiKeyRow = Selectable<ApiKeyTable>;
export type NewApiKeyRow = Insertable<ApiKeyTable>;
export type UserRow = Selectable<UserTable>;
export type NewUserRow = Insertable<UserTable>;
export type UserColumns = Updateable<UserTable>;
export type NewSessionRow = Insertable<SessionTable>;
export type GuessRow = Selectable<GuessTable>;
export type LibraryMoveRow = Selectable<LibraryMoveTable>;
export type AuditRow = Selectable<AuditTable>;
export type NewAuditRow = Insertable<AuditTable>;
