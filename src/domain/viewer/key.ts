import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { cleanName } from '../../lib/name.ts';
import { keysetBy } from '../../store/cursor.ts';
import type { ApiKeyRow } from '../../store/table.ts';
import * as store from '../../store/viewer/key.ts';
import { type Context, type Services, transact } from '../context.ts';
import { ForbiddenError, InvalidInputError, NotFoundError } from '../error.ts';
import { displayName, freeText, parseInput } from '../input.ts';
import { type Page, type PageArgs, parsePageArgs, toPage } from '../page.ts';
import { authorize, isAllowed } from './access.ts';
import { type AuditTarget, recordAudit } from './audit.ts';
import { checkRole, managedBy, toGrantColumns } from './grant.ts';
import { lockCreator } from './key-owner.ts';
import { parseUuids, storedStartNodes } from './start-node.ts';
import {
  ADMIN,
  isKeyId,
  type KnownViewer,
  keyId,
  keyUuid,
  ROLES,
  type Role,
  SYSTEM,
} from './viewer.ts';

/** An API key, without the key itself. */
export interface ApiKey {
  id: number;
  /** `Viewer.id` of requests with this key. */
  viewerId: string;
  name: string;
  role: Role;
  /** Uuids of the start nodes. Null: the whole tree. */
  startNodes: readonly string[] | null;
  createdBy: string | null;
  createdAt: Date;
  expiresAt: Date | null;
  /** Exact to a minute. */
  lastUsedAt: Date | null;
  revokedAt: Date | null;
}

/** The last use is stored at most this often: a read must not cost a commit. */
const LAST_USE_RESOLUTION_MS = 60_000;

/** Returns the viewer of a key, or null if the key is unknown, has expired or has been revoked. */
export async function findViewerByKey(
  services: Services,
  key: string,
): Promise<KnownViewer | null> {
  const digest = keySha256(key);
  if (timingSafeEqual(Buffer.from(digest), Buffer.from(services.adminKeySha256))) {
    return ADMIN;
  }
  const row = await store.findKeyBySha256(services.db, digest);
  if (row === undefined || row.revoked_at !== null || isExpired(services, row)) return null;
  await noteUse(services, row);
  return toViewer(services, row);
}

/** Returns the viewer of the key with a `Viewer.id`, with the rights that it has now; null if the key is not valid. */
export async function findViewerByKeyId(
  services: Services,
  id: string,
): Promise<KnownViewer | null> {
  const row = await store.findKeyByUuid(services.db, keyUuid(id));
  return row === undefined || isExpired(services, row) ? null : toViewer(services, row);
}

async function toViewer(services: Services, row: ApiKeyRow): Promise<KnownViewer> {
  const viewer = { kind: 'key', id: keyId(row.uuid), role: row.role as Role } as const;
  if (row.start_nodes === null) return viewer;
  return { ...viewer, startNodes: await storedStartNodes(services, row.start_nodes) };
}

