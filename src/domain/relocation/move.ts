import {
  describeBlob,
  isUploadOpen,
  readBlobs,
  readStagedUploads,
} from '../../store/relocation/blob-list.ts';
import { createTriggers, hasTriggers, withTablesLocked } from '../../store/relocation/capture.ts';
import type { MoveConnection } from '../../store/relocation/connection.ts';
import {
  deleteChanges,
  deleteMark,
  finishSource,
  nextRound,
  takeChanges,
  updateMark,
} from '../../store/relocation/mark.ts';
import { listMovedTables, requireSameTables } from '../../store/relocation/moved-table.ts';
import { openMoveConnection } from '../../store/relocation/open-connection.ts';
import { relaxTarget, restoreTarget, validateTarget } from '../../store/relocation/relax.ts';
import { countRows } from '../../store/relocation/row.ts';
import { copySequences } from '../../store/relocation/sequence.ts';
import { beginMove, endMove, type MovePlan, movesStagedRows } from './begin.ts';
import {
  AFTER_ALL_KEYS,
  compareBlobs,
  copyListed,
  copyMissing,
  readBlobList,
  withBlobList,
  writeBlobList,
} from './blobs.ts';
import { MoveError } from './error.ts';
import { withReadOnly } from './read-only.ts';
import { applyChanges, changedBlobs, compareCounts, copyRows } from './rows.ts';
import { type MoveOptions, type MoveResult, type Run, withRun } from './run.ts';
import { copyStaged, discardOthers } from './staged.ts';

/**
 * Copies a library to another database, another storage, or both, while servers use it. They refuse changes for the last
 * seconds only. Reads back every row that it writes, and compares the digest of every blob. A move that was interrupted
 * goes on. Afterwards the source is marked as moved: it stays read-only, unless `isSourceReleased`. Throws MoveError.
 */
export function moveLibrary(plan: MovePlan, options: MoveOptions): Promise<MoveResult> {
  return withRun(plan, options, async (run) => {
    const { source, target } = await beginMove(run.marks, plan);
    if (plan.to.database !== null && target !== null) await openTarget(run, plan.to.database.url);
    if (source.state !== 'moved') {
      await copyAll(run, source.blobs_up_to, target?.state === 'filling');
      await switchOver(run);
      await finishTarget(run);
    } else if (plan.to.database === null || target !== null) {
      // The command was interrupted after the source had been marked.
      await compareStored(run, run.target ?? run.marks);
      await finishTarget(run);
    } else {
      run.result.isNew = false;
    }
    if (options.isSourceReleased) await endMove(run.marks, run.tables, 'finished');
    return run.result;
  });
}

async function openTarget(run: Run, url: string): Promise<void> {
  run.target = await openMoveConnection(url);
  requireSameTables(run.tables, await listMovedTables(run.target, movesStagedRows(run.plan)));
}

/** Copies everything while servers change the source, until few changes are left. */
async function copyAll(run: Run, blobsUpTo: string, isEmpty: boolean): Promise<void> {
  await copyStoredBlobs(run, blobsUpTo, false);
  await captureChanges(run);
  // Those that were stored between these two steps.
  await copyStoredBlobs(run, blobsUpTo, true);
  if (run.target !== null) await relaxTarget(run.target, run.tables);
  if (isEmpty) await fillTarget(run);
  await compareStored(run, run.reader);
  await catchUp(run);
}

/**
 * Copies the blobs that exist now. The first time, nothing notes changes yet: copying the bytes may take days, and
 * copying the rows minutes.
 */
async function copyStoredBlobs(run: Run, blobsUpTo: string, isSecond: boolean): Promise<void> {
  const { blobs, reader, tables, marks, options } = run;
  if (blobs === null) return;
  await withBlobList(async (path) => {
    const count = await reader.transact('snapshot', () =>
      writeBlobList(path, readBlobs(reader, tables)),
    );
    let done = 0;
    const onReached = (key: string) => updateMark(marks, { blobs_up_to: key });
    await copyListed(blobs, path, {
      intactUpTo: isSecond ? AFTER_ALL_KEYS : blobsUpTo,
      isSecond,
      onReached,
      onProgress: () => options.onProgress({ phase: 'files', fraction: ++done / count }),
    });
    await onReached(AFTER_ALL_KEYS);
  });
}

/** Makes the source note all changes from now on. */
async function captureChanges({ marks, tables }: Run): Promise<void> {
  if (await hasTriggers(marks)) return;
  await withTablesLocked(marks, tables, 'share row exclusive', () => createTriggers(marks, tables));
}

/** Copies all rows as they are at one moment. If it is interrupted, the target is as it was before. */
async function fillTarget({ reader, target, tables, options }: Run): Promise<void> {
  if (target === null) return;
  await reader.transact('snapshot', async () => {
    let [done, total] = [0, 0];
    for (const table of tables) total += await countRows(reader, table);
    await target.transact('write', async () => {
      const move = { from: reader, to: target, tables, signal: options.signal };
      await copyRows(move, (count) => {
        done += count;
        options.onProgress({ phase: 'rows', fraction: done / Math.max(1, total) });
      });
      await updateMark(target, { state: 'filled' });
    });
  });
  if (target.dialect === 'postgres') await target.run('analyze');
}

