import type { RawBuilder, SqlBool } from 'kysely';
import type { WordMatch } from '../plan.ts';
import type { Scope, Visibility } from '../scope.ts';

/** A range of numbers or times. Both ends are included. */
export interface Range<Value> {
  min?: Value | undefined;
  max?: Value | undefined;
}

/** A span of time. Both ends are included. */
export interface Span {
  from?: Date | undefined;
  to?: Date | undefined;
}

/** A circle on the earth, in degrees. */
export interface Circle {
  latitude: number;
  longitude: number;
  radiusM: number;
}

/** The shape of an original: wider than high, higher than wide, or with equal sides. */
export type Orientation = 'landscape' | 'portrait' | 'square';

/** A custom field: the media item has it, or does not have it, or it has this value. */
export interface MetadataMatch {
  key: string;
  /** Undefined: any value. */
  equals?: unknown;
  /** False: the media item does not have the field. (Default: true) */
  exists?: boolean | undefined;
}

/** The filter of a list of nodes: a node has to match every given field. */
export interface NodeFilter {
  /** Default: media, without folders. Only in the outermost filter. */
  kind?: 'media' | 'folder' | 'any' | undefined;
  /** The node matches all of these filters. */
  and?: readonly NodeFilter[] | undefined;
  /** The node matches one or more of these filters. */
  or?: readonly NodeFilter[] | undefined;
  /** The node does not match this filter. */
  not?: NodeFilter | undefined;
  ids?: readonly number[] | undefined;
  types?: readonly string[] | undefined;
  /** The node is directly in this folder. */
  folderId?: number | undefined;
  /** True: the node is in no folder. */
  unfiled?: boolean | undefined;
  /** The node is anywhere below a folder, given by the `path` of the nodes directly in it. */
  below?: string | undefined;
  /** The node has all of these tags. */
  tagIds?: readonly number[] | undefined;
  /** The node has one or more of these tags. */
  anyTagIds?: readonly number[] | undefined;
  /** Whether the node has any tag. */
  tagged?: boolean | undefined;
  /**
   * Words, each from its beginning, in the texts of the media item, its tags, and the camera, lens, author and text that
   * its original names. In scripts without spaces, each may be any part of a text. Blank: no limit. Text without a letter,
   * digit or emoji matches nothing.
   */
  search?: string | undefined;
  /** The name contains this text, whatever its case. */
  nameContains?: string | undefined;
  /** `Viewer.id` of the creator. */
  ownedBy?: string | undefined;
  createdAt?: Span | undefined;
  updatedAt?: Span | undefined;
  takenAt?: Span | undefined;
  visibility?: readonly Visibility[] | undefined;
  hasAltText?: boolean | undefined;
  /** MIME types of the original; `image/*` stands for all that begin with `image/`. */
  mimeTypes?: readonly string[] | undefined;
  /** Extensions of the original, in lower case and without a dot. */
  extensions?: readonly string[] | undefined;
  /** MD5 of any of the files: 32 hex digits, in either case. */
  md5?: string | undefined;
  /** Of the original. */
  sizeBytes?: Range<number> | undefined;
  /** Of the original, in pixels. */
  width?: Range<number> | undefined;
  height?: Range<number> | undefined;
  /** The original has one of these shapes. */
  orientations?: readonly Orientation[] | undefined;
  durationMs?: Range<number> | undefined;
  /** The original was taken in this circle. */
  near?: Circle | undefined;
  metadata?: MetadataMatch | undefined;
}

/** The part of a filter or a scope that a condition stands for. */
export type Part = keyof NodeFilter | keyof Scope | 'hidden' | 'tag' | 'rank' | 'folderWords';

/** The columns that lists of nodes are ordered by, each followed by the id. */
export type OrderColumn =
  | 'id'
  | 'created_at'
  | 'updated_at'
  | 'name_sort'
  | 'sort_order'
  | 'size_bytes'
  | 'title_sort'
  | 'taken_sort'
  | 'type';

/** A condition on a node, in the two ways in which a statement can use it. */
export interface Condition {
  part: Part;
  /** Tells whether `media` meets it. Null: another condition checks the same. */
  check: RawBuilder<SqlBool> | null;
  /** Selects the ids of the nodes that meet it, from an index. */
  ids?: RawBuilder<unknown>;
  /** The same, with duplicates: the first ones are found sooner. */
  sample?: RawBuilder<unknown>;
  /** Selects the ids of the nodes that meet it by reading all nodes, where no index finds them. */
  scan?: RawBuilder<unknown>;
  /** The value that an index can begin with: see `walk.ts`. */
  value?: RawBuilder<unknown>;
  /** The order in which the nodes that meet it are together: its bound in this order is the whole condition. */
  rangeOf?: OrderColumn;
  /** What it says of the columns of orders: no other node meets it. */
  bounds?: Bounds;
  /** Tells the same of a row of `media_tag`, so that a walk of a tag needs no row of `media`. */
  checkOnTag?: RawBuilder<SqlBool>;
  /** The opposite, which few nodes meet: see `countOf`. */
  opposite?: Condition;
  /** True: `check` reads the id alone, of whichever table a walk reads. */
  isOfId?: boolean;
  /** True: `ids` has few rows. */
  isSmall?: boolean;
  /** The kind of nodes, of the condition on it. */
  kind?: NodeFilter['kind'];
  /** The words, of the condition on them. */
  match?: WordMatch;
}

/** Returns a condition on a column of an order, for each of some orders. */
export type Bounds = Readonly<
  Partial<Record<OrderColumn, (column: RawBuilder<unknown>) => RawBuilder<SqlBool>>>
>;
