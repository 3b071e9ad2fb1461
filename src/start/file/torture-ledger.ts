import type { TortureClient } from './torture-client.ts';

/** A media item as far as its client knows. */
export interface KnownItem {
  id: string;
  url: string;
  /** The MD5 of the bytes that were acknowledged last. */
  md5: string;
  /**
   * The MD5s that its bytes may have: also those of replacements whose answer is missing. The server may carry one out
   * at any later time.
   */
  md5s: Set<string>;
  /** `unknown`: the answer to the deletion is missing. */
  isDeleted: boolean | 'unknown';
  /** Whether a request of it is in progress. */
  isBusy: boolean;
}

/** What a server has acknowledged, and what it has broken. */
export interface Ledger {
  items: KnownItem[];
  uploads: number;
  replacements: number;
  deletions: number;
  reads: number;
  /** Requests that were refused, for example for lack of room. */
  refusals: number;
  /** A sentence for each broken promise. */
  violations: string[];
}

/** Creates an empty ledger. */
export function createLedger(): Ledger {
  const counts = { uploads: 0, replacements: 0, deletions: 0, reads: 0, refusals: 0 };
  return { items: [], ...counts, violations: [] };
}

/** Reads an item, and adds a violation if the answer is none of those that it may have. */
export async function checkItem(
  client: Pick<TortureClient, 'read'>,
  { violations }: Pick<Ledger, 'violations'>,
  item: KnownItem,
): Promise<void> {
  const md5 = await client.read(item.url);
  if (md5 === null) {
    if (item.isDeleted === false) violations.push(`${item.url} is lost`);
  } else if (item.isDeleted === true) {
    violations.push(`${item.url} was deleted, and is back`);
  } else if (!item.md5s.has(md5)) {
    violations.push(
      `${item.url} has wrong bytes: MD5 ${md5} instead of ${[...item.md5s].join(' or ')}`,
    );
  }
}

/**
 * Checks every acknowledged item, and every item that the server lists: it exists whole or not at all. Nothing disturbs
 * the server meanwhile, so each failed request is a violation, too.
 */
export async function checkAll(client: TortureClient, ledger: Ledger): Promise<void> {
  const failed = (url: string) => (error: unknown) =>
    void ledger.violations.push(`${url} cannot be read: ${String(error)}`);
  for (const item of ledger.items) {
    await checkItem(client, ledger, item).catch(failed(item.url));
  }
  for await (const { url, md5 } of client.list()) {
    const check = async () => {
      if ((await client.read(url)) === md5) return;
      ledger.violations.push(`${url} is listed, and its bytes are not whole`);
    };
    await check().catch(failed(url));
  }
}
