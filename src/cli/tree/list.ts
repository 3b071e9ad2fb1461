import { type ClientSetting, type Connection, withConnection } from '../connection.ts';
import { CommandError, UsageError } from '../failure.ts';
import { formatBytes, printable, printColumns, printJson } from '../output.ts';
import type { ListFlags } from './list-command.ts';
import { findFolderAt, findNode, isFolder, listChildren, listUnfiled, type Node } from './node.ts';

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
    const print = flags.json ? printJson : process.stdout.isTTY ? printRow : printLine;
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

function printLine(node: Node): void {
  const { type, sizeBytes, name } = describe(node);
  printColumns([node.id, type, sizeBytes?.toString() ?? '', node.updatedAt, name]);
}

/** Prints the columns that people look at first; the others come with the other formats. */
function printRow(node: Node): void {
  const { type, sizeBytes, name } = describe(node);
  const size = sizeBytes === null ? '' : formatBytes(sizeBytes);
  const changed = node.updatedAt.slice(0, 16).replace('T', ' ');
  console.log(
    `${type.toLowerCase().padEnd(12)}  ${size.padStart(10)}  ${changed}  ${printable(name)}`,
  );
}

function describe(node: Node): { type: string; sizeBytes: number | null; name: string } {
  if (isFolder(node)) return { type: 'FOLDER', sizeBytes: null, name: `${node.name}/` };
  return { type: node.type, sizeBytes: node.file?.sizeBytes ?? null, name: node.name };
}