/** Returns the lower-case hex SHA-256 of a key or a token, the only form that is stored. */
export function keySha256(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** Creates a key of 256 random bits, `tvm_…`. */
export function newKey(): string {
  return `tvm_${randomBytes(32).toString('base64url')}`;
}

const createKeyInput = z.object({
  name: displayName(100),
  role: z.enum(ROLES),
  expiresAt: z.date().nullish(),
  startNodeIds: z.array(z.int()).min(1).max(100).nullish(),
  /** Uuids, or paths of folders. */
  startNodes: z.array(freeText(10_000)).min(1).max(100).nullish(),
});

/** Input of `createApiKey`. Without start nodes, the key has those of the viewer who creates it. */
export type CreateKeyInput = z.input<typeof createKeyInput>;

/**
 * Creates an API key and returns it; it cannot be read again. No key is stronger than its creator: throws
 * ForbiddenError for a higher role and for a later expiry than that of the key that creates it, and NotFoundError for a
 * start node that the creator cannot see.
 */
export async function createApiKey(
  ctx: Context,
  input: CreateKeyInput,
): Promise<{ apiKey: ApiKey; key: string }> {
  authorize(ctx, 'key.create');
  const { name, role, expiresAt, ...startNodes } = parseInput(createKeyInput, input);
  if (expiresAt && expiresAt.getTime() <= ctx.clock()) {
    throw InvalidInputError.of('expiresAt', 'IN_THE_PAST', 'Expected a time in the future.');
  }
  const grant = await toGrantColumns(ctx, { role, ...startNodes });
  const key = newKey();
  return transact(ctx, async (ctx) => {
    await lockCreator(ctx);
    const row = await store.insertKey(ctx.db, {
      ...grant,
      uuid: ctx.newId(),
      key_sha256: keySha256(key),
      name,
      created_by: ctx.viewer.id === SYSTEM.id ? null : ctx.viewer.id,
      created_at: ctx.clock(),
      expires_at: await expiryOf(ctx, expiresAt?.getTime() ?? null),
    });
    await recordAudit(ctx, { action: 'create', target: toTarget(row), details: { role } });
    return { apiKey: toApiKey(row), key };
  });
}

function toTarget({ id, name }: ApiKeyRow): AuditTarget {
  return { kind: 'api_key', id, name };
}

/** Returns the expiry of a new key: at the latest that of the key that creates it. */
async function expiryOf(ctx: Context, asked: number | null): Promise<number | null> {
  const { viewer } = ctx;
  if (viewer.kind !== 'key') return asked;
  const own = await store.findKeyByUuid(ctx.db, keyUuid(viewer.id));
  const latest = own?.expires_at ?? null;
  if (latest === null || (asked !== null && asked <= latest)) return asked;
  if (asked === null) return latest;
  throw new ForbiddenError('A key cannot create a key that expires after itself.');
}

const KEYSET = keysetBy('apiKeys', { name: 'id', type: 'number' }, true);

/**
 * Returns a page of the keys that have not been revoked, newest first, also expired ones. A viewer with start nodes sees
 * those that it has created. Throws NotAuthenticatedError, ForbiddenError, InvalidInputError.
 */
export async function listApiKeys(ctx: Context, args: PageArgs): Promise<Page<ApiKey>> {
  authorize(ctx, 'key.read');
  const request = parsePageArgs(args, KEYSET);
  const rows = await store.listKeys(ctx.db, { createdBy: managedBy(ctx) }, KEYSET, request);
  return toPage(rows, KEYSET, request, toApiKey);
}

/** Returns the number of keys that `listApiKeys` shows. */
export async function countApiKeys(ctx: Context): Promise<number> {
  authorize(ctx, 'key.read');
  return store.countKeys(ctx.db, { createdBy: managedBy(ctx) });
}

/** Returns the keys with these ids that the viewer may see, unordered, also revoked ones. */
export async function apiKeysByIds(ctx: Context, ids: readonly number[]): Promise<ApiKey[]> {
  if (!isAllowed(ctx, 'key.read')) return [];
  return (await store.listKeysByIds(ctx.db, { createdBy: managedBy(ctx) }, ids)).map(toApiKey);
}

/** Returns the `Viewer.id` and the name of each key among these, also revoked ones. The caller has checked the viewer. */
export async function keyNames(
  { db }: Context,
  viewerIds: readonly string[],
): Promise<[viewerId: string, name: string][]> {
  const uuids = viewerIds.filter(isKeyId).map(keyUuid);
  if (uuids.length === 0) return [];
  return (await store.listKeysByUuids(db, uuids)).map(({ uuid, name }) => [keyId(uuid), name]);
}

/**
 * Revokes a key: from then on, no process accepts it. Throws NotFoundError for a key that does not exist, has been
 * revoked, or that a viewer with start nodes has not created.
 */
export async function revokeApiKey(ctx: Context, id: number): Promise<ApiKey> {
  authorize(ctx, 'key.delete');
  const [found] = await store.listKeysByIds(ctx.db, { createdBy: managedBy(ctx) }, [id]);
  if (found !== undefined) checkRole(ctx, found.role as Role);
  const row = await transact(ctx, async (ctx) => {
    const row = found && (await store.revokeKey(ctx.db, id, ctx.clock()));
    if (row === undefined) throw new NotFoundError('API key', id);
    await recordAudit(ctx, { action: 'revoke', target: toTarget(row) });
    return row;
  });
  ctx.log.info({ key: row.uuid, viewer: ctx.viewer.id }, 'revoked a key');
  return toApiKey(row);
}

/** Returns the unrevoked keys that an operator means: the key itself, its number, `Viewer.id`, uuid or name. */
export async function findApiKeys({ db }: Context, text: string): Promise<ApiKey[]> {
  const byKey = await store.findKeyBySha256(db, keySha256(text));
  if (byKey?.revoked_at === null) return [toApiKey(byKey)];
  const byUuid = await store.findKeyByUuid(db, keyUuid(text).toLowerCase());
  if (byUuid !== undefined) return [toApiKey(byUuid)];
  const named = await store.listKeysByName(db, cleanName(text));
  if (named.length > 0 || !/^\d{1,15}$/.test(text)) return named.map(toApiKey);
  const rows = await store.listKeysByIds(db, { createdBy: null }, [Number(text)]);
  return rows.filter(({ revoked_at }) => revoked_at === null).map(toApiKey);
}

function toApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    viewerId: keyId(row.uuid),
    name: row.name,
    role: row.role as Role,
    startNodes: row.start_nodes === null ? null : parseUuids(row.start_nodes),
    createdBy: row.created_by,
    createdAt: new Date(row.created_at),
    expiresAt: toDate(row.expires_at),
    lastUsedAt: toDate(row.last_used_at),
    revokedAt: toDate(row.revoked_at),
  };
}

function toDate(time: number | null): Date | null {
  return time === null ? null : new Date(time);
}

function isExpired({ clock }: Services, { expires_at }: ApiKeyRow): boolean {
  return expires_at !== null && expires_at <= clock();
}

async function noteUse({ db, clock }: Services, { id, last_used_at }: ApiKeyRow): Promise<void> {
  const now = clock();
  const before = now - LAST_USE_RESOLUTION_MS;
  if (last_used_at === null || last_used_at < before)
    await store.updateKeyUsed(db, id, { now, before });
}
