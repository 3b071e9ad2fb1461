import {
  type ClientSetting,
  type Connection,
  type ServerFlags,
  withConnection,
} from '../connection.ts';
import { CommandError, UsageError } from '../failure.ts';
import { formatBytes, formatTime, printable, printColumns, printJson } from '../output.ts';
import {
  findFolderAt,
  findNode,
  isFolder,
  listChildren,
  listUnfiled,
  type Node,
  toFlat,
} from './node.ts';

/** The options of the command. */
export interface ListFlags extends ServerFlags {
  unfiled?: boolean;
  json?: boolean;
}

/** Lists a folder, or a single media item. Throws CommandError. */
export async function runList(
  name: string | undefined,
  flags: ListFlags,
  env: ClientSetting['env'],
): Promise<void> {
  if (flags.unfiled && name !== undefined)
    throw new UsageError('--unfiled lists media that are in no folder: leave out the name.');
  await withConnection(flags, env, async (connection) => {
    const nodes = flags.unfiled ? listUnfiled(connection) : list(connection, name ?? '/');
    const print = flags.json ? printNode : process.stdout.isTTY ? printRow : printLine;
    for await (const node of nodes) print(node);
  });
}

async function* list(connection: Connection, name: string): AsyncGenerator<Node> {
  const node = await findListed(connection, name);
  if (node !== null && !isFolder(node)) yield node;
  else yield* listChildren(connection, node);
}

/** Returns the node to list. The path of a folder is found by one request, and that of a media item by more. */
async function findListed(connection: Connection, name: string): Promise<Node | null> {
  if (!name.startsWith('/')) return findNode(connection, name);
  try {
    return await findFolderAt(connection, name);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return findNode(connection, name);
  }
}

function printNode(node: Node): void {
  printJson(toFlat(node));
}

function printLine(node: Node): void {
  const { id, type, sizeBytes, updatedAt } = toFlat(node);
  printColumns([id, type, sizeBytes?.toString() ?? '', updatedAt, shownName(node)]);
}

/** Prints the columns that people look at first; the others come with the other formats. */
function printRow(node: Node): void {
  const { type, sizeBytes, updatedAt } = toFlat(node);
  const size = sizeBytes === null ? '' : formatBytes(sizeBytes);
  const columns = [type.toLowerCase().padEnd(12), size.padStart(10), formatTime(updatedAt)];
  console.log([...columns, printable(shownName(node))].join('  '));
}

function shownName(node: Node): string {
  return isFolder(node) ? `${node.name}/` : node.name;
}
