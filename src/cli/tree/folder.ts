import { cleanName } from '../../lib/name.ts';
import type { Connection } from '../connection.ts';
import {
  CreateFolderDocument,
  ListRootFoldersDocument,
  ListSubfoldersDocument,
} from '../document.ts';

/** Folders by their place, which are created when they are missing. */
export interface FolderMaker {
  /** Returns the id of the folder with a name in a folder, or at the top level if that is null. */
  ensure(parentId: string | null, name: string): Promise<string>;
  /** Tells whether the folder has been created by this maker, and so held nothing before. */
  isNew(id: string): boolean;
}

/** Creates a maker. It asks once for the folders in each folder. */
export function createFolderMaker(connection: Connection): FolderMaker {
  const known = new Map<string | null, Map<string, string>>();
  const created = new Set<string>();

  async function foldersIn(parentId: string | null): Promise<Map<string, string>> {
    const folders = known.get(parentId) ?? (await listFolders(connection, parentId));
    known.set(parentId, folders);
    return folders;
  }

  return {
    async ensure(parentId, rawName) {
      const name = cleanName(rawName);
      const folders = await foldersIn(parentId);
      const found = folders.get(name);
      if (found !== undefined) return found;
      const input = { name, ...(parentId !== null && { parentId }) };
      const { folder } = await connection.change(CreateFolderDocument, { input });
      folders.set(name, folder.id);
      created.add(folder.id);
      known.set(folder.id, new Map());
      return folder.id;
    },
    isNew: (id) => created.has(id),
  };
}

async function listFolders(
  { ask }: Connection,
  parentId: string | null,
): Promise<Map<string, string>> {
  const folders = new Map<string, string>();
  for (let after: string | null = null; ; ) {
    const page: Page =
      parentId === null
        ? (await ask(ListRootFoldersDocument, { after })).folders
        : ((await ask(ListSubfoldersDocument, { id: parentId, after })).folder?.folders ?? EMPTY);
    for (const { id, name } of page.nodes) {
      // Several folders may have the same name: the first one in the server's order is used.
      if (!folders.has(cleanName(name))) folders.set(cleanName(name), id);
    }
    if (!page.pageInfo.hasNextPage) return folders;
    after = page.pageInfo.endCursor;
  }
}

interface Page {
  readonly nodes: readonly { readonly id: string; readonly name: string }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

const EMPTY: Page = { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };
