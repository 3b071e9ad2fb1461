import { parseUuid } from '../../lib/uuid.ts';
import { pathBelow } from '../../store/path.ts';
import type { NodeRow } from '../../store/table.ts';
import { listFoldersByPath } from '../../store/tree/folder.ts';
import { findNodeByUuid, listNodesByIds, listNodesByUuids } from '../../store/tree/node.ts';
import type { Services } from '../context.ts';
import { NotFoundError } from '../error.ts';
import { existing } from './access.ts';
import type { StartNode } from './viewer.ts';

/** Maximum number of start nodes. Further ones are ignored, because each adds a condition to every statement. */
const START_NODES_MAX = 200;

/**
 * Returns the start nodes that a credential names by uuid or number: those that exist, except nodes below another start
 * node and unfiled ones, which have nothing below them. A claim that is not a list names none, so that a claim that is
 * not understood grants the least.
 */
export async function resolveStartNodes(
  services: Pick<Services, 'db' | 'pending'>,
  claim: unknown,
): Promise<StartNode[]> {
  const names: readonly unknown[] = Array.isArray(claim) ? claim.slice(0, START_NODES_MAX) : [];
  const uuids = names.flatMap((name) => (typeof name === 'string' && parseUuid(name)) || []);
  const ids = names.filter((name) => Number.isSafeInteger(name)) as number[];
  const named = [
    ...(uuids.length > 0 ? await listNodesByUuids(services.db, existing(services), uuids) : []),
    ...(ids.length > 0 ? await listNodesByIds(services.db, existing(services), ids) : []),
  ];
  const rows = [...new Map(named.map((row) => [row.id, row])).values()];
  const isTop = (row: NodeRow) =>
    row.parent_id !== null && !rows.some((other) => row.path.startsWith(pathBelow(other)));
  return rows.filter(isTop).map((row) => ({ id: row.id, below: pathBelow(row) }));
}

/** Returns the start nodes of a key or a user from its row: a JSON array of uuids. */
export function storedStartNodes(
  services: Pick<Services, 'db' | 'pending'>,
  stored: string,
): Promise<StartNode[]> {
  return resolveStartNodes(services, parseUuids(stored));
}

/**
 * Parses a JSON array of uuids. A text that is not one names no start nodes: it grants the least, and is not an error.
 */
export function parseUuids(stored: string): string[] {
  try {
    const value: unknown = JSON.parse(stored);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

/**
 * Returns the uuids of the nodes that people name: folders and media by uuid, folders also by path, `/Design/Logos`.
 * Throws NotFoundError for the first that does not exist.
 */
export async function findStartNodes(
  services: Pick<Services, 'db' | 'pending'>,
  names: readonly string[],
): Promise<string[]> {
  const uuids: string[] = [];
  for (const name of names) {
    const uuid = parseUuid(name);
    const row =
      uuid === null
        ? (await listFoldersByPath(services.db, existing(services), name))[0]
        : await findNodeByUuid(services.db, existing(services), uuid);
    if (row === undefined) throw new NotFoundError('folder', name);
    uuids.push(row.uuid);
  }
  return uuids;
}
