import {
  checkUsages,
  compactUsages,
  findUsages,
  lockUsages,
  type Usage,
  type Usages,
} from '../../store/viewer/usage.ts';
import type { Context, Quotas, Services } from '../context.ts';
import { TooManyRequestsError } from '../error.ts';
import type { LimitName } from '../exceeded-limit.ts';
import { QuotaExceededError } from '../storage-error.ts';
import { isAdmin } from './access.ts';
import { type Subject, subjectsOf, viewerSubject } from './subject.ts';

/** What a request is about to add. Absent values count as 0. */
export interface Demand {
  /** Upload sessions. Each also counts as an item, which it becomes when it is completed. */
  uploads?: number;
  promisedBytes?: number;
  storedBytes?: number;
  items?: number;
}

/** Delay before a retry after too many upload sessions: a client needs some time to complete one. */
const SESSION_RETRY_AFTER_MS = 60_000;

const NOTHING: Usage = { uploads: 0, promisedBytes: 0, storedBytes: 0, items: 0 };

/**
 * Checks that the viewer and its address may have this much more. Inside `transact`, it also keeps others from taking
 * the room until the transaction ends: call it there before anything else is locked. The errors may then come from the
 * next statement of the transaction instead. Bytes promised by open upload sessions count as stored. Throws
 * TooManyRequestsError and QuotaExceededError.
 */
export async function checkQuota(ctx: Context, demand: Demand): Promise<void> {
  const { quotas } = ctx.settings;
  const subjects = subjectsOf(ctx);
  const isLimited = LIMITS.some(({ max, added }) => quotas[max] > 0 && added(demand) > 0);
  if (!isLimited || subjects.length === 0) return;
  const names = subjects.map(({ name }) => name);
  const check = (usages: Usages) => {
    for (const subject of subjects) {
      checkSubject(ctx, subject, usages.get(subject.name) ?? NOTHING, demand);
    }
  };
  if (!ctx.db.isTransaction) return check(await findUsages(ctx.db, names));
  await lockUsages(ctx.db, names);
  await checkUsages(ctx.db, names, check);
}

/** Returns how many bytes the viewer and its address may still store, besides those that are arriving. */
export async function storageRoom(ctx: Context): Promise<Map<string, number>> {
  const { quotas } = ctx.settings;
  const subjects = quotas.storedBytesMax > 0 ? subjectsOf(ctx) : [];
  if (subjects.length === 0) return new Map();
  const usages = await findUsages(
    ctx.db,
    subjects.map(({ name }) => name),
  );
  return new Map(
    subjects.map((subject) => {
      const { storedBytes, promisedBytes } = usages.get(subject.name) ?? NOTHING;
      const limit = limitOf(quotas, 'storedBytesMax', subject);
      return [subject.name, limit - storedBytes - promisedBytes];
    }),
  );
}

/** Returns the limit of a subject; 0: none. */
function limitOf(quotas: Quotas, max: keyof Quotas, { isAddress }: Subject): number {
  return quotas[max] * (isAddress ? quotas.addressFactor : 1);
}

interface Limit {
  name: LimitName;
  max: keyof Quotas;
  added: (demand: Demand) => number;
  used: (usage: Usage) => number;
}

const LIMITS: readonly Limit[] = [
  {
    name: 'upload-sessions',
    max: 'uploadsMax',
    added: ({ uploads = 0 }) => uploads,
    used: ({ uploads }) => uploads,
  },
  {
    name: 'promised-bytes',
    max: 'promisedBytesMax',
    added: ({ promisedBytes = 0 }) => promisedBytes,
    used: ({ promisedBytes }) => promisedBytes,
  },
  {
    name: 'stored-bytes',
    max: 'storedBytesMax',
    added: ({ promisedBytes = 0, storedBytes = 0 }) => promisedBytes + storedBytes,
    used: ({ promisedBytes, storedBytes }) => promisedBytes + storedBytes,
  },
  {
    name: 'items',
    max: 'itemsMax',
    added: ({ uploads = 0, items = 0 }) => uploads + items,
    used: ({ uploads, items }) => uploads + items,
  },
];

function checkSubject(ctx: Context, subject: Subject, usage: Usage, demand: Demand): void {
  const { quotas } = ctx.settings;
  for (const { name, max, added, used } of LIMITS) {
    const limit = limitOf(quotas, max, subject);
    const more = added(demand);
    if (limit === 0 || more === 0 || used(usage) + more <= limit) continue;
    ctx.observer.refused(name);
    const exceeded = { name, limit };
    if (name === 'stored-bytes' || name === 'items') throw new QuotaExceededError(exceeded);
    throw new TooManyRequestsError(SESSION_RETRY_AFTER_MS, exceeded);
  }
}

/** What a viewer has stored and reserved, and its quotas. */
export interface StorageUsage extends Usage {
  /** Null: no limit. */
  quota: { [K in keyof Usage]: number | null };
}

/** Returns the usage and the quotas of the viewer; for an admin, the usage of all viewers, without quotas. */
export async function storageUsage(ctx: Context): Promise<StorageUsage> {
  const isAll = isAdmin(ctx);
  const subject = isAll ? 'all' : viewerSubject(ctx);
  const usage = (await findUsages(ctx.db, [subject])).get(subject) ?? NOTHING;
  const { quotas } = ctx.settings;
  const limit = (max: keyof Quotas) => (isAll ? null : quotas[max] || null);
  return {
    ...usage,
    quota: {
      uploads: limit('uploadsMax'),
      promisedBytes: limit('promisedBytesMax'),
      storedBytes: limit('storedBytesMax'),
      items: limit('itemsMax'),
    },
  };
}

/** Merges the rows that make up each usage, so that reading one stays cheap. Call it regularly. */
export function mergeUsages({ db }: Services): Promise<void> {
  return compactUsages(db);
}
