import { UploadError } from '../../client/upload/upload-error.ts';
import { cleanName } from '../../lib/name.ts';
import { parseUuid } from '../../lib/uuid.ts';
import type { Connection } from '../connection.ts';
import {
  FindFolderDocument,
  FindMediaDocument,
  FindNodeDocument,
  type FindNodeQuery,
  ListFolderDocument,
  ListRootDocument,
  ListUnfiledDocument,
} from '../document.ts';
import { CommandError } from '../failure.ts';

/** A folder or a media item. */
export type Node = NonNullable<FindNodeQuery['node']>;

/** A folder. */
export type Folder = Extract<Node, { __typename: 'Folder' }>;

/** A media item. */
export type Media = Extract<Node, { __typename: 'Media' }>;

/**
 * Returns the node that a path from the top (`/Design/logo.svg`) or an id names: a global id, a numeric one, or a UUID.
 * Throws CommandError if there is none, or if several nodes have this path.
 */
export async function findNode(connection: Connection, name: string): Promise<Node> {
  const found = name.startsWith('/')
    ? await findByPath(connection, name)
    : [await findById(connection, name)].filter((node) => node !== null);
  const [node, ...others] = found;
  if (node === undefined) throw missing(name);
  if (others.length === 0) return node;
  const ids = found.map(({ id }) => id).join(', ');
  throw new CommandError(`${name}: several items have this path: name one by its id (${ids})`);
}

/** Returns the folder at a path; null for the top level. Throws CommandError if there is none. */
export async function findFolderAt(connection: Connection, path: string): Promise<Folder | null> {
  const names = namesOf(path);
  if (names.length === 0) return null;
  const by = { path: `/${names.join('/')}` };
  const { folder } = await connection.ask(FindFolderDocument, { by });
  if (folder === null) throw missing(path);
  return folder;
}

/** Lists what is directly in a folder, or at the top level if that is null, in the order of the server. */
export async function* listChildren(
  { ask }: Connection,
  folder: Pick<Folder, 'id'> | null,
): AsyncGenerator<Node> {
  for (let after: string | null = null; ; ) {
    const page: Page =
      folder === null
        ? (await ask(ListRootDocument, { after })).children
        : // Whoever deletes the folder meanwhile deletes what is in it.
          ((await ask(ListFolderDocument, { id: folder.id, after })).folder?.children ?? EMPTY);
    yield* page.nodes;
    if (!page.pageInfo.hasNextPage) return;
    after = page.pageInfo.endCursor;
  }
}

/** Lists the media that are in no folder, newest first. */
export async function* listUnfiled({ ask }: Connection): AsyncGenerator<Media> {
  for (let after: string | null = null; ; ) {
    const { medias }: { medias: Page<Media> } = await ask(ListUnfiledDocument, { after });
    yield* medias.nodes;
    if (!medias.pageInfo.hasNextPage) return;
    after = medias.pageInfo.endCursor;
  }
}

interface Page<One = Node> {
  readonly nodes: readonly One[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

const EMPTY: Page = { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };

/** Tells whether a node is a folder. */
export function isFolder(node: Node): node is Folder {
  return node.__typename === 'Folder';
}

/** A node as the commands print it in JSON: all nodes have the same fields, which are null where they do not apply. */
export interface FlatNode {
  id: string;
  databaseId: number;
  /** `FOLDER`, or the type of the media item. */
  type: string;
  name: string;
  updatedAt: string;
  url: string | null;
  sizeBytes: number | null;
  md5: string | null;
  mimeType: string | null;
}

/** Converts a node for printing. */
export function toFlat(node: Node): FlatNode {
  const { id, databaseId, name, updatedAt } = node;
  const { type, url, file } = isFolder(node) ? { type: 'FOLDER', url: null, file: null } : node;
  const { sizeBytes = null, md5 = null, mimeType = null } = file ?? {};
  return { id, databaseId, type, name, updatedAt, url, sizeBytes, md5, mimeType };
}

/** Returns the names of a path, from the top, as the server keeps names. */
export function namesOf(path: string): string[] {
  return path.split('/').map(cleanName).filter(Boolean);
}

async function findByPath(connection: Connection, path: string): Promise<Node[]> {
  const names = namesOf(path);
  const last = names.pop();
  if (last === undefined) throw new CommandError(`${path}: the top level is no folder`);
  const parent = await findFolderAt(connection, `/${names.join('/')}`);
  const found: Node[] = [];
  for await (const node of listChildren(connection, parent)) {
    const isWanted = isFolder(node) || !path.endsWith('/');
    if (isWanted && cleanName(node.name) === last) found.push(node);
  }
  return found;
}

async function findById({ ask }: Connection, text: string): Promise<Node | null> {
  const by = /^\d{1,10}$/.test(text)
    ? { databaseId: Number(text) }
    : parseUuid(text) === null
      ? null
      : { uuid: text };
  if (by === null) return findByGlobalId({ ask }, text);
  const { media } = await ask(FindMediaDocument, { by });
  return media ?? (await ask(FindFolderDocument, { by })).folder;
}

async function findByGlobalId({ ask }: Pick<Connection, 'ask'>, id: string): Promise<Node | null> {
  try {
    const { node } = await ask(FindNodeDocument, { id });
    // Tags, jobs and others have an id, too.
    return node !== null && '__typename' in node ? node : null;
  } catch (error) {
    if (!(error instanceof UploadError) || error.code !== 'INVALID_INPUT') throw error;
    throw new CommandError(`${id}: expected an id, or a path that begins with /`);
  }
}

function missing(name: string): CommandError {
  return new CommandError(`${name}: there is no such item, or you may not see it`);
}
