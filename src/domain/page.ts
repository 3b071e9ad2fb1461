import { crc32 } from 'node:zlib';
import type { Keyset, KeysetColumn, PageRequest, Position, RowPage } from '../store/cursor.ts';
import { InvalidInputError } from './error.ts';

/** Default and maximum number of nodes of a page. */
export const PAGE_SIZE_DEFAULT = 50;
export const PAGE_SIZE_MAX = 200;

/** Relay's arguments: the first nodes after a cursor, or the last before one. */
export interface PageArgs {
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
  /** Whether to find out if more rows follow. If false, reading that from the page throws. (Default: true) */
  looksAhead?: boolean | undefined;
}

/** A node and its place in the list. */
export interface Edge<Node> {
  readonly cursor: string;
  readonly node: Node;
}

/** One page of a list, with its cursors. */
export interface Page<Node> {
  readonly nodes: readonly Node[];
  /** The nodes with their cursors. They are created when they are read: many requests read only the nodes. */
  readonly edges: Edge<Node>[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/**
 * Returns the request of a page of at most `sizeMax` nodes. Throws InvalidInputError for a size out of range, for `first` with `last`, and for a
 * cursor of another list.
 */
export function parsePageArgs(
  args: PageArgs,
  keyset: Keyset,
  sizeMax = PAGE_SIZE_MAX,
): PageRequest {
  const { first = null, last = null } = args;
  if (first !== null && last !== null) {
    throw InvalidInputError.of('last', 'CONFLICT', 'Give `first` or `last`, not both.');
  }
  return {
    limit:
      parseSize('first', first, sizeMax) ?? parseSize('last', last, sizeMax) ?? PAGE_SIZE_DEFAULT,
    looksAhead: args.looksAhead,
    backward: last !== null,
    after: parseCursor('after', args.after, keyset),
    before: parseCursor('before', args.before, keyset),
  };
}

/** Converts a page of rows to a page of nodes, each with a cursor. */
export function toPage<Row extends object, Node>(
  rows: RowPage<Row>,
  keyset: Keyset,
  request: PageRequest,
  toNode: (row: Row) => Node,
): Page<Node> {
  return new NodePage(rows, keyset, request, rows.rows.map(toNode));
}

/** Converts the page of each of many groups. */
export function toPages<Row extends object, Node>(
  pages: ReadonlyMap<number, RowPage<Row>>,
  keyset: Keyset,
  request: PageRequest,
  toNode: (row: Row) => Node,
): Map<number, Page<Node>> {
  return new Map([...pages].map(([id, rows]) => [id, toPage(rows, keyset, request, toNode)]));
}

class NodePage<Node> implements Page<Node> {
  readonly nodes: readonly Node[];
  readonly #page: RowPage<object>;
  readonly #keyset: Keyset;
  readonly #request: PageRequest;
  #edges: Edge<Node>[] | undefined;

  constructor(page: RowPage<object>, keyset: Keyset, request: PageRequest, nodes: Node[]) {
    this.nodes = nodes;
    this.#page = page;
    this.#keyset = keyset;
    this.#request = request;
  }

  get edges(): Edge<Node>[] {
    const { rows } = this.#page;
    this.#edges ??= this.nodes.map(
      (node, index) => new RowEdge(rows[index] as object, this.#keyset, node),
    );
    return this.#edges;
  }

  get hasNextPage(): boolean {
    const { backward, before } = this.#request;
    return backward ? before !== undefined : this.#hasMore;
  }

  get hasPreviousPage(): boolean {
    const { backward, after } = this.#request;
    return backward ? this.#hasMore : after !== undefined;
  }

  get #hasMore(): boolean {
    if (this.#request.looksAhead !== false) return this.#page.hasMore;
    throw new Error('The page was read without `looksAhead`.');
  }
}

/** An edge computes its cursor on demand: most pages need only that of the last edge. */
class RowEdge<Node> implements Edge<Node> {
  readonly node: Node;
  readonly #row: object;
  readonly #keyset: Keyset;

  constructor(row: object, keyset: Keyset, node: Node) {
    this.node = node;
    this.#row = row;
    this.#keyset = keyset;
  }

  get cursor(): string {
    return formatCursor(this.#row, this.#keyset);
  }
}

function parseSize(field: string, size: number | null, max: number): number | null {
  if (size === null || (Number.isInteger(size) && size >= 0 && size <= max)) return size;
  throw InvalidInputError.of(field, 'OUT_OF_RANGE', `Expected 0 to ${max}.`);
}

// A cursor names its list, so that one of another list or order is an error, not a wrong page.
function formatCursor(row: object, { name, columns }: Keyset): string {
  const values = columns.map(({ name }) => (row as Record<string, unknown>)[name]);
  return encodeCursor(JSON.stringify([name, ...values]));
}

/**
 * Returns a cursor with a checksum, which detects a changed cursor; a wrong place would go unnoticed. It protects no
 * secret.
 */
function encodeCursor(text: string): string {
  const checksum = crc32(text).toString(16).padStart(CHECKSUM_LENGTH, '0');
  return Buffer.from(checksum + text).toString('base64url');
}

const CHECKSUM_LENGTH = 8;

function parseCursor(
  field: string,
  cursor: string | null | undefined,
  { name, columns }: Keyset,
): Position | undefined {
  if (cursor === null || cursor === undefined) return undefined;
  const [list, ...values] = decodeCursor(cursor);
  const matches =
    list === name &&
    values.length === columns.length &&
    columns.every(({ type }, index) => isValue(type, values[index]));
  if (matches) return values as Position;
  throw InvalidInputError.of(
    field,
    'INVALID_CURSOR',
    'Expected a cursor of this list in this order.',
  );
}

function decodeCursor(cursor: string): unknown[] {
  const text = Buffer.from(cursor, 'base64url').toString().slice(CHECKSUM_LENGTH);
  if (encodeCursor(text) !== cursor) return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

// PostgreSQL fails on values that a column cannot hold: a fraction, a NUL.
function isValue(type: KeysetColumn['type'], value: unknown): boolean {
  return type === 'number'
    ? Number.isSafeInteger(value)
    : typeof value === 'string' && !value.includes('\0');
}
