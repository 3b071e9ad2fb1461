import { parseUuid } from '../../lib/uuid.ts';
import type { MediaRow } from '../../store/table.ts';
import { listFoldersByPath } from '../../store/tree/folder.ts';
import {
  findNodeByUuid,
  listNodesByIds,
  listNodesByUuids,
  pathBelow,
} from '../../store/tree/tree.ts';
import type { Services } from '../context.ts';
import { NotFoundError } from '../error.ts';
import type { StartNode } from './viewer.ts';

/** More are passed over: each is a condition of every statement. */
const START_NODES_MAX = 200;

/**
 * Where a viewer's part of the tree begins, from the uuids or numbers that a credential names: those that
 * are there, without what lies below another of them, and what is in no folder, which is no place. What is
 * no list names nothing, so that a claim that is not understood gives the least.
 */
export async function resolveStartNodes(
  { db }: Pick<Services, 'db'>,
  claim: unknown,
): Promise<StartNode[]> {
  const names: readonly unknown[] = Array.isArray(claim) ? claim.slice(0, START_NODES_MAX) : [];
  const uuids = names.flatMap((name) => (typeof name === 'string' && parseUuid(name)) || []);
  const ids = names.filter((name) => Number.isSafeInteger(name)) as number[];
  const named = [
    ...(uuids.length > 0 ? await listNodesByUuids(db, uuids) : []),
    ...(ids.length > 0 ? await listNodesByIds(db, ids) : []),
  ];
  const rows = [...new Map(named.map((row) => [row.id, row])).values()];
  const isTop = (row: MediaRow) =>
    row.parent_id !== null && !rows.some((other) => row.path.startsWith(pathBelow(other)));
  return rows.filter(isTop).map((row) => ({ id: row.id, below: pathBelow(row) }));
}

/**
 * The uuids of the nodes that people name: folders and media by uuid, folders by path too, `/Design/Logos`.
 * Throws NotFoundError for the first that is not there.
 */
export async function findStartNodes(
  { db }: Pick<Services, 'db'>,
  names: readonly string[],
): Promise<string[]> {
  const uuids: string[] = [];
  for (const name of names) {
    const uuid = parseUuid(name);
    const row =
      uuid === null ? (await listFoldersByPath(db, name))[0] : await findNodeByUuid(db, uuid);
    if (row === undefined) throw new NotFoundError('folder', name);
    uuids.push(row.uuid);
  }
  return uuids;
}
