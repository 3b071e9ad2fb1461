import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { ApiKeyRow } from '../../store/table.ts';
import { findKeyBySha256, insertKey, updateKeyUsed } from '../../store/viewer/key.ts';
import type { Services } from '../context.ts';
import { InvalidInputError } from '../error.ts';
import { displayName, freeText, parseInput } from '../input.ts';
import { isAdminToken, isValidAdminToken } from './admin-session.ts';
import { findStartNodes, resolveStartNodes } from './start-node.ts';
import { ADMIN, type KnownViewer, ROLES, type Role } from './viewer.ts';

/** The last use is stored at most this often: a read must not cost a commit. */
const LAST_USE_RESOLUTION_MS = 60_000;

/** Returns the viewer of a key, or null if the key is unknown or has expired. */
export async function findViewerByKey(
  services: Services,
  key: string,
): Promise<KnownViewer | null> {
  const digest = keySha256(key);
  if (timingSafeEqual(Buffer.from(digest), Buffer.from(services.adminKeySha256))) {
    return ADMIN;
  }
  if (isAdminToken(key)) return isValidAdminToken(services, key) ? ADMIN : null;
  const row = await findKeyBySha256(services.db, digest);
  if (row === undefined || isExpired(services, row)) return null;
  await noteUse(services, row);
  const viewer = { kind: 'key', id: `key:${row.uuid}`, role: row.role as Role } as const;
  if (row.start_nodes === null) return viewer;
  return { ...viewer, startNodes: await resolveStartNodes(services, parseJson(row.start_nodes)) };
}

/** Returns the lower-case hex SHA-256 of a key, the only form that is stored. */
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
  /** Uuids, or paths of folders. Absent: the whole tree. */
  startNodes: z.array(freeText(10_000)).min(1).max(100).nullish(),
});

/** Creates an API key and returns it; it cannot be read again. Throws NotFoundError for a start node. */
export async function createKey(
  services: Services,
  input: z.input<typeof createKeyInput>,
): Promise<string> {
  const { name, role, expiresAt, startNodes } = parseInput(createKeyInput, input);
  if (expiresAt && expiresAt.getTime() <= services.clock()) {
    throw InvalidInputError.of('expiresAt', 'IN_THE_PAST', 'Expected a time in the future.');
  }
  const key = newKey();
  await insertKey(services.db, {
    uuid: services.newId(),
    key_sha256: keySha256(key),
    name,
    role,
    created_at: services.clock(),
    expires_at: expiresAt?.getTime() ?? null,
    start_nodes: startNodes ? JSON.stringify(await findStartNodes(services, startNodes)) : null,
  });
  return key;
}

/** Parses JSON. A text that is not JSON names no start nodes: it grants the least, and is not an error. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isExpired({ clock }: Services, { expires_at }: ApiKeyRow): boolean {
  return expires_at !== null && expires_at <= clock();
}

async function noteUse({ db, clock }: Services, { id, last_used_at }: ApiKeyRow): Promise<void> {
  const now = clock();
  if (last_used_at === null || now - last_used_at > LAST_USE_RESOLUTION_MS) {
    await updateKeyUsed(db, id, now);
  }
}