/** Changes that can be copied while the source is read-only, within a second or two. */
const FEW_CHANGES = 1000;

/** Rounds after which the source becomes read-only although there are more changes: they do not become fewer. */
const ROUNDS_MAX = 10;

/** Copies the rows that have changed, again and again, until few are left. */
async function catchUp(run: Run): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const changes = await copyChanges(run);
    // Elsewhere, bytes that have been read can no longer grow.
    if (run.staged?.from.isLocal) await copyUploads(run);
    run.options.onProgress({ phase: 'changes', fraction: (round + 1) / ROUNDS_MAX });
    // The first round may have copied the bytes of large files.
    if (round > 0 && changes < FEW_CHANGES) return;
  }
}

/** Copies the rows that have changed so far, and then the blobs that they name. Returns the number of changes. */
async function copyChanges({
  marks,
  reader,
  target,
  tables,
  blobs,
  options,
}: Run): Promise<number> {
  const round = await nextRound(marks);
  const changes = await takeChanges(marks, round);
  const move = { from: reader, tables, signal: options.signal };
  await withBlobList(async (path) => {
    await reader.transact('snapshot', async () => {
      if (target === null) return writeBlobList(path, changedBlobs(move, round));
      return target.transact('write', () =>
        writeBlobList(path, applyChanges({ ...move, to: target }, round)),
      );
    });
    if (blobs !== null) await copyMissing(blobs, path);
  });
  await deleteChanges(marks, round);
  return changes;
}

/** Copies staged bytes. Returns the sessions that have lost theirs. */
async function copyUploads({ reader, staged, result }: Run): Promise<string[]> {
  if (staged === null) return [];
  const lost: string[] = [];
  result.uploads = 0;
  const uploads = await reader.transact('snapshot', () =>
    Array.fromAsync(readStagedUploads(reader)),
  );
  await copyStaged(staged, uploads, ({ uploadId, filename }) =>
    lost.push(`staged bytes of upload ${uploadId} (${JSON.stringify(filename)})`),
  );
  result.uploads = uploads.length - lost.length;
  return lost;
}

/** Copies the last changes while the source is read-only, compares both sides, and marks the source as moved. */
async function switchOver(run: Run): Promise<void> {
  const { marks, reader, target, tables, result, options } = run;
  const startedAt = performance.now();
  await withReadOnly(run, tables, async () => {
    options.onProgress({ phase: 'last changes', fraction: 0 });
    await copyChanges(run);
    result.damaged.push(...(await copyUploads(run)));
    if (target !== null) {
      result.rows = await compareCounts({ from: reader, to: target, tables });
      await copySequences(reader, target);
      await restoreTarget(target, tables);
    }
    options.signal.throwIfAborted();
    if (!(await finishSource(marks)))
      throw new MoveError(
        'The source was writable again before the last changes were copied, because this process was suspended: run the same command again.',
      );
  });
  result.readOnlyMs = performance.now() - startedAt;
}

/** Checks the references of the target, lists what it lacks, and takes its mark away. */
async function finishTarget(run: Run): Promise<void> {
  const { target, marks, blobs, staged, tables, result, options } = run;
  const rows = target ?? marks;
  if (target !== null) await validateTarget(target);
  if (staged !== null) {
    await discardOthers(staged.to, (key) => isUploadOpen(rows, key));
    if (isInTheWay(run)) await discardOthers(staged.from, async () => false);
  }
  for (const key of blobs?.damaged ?? []) {
    const name = await describeBlob(rows, tables, key);
    if (name !== null) result.damaged.push(`blob ${key} (${name})`);
  }
  options.signal.throwIfAborted();
  if (target !== null) await deleteMark(target);
}

/**
 * Tells whether the staged bytes of the source are in the bucket that the target uses, as objects that its uploads cannot
 * replace, or in rows that nobody would delete.
 */
function isInTheWay({ plan: { to }, staged, options }: Run): boolean {
  if (staged === null || staged.from.isLocal || staged.objects !== null) return false;
  return (to.storage === null || to.database === null) && !options.isSourceReleased;
}

/** Compares the blobs of the target with the rows of a database. Later rounds copy the blobs of rows that change. */
async function compareStored({ blobs, tables, result }: Run, rows: MoveConnection): Promise<void> {
  if (blobs === null) return;
  await withBlobList(async (path) => {
    await rows.transact('snapshot', () => writeBlobList(path, readBlobs(rows, tables)));
    const isStaged = (key: string) => isUploadOpen(rows, key);
    result.removed += await compareBlobs(blobs, readBlobList(path), isStaged);
  });
}
