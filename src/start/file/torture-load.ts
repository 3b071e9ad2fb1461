import { createHash, randomBytes, randomInt } from 'node:crypto';
import type { TortureClient } from './torture-client.ts';
import { checkItem, type KnownItem, type Ledger } from './torture-ledger.ts';

/** Clients at once. */
const CLIENTS = 6;

/** Larger than the system's buffers of a connection. */
const FILE_BYTES_MAX = 2 ** 21;

/** More would make the last check longer than the torture. */
const ITEMS_MAX = 3000;

/** Uploads, replaces, deletes and reads at random, until the signal aborts. Failed requests are expected. */
export async function runLoad(
  client: TortureClient,
  ledger: Ledger,
  signal: AbortSignal,
): Promise<void> {
  const work = async () => {
    while (!signal.aborted) {
      await act(client, ledger).catch(() => pause());
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, work));
}

/** A server that is gone refuses at once. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}

async function act(client: TortureClient, ledger: Ledger): Promise<void> {
  const dice = randomInt(100);
  const free = ledger.items.filter(({ isBusy, isDeleted }) => !isBusy && isDeleted === false);
  const item = free.length === 0 ? undefined : free[randomInt(free.length)];
  if (item === undefined || (dice < 40 && ledger.items.length < ITEMS_MAX))
    return upload(client, ledger);
  item.isBusy = true;
  try {
    if (dice < 55) await replace(client, ledger, item);
    else if (dice < 65) await remove(client, ledger, item);
    else await read(client, ledger, item);
  } finally {
    item.isBusy = false;
  }
}

async function upload(client: TortureClient, ledger: Ledger): Promise<void> {
  const { file, md5 } = newFile();
  const added = await client.upload(file, maybeCut());
  if (added === null) {
    ledger.refusals += 1;
    return;
  }
  ledger.uploads += 1;
  const { id, url } = added;
  if (added.md5 !== md5) ledger.violations.push(`${url} was acknowledged with a wrong digest`);
  ledger.items.push({ id, url, md5, md5s: new Set([md5]), isDeleted: false, isBusy: false });
}

async function replace(client: TortureClient, ledger: Ledger, item: KnownItem): Promise<void> {
  const { file, md5 } = newFile();
  item.md5s.add(md5);
  const replaced = await client.replace(item.id, file, maybeCut());
  if (replaced === null) {
    ledger.refusals += 1;
    return;
  }
  ledger.replacements += 1;
  item.url = replaced.url;
  item.md5s.delete(item.md5);
  item.md5 = md5;
}

async function remove(client: TortureClient, ledger: Ledger, item: KnownItem): Promise<void> {
  item.isDeleted = 'unknown';
  if (!(await client.delete(item.id))) return;
  item.isDeleted = true;
  ledger.deletions += 1;
}

async function read(client: TortureClient, ledger: Ledger, item: KnownItem): Promise<void> {
  await checkItem(client, ledger, item);
  ledger.reads += 1;
}

function newFile(): { file: File; md5: string } {
  // Small files are the most frequent; none is so small that two could be equal.
  const bytes = randomBytes(16 + randomInt(2 ** randomInt(1, Math.log2(FILE_BYTES_MAX))));
  // No decoder takes it for anything.
  bytes[0] = 0;
  const md5 = createHash('md5').update(bytes).digest('hex');
  return { file: new File([bytes], 'torture.bin'), md5 };
}

/** Cuts the connection of one request in twenty, at some moment. */
function maybeCut(): { signal?: AbortSignal } {
  return randomInt(20) === 0 ? { signal: AbortSignal.timeout(randomInt(1, 30)) } : {};
}
