import { constants } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { UploadError } from '../../client/upload/upload-error.ts';
import {
  type ClientSetting,
  type Connection,
  type ServerFlags,
  withConnection,
} from '../connection.ts';
import { DeleteNodesDocument } from '../document.ts';
import {
  CommandError,
  createFailureList,
  EXIT_CODES,
  type FailureList,
  isOfOneItem,
} from '../failure.ts';
import { untilInterrupted } from '../interrupt.ts';
import { printable, printColumns, printJson } from '../output.ts';
import { findNode, isFolder, type Node, toFlat } from '../tree/node.ts';

/** The options of the command. */
export interface RemoveFlags extends ServerFlags {
  recursive?: boolean;
  yes?: boolean;
  json?: boolean;
}

/** A node to remove, and how the command line names it. */
interface Target {
  name: string;
  node: Node;
}

/** Moves nodes into the trash; continues after one that fails. Throws CommandError if any failed. */
export async function runRemove(
  names: readonly string[],
  flags: RemoveFlags,
  { env }: Pick<ClientSetting, 'argv' | 'env'>,
): Promise<void> {
  const failures = createFailureList(names.length);
  await withConnection(flags, env, async (connection) => {
    const targets = await findTargets(connection, names, flags, failures);
    if (targets.length === 0 || !(await isWanted(targets, flags))) return;
    await untilInterrupted(
      async (signal) => {
        for (const target of targets) {
          signal.throwIfAborted();
          await removeOne(connection, target, flags, failures);
        }
      },
      () => 'interrupted: the items that are listed have been removed',
    );
  });
  failures.throwIfAny('items');
}

async function findTargets(
  connection: Connection,
  names: readonly string[],
  { recursive = false }: RemoveFlags,
  failures: FailureList,
): Promise<Target[]> {
  const targets: Target[] = [];
  for (const name of new Set(names)) {
    try {
      const node = await findNode(connection, name);
      if (isFolder(node) && !recursive)
        throw new CommandError(`${name}: is a folder; add --recursive to remove it`);
      targets.push({ name, node });
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      failures.add(error.message);
    }
  }
  return targets;
}

/** Asks, if there is somebody to ask. A script means what it says. */
async function isWanted(targets: readonly Target[], { yes = false }: RemoveFlags) {
  if (yes || !process.stdin.isTTY || !process.stderr.isTTY) return true;
  const [first] = targets;
  const what =
    targets.length === 1 && first !== undefined
      ? `${isFolder(first.node) ? 'the folder ' : ''}${printable(first.node.name)}`
      : `${targets.length} items`;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new AbortController();
  // The end of the input means no.
  terminal.once('close', () => closed.abort());
  const exit = { exitCode: EXIT_CODES.failed };
  terminal.once('SIGINT', () => {
    exit.exitCode = EXIT_CODES.signal + constants.signals.SIGINT;
    closed.abort();
  });
  const answer = await terminal
    .question(`Move ${what} into the trash? [y/N] `, { signal: closed.signal })
    .catch(() => '');
  terminal.close();
  if (/^y(es)?$/i.test(answer.trim())) return true;
  throw new CommandError('nothing was removed', exit);
}

async function removeOne(
  { change }: Connection,
  { name, node }: Target,
  { recursive = false, json = false }: RemoveFlags,
  failures: FailureList,
): Promise<void> {
  try {
    await change(DeleteNodesDocument, { input: { ids: [node.id], recursive } });
    if (json) printJson(toFlat(node));
    else printColumns([node.id, node.name]);
  } catch (error) {
    if (!(error instanceof UploadError) || !isOfOneItem(error)) throw error;
    failures.add(`${name}: ${error.message}`);
  }
}
