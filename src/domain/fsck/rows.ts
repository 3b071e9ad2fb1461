import {
  copyVisibility,
  findBrokenPages,
  findPlace,
  listMisplacedNodes,
  listWrongCopies,
  updatePlace,
} from '../../store/fsck/row.ts';
import { addToUsage, listUsageErrors } from '../../store/fsck/usage.ts';
import { pathBelow } from '../../store/path.ts';
import { actualPath } from '../../store/path-move.ts';
import { listPathMoves } from '../../store/tree/path-move.ts';
import { lockTree } from '../../store/tree/subtree.ts';
import { type Context, transact } from '../context.ts';
import { type CheckOptions, type Difference, difference } from './difference.ts';

const PAGE_SIZE = 500;

type RowOptions = Pick<CheckOptions, 'repair' | 'signal'>;

/** Compares rows with each other: everything that is stored twice, so that reads are cheap. */
export async function* checkRows(ctx: Context, options: RowOptions): AsyncGenerator<Difference> {
  for (const line of await findBrokenPages(ctx.db, PAGE_SIZE)) {
    yield difference('broken-database', `SQLite: ${line}`);
  }
  yield* checkPlaces(ctx, options);
  yield* checkCopies(ctx, options);
  yield* checkUsages(ctx, options);
}

/** With `repair`, repeats until nothing is left to do: a node is placed by its parent, whose place may be wrong, too. */
async function* checkPlaces(ctx: Context, options: RowOptions): AsyncGenerator<Difference> {
  for (let isChanged = true; isChanged; ) {
    isChanged = false;
    for (let afterId = 0; ; ) {
      const nodes = await listMisplacedNodes(ctx.db, afterId, PAGE_SIZE);
      for (const { id, name } of nodes) {
        options.signal?.throwIfAborted();
        const place = await judgePlace(ctx, id, options.repair);
        if (place === 'right') continue;
        isChanged ||= options.repair && place !== 'stuck';
        yield difference('wrong-place', 'the path does not lead to the parent', {
          mediaId: id,
          name,
          repair: options.repair ? 'set the path' : null,
        });
      }
      if (nodes.length < PAGE_SIZE) break;
      afterId = nodes.at(-1)?.id ?? afterId;
    }
  }
}

/** Compares the place of a node with its parent's while nobody moves nodes. Repairs it if asked to. */
function judgePlace(
  ctx: Context,
  id: number,
  repair: boolean,
): Promise<'right' | 'wrong' | 'stuck'> {
  return transact(ctx, async ({ db }) => {
    await lockTree(db);
    const place = await findPlace(db, id);
    if (place === undefined) return 'right';
    const moves = await listPathMoves(db);
    const { parentId, parentPath, path, level } = place;
    const wanted =
      parentId === null || parentPath === null
        ? ''
        : pathBelow({ id: parentId, path: actualPath(moves, parentPath) });
    if (actualPath(moves, path) === wanted && level === levelOf(path)) return 'right';
    // A path that contains the node itself comes from a circle of parents: no path is right.
    if (wanted.includes(`/${id}/`)) return 'stuck';
    if (repair) await updatePlace(db, id, { path: wanted, level: levelOf(wanted) });
    return 'wrong';
  });
}

/** Returns the number of ancestors in a path. */
function levelOf(path: string): number {
  return path === '' ? 0 : path.split('/').length - 2;
}

async function* checkCopies(ctx: Context, { repair }: RowOptions): AsyncGenerator<Difference> {
  for (let afterId = 0; ; ) {
    const copies = await listWrongCopies(ctx.db, afterId, PAGE_SIZE);
    for (const copy of copies) {
      if (repair) await transact(ctx, ({ db }) => copyVisibility(db, copy));
      const message = `rows of ${copy.table} have another visibility than the media item`;
      yield difference('wrong-visibility', message, {
        mediaId: copy.mediaId,
        repair: repair ? 'copied it' : null,
      });
    }
    if (copies.length < PAGE_SIZE) return;
    afterId = copies.at(-1)?.mediaId ?? afterId;
  }
}

async function* checkUsages(ctx: Context, { repair }: RowOptions): AsyncGenerator<Difference> {
  for (const error of await listUsageErrors(ctx.db, PAGE_SIZE)) {
    const { subject, ...lacking } = error;
    const wrong = Object.entries(lacking).filter(([, count]) => count !== 0);
    const sums = wrong.map(([name, count]) => `${name} by ${-count}`).join(', ');
    if (repair) await addToUsage(ctx.db, error);
    yield difference('wrong-usage', `the usage of ${subject} is too large: ${sums}`, {
      repair: repair ? 'counted again' : null,
    });
  }
}
