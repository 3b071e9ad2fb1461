import { Command } from 'commander';
import type { Difference } from '../../domain/fsck/difference.ts';
import {
  asServer,
  type CommandSetting,
  type Flags,
  readConfig,
  withPlaces,
} from '../command-setting.ts';
import type { Config } from '../config.ts';
import { requireLibrary } from '../require-library.ts';

interface FsckFlags extends Flags {
  rehash?: boolean;
  repair?: boolean;
  json?: boolean;
}

interface FsckSetting extends CommandSetting {
  exit: (code: number) => never;
}

/** A check of a large library reads all rows of a table by one statement. */
const STATEMENT_TIMEOUT_MS = 3_600_000;

/**
 * Creates the command `trivium fsck`, which compares the database with the storage, whether a server runs or not. It ends
 * the process with code 1 if there is a difference, repaired or not, and with code 2 if it fails.
 */
export function fsckCommand({ env, attempt, exit }: FsckSetting): Command {
  const fsck = new Command('fsck')
    .description(
      'compare the database with the stored files, both ways; exits with 1 if they differ, with 2 if it fails',
    )
    .option('--rehash', 'also read all files and compare their digests')
    .option(
      '--repair',
      'delete bytes without a row, mark files whose bytes are lost, and correct counts',
    )
    .option('--json', 'print a line of JSON for each difference instead');
  return withPlaces(fsck).action(async (flags: FsckFlags) => {
    let differences = 0;
    await attempt(async () => {
      differences = await check(readConfig(env, fsck, flags), flags);
    });
    if (differences > 0) exit(1);
  });
}

async function check(config: Config, { rehash = false, repair = false, json }: FsckFlags) {
  await requireLibrary(config);
  const { checkLibrary } = await import('../../domain/fsck/fsck.ts');
  const progress = { blobs: 0, bytesRead: 0 };
  const counts = { differences: 0, repaired: 0 };
  await asServer({ ...config, statementTimeoutMs: STATEMENT_TIMEOUT_MS }, async (ctx) => {
    for await (const found of checkLibrary(ctx, { rehash, repair, progress })) {
      console.log(json ? JSON.stringify(found) : toLine(found));
      counts.differences++;
      if (found.repair !== null) counts.repaired++;
    }
  });
  if (!json) console.log(summary(progress, counts));
  return counts.differences;
}

function toLine({ kind, message, mediaId, name, blobKey, repair }: Difference): string {
  const subject = [
    kind,
    ...(mediaId === null ? [] : [`media ${mediaId}`]),
    // Quoted: a name may contain a line break or a control character.
    ...(name === null ? [] : [JSON.stringify(name)]),
    ...(blobKey === null ? [] : [`blob ${blobKey}`]),
  ].join('  ');
  return `${subject}: ${message}${repair === null ? '' : ` (${repair})`}`;
}

function summary(
  { blobs, bytesRead }: { blobs: number; bytesRead: number },
  { differences, repaired }: { differences: number; repaired: number },
): string {
  const read = bytesRead === 0 ? '' : `, read ${bytesRead} bytes`;
  const found = differences === 1 ? '1 difference' : `${differences || 'no'} differences`;
  return `checked ${blobs} blobs${read}: ${found}${repaired === 0 ? '' : `, ${repaired} repaired`}`;
}
