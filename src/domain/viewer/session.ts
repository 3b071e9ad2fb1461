import { randomBytes } from 'node:crypto';
import { lockRow } from '../../store/dialect.ts';
import { inTransaction } from '../../store/transaction.ts';
import { deleteGuessesBefore } from '../../store/viewer/guess.ts';
import * as store from '../../store/viewer/session.ts';
import { findUserByName } from '../../store/viewer/user.ts';
import { type Context, type Services, transact } from '../context.ts';
import { NotAuthenticatedError } from '../error.ts';
import { type AuditTarget, recordAudit } from './audit.ts';
import { findViewerByKey, keySha256 } from './key.ts';
import { storedStartNodes } from './start-node.ts';
import { userTarget } from './user.ts';
import { ADMIN, type KnownViewer, type Role, userId } from './viewer.ts';

/** A session that has begun. */
export interface Session {
  /** `tvs_…`. It cannot be read again. */
  token: string;
  expiresAt: Date;
  viewer: KnownViewer;
}

/** Marks a token of ours, so that one look-up tells whether a credential is valid. */
const PREFIX = 'tvs_';

/** Marks a token with the rights of the admin key. */
const ADMIN_PREFIX = 'tva_';

/** A working day: the person at the machine gets another session of the admin key only by a restart. */
const ADMIN_LIFE_MS = 12 * 3_600_000;

/** Tells whether a credential looks like a token of a session. */
export function isSessionToken(credential: string): boolean {
  return credential.startsWith(PREFIX) || credential.startsWith(ADMIN_PREFIX);
}

/**
 * Returns the viewer of a key or of a session's token, or null if it is not valid. Every request asks the database, so
 * that a revoked credential is refused at once by every process: this costs one look-up in an index.
 */
export async function findViewerByCredential(
  services: Services,
  credential: string,
): Promise<KnownViewer | null> {
  const ofSession = isSessionToken(credential)
    ? await findViewerBySession(services, credential)
    : null;
  return ofSession ?? findViewerByKey(services, credential);
}

/** Returns the viewer with the rights that its user has now. */
async function findViewerBySession(services: Services, token: string): Promise<KnownViewer | null> {
  return viewerOfSession(services, await store.findSession(services.db, digestOf(services, token)));
}

/** Returns the viewer of a session with the rights that it has now; null if the session has ended. */
export async function findViewerBySessionId(
  services: Services,
  id: number,
): Promise<KnownViewer | null> {
  return viewerOfSession(services, await store.findSessionById(services.db, id));
}

async function viewerOfSession(
  services: Services,
  row: store.FoundSession | undefined,
): Promise<KnownViewer | null> {
  if (row === undefined || row.expires_at <= services.clock()) return null;
  const { user } = row;
  return { ...(user === null ? ADMIN : await toViewer(services, user)), sessionId: row.id };
}

/** Returns the digest of a token. Another admin key makes another one, which ends the sessions of the admin key. */
function digestOf({ adminKeySha256 }: Pick<Services, 'adminKeySha256'>, token: string): string {
  return keySha256(token.startsWith(ADMIN_PREFIX) ? token + adminKeySha256 : token);
}

async function toViewer(
  services: Services,
  { name, role, start_nodes }: store.SessionUser,
): Promise<KnownViewer> {
  const viewer = { kind: 'user', id: userId(name), role: role as Role } as const;
  if (start_nodes === null) return viewer;
  return { ...viewer, startNodes: await storedStartNodes(services, start_nodes) };
}

/**
 * Begins a session of a user whose password has been checked. Throws NotAuthenticatedError if the user is gone, or has
 * another password by now: whoever changes it ends all sessions that began with the old one.
 */
export function beginSession(
  ctx: Context,
  { name, password }: { name: string; password: string },
  lifeMs: number,
): Promise<Session> {
  return transact(ctx, async (ctx) => {
    const found = await findUserByName(ctx.db, name);
    if (found !== undefined) await lockRow(ctx.db, 'user_account', found.id);
    const user = found && (await findUserByName(ctx.db, name));
    if (user?.password !== password) throw new NotAuthenticatedError('wrong');
    const viewer = await toViewer(ctx, user);
    await recordAudit({ ...ctx, viewer }, { action: 'sign_in', target: userTarget(user) });
    const begun = await insertSession(ctx, { prefix: PREFIX, userId: user.id, lifeMs });
    return { ...begun, viewer };
  });
}

/** Begins a session with the rights of the admin key, for twelve hours. */
export async function beginAdminSession(services: Services): Promise<Session> {
  const options = { prefix: ADMIN_PREFIX, userId: null, lifeMs: ADMIN_LIFE_MS };
  const begun = await inTransaction(services.db, async (db) => {
    await recordAudit({ ...services, db, viewer: ADMIN }, { action: 'sign_in', target: ADMIN_KEY });
    return insertSession({ ...services, db }, options);
  });
  return { ...begun, viewer: ADMIN };
}

const ADMIN_KEY: AuditTarget = { kind: 'api_key', id: null, name: 'admin' };

async function insertSession(
  services: Services,
  { prefix, userId, lifeMs }: { prefix: string; userId: number | null; lifeMs: number },
): Promise<Omit<Session, 'viewer'>> {
  const token = prefix + randomBytes(32).toString('base64url');
  const now = services.clock();
  await store.insertSession(services.db, {
    token_sha256: digestOf(services, token),
    user_id: userId,
    created_at: now,
    expires_at: now + lifeMs,
  });
  return { token, expiresAt: new Date(now + lifeMs) };
}

/** Ends the session of the request, if it has one: its token is refused from then on. */
export async function signOut(ctx: Context): Promise<void> {
  const { viewer } = ctx;
  const sessionId = viewer.kind === 'anonymous' ? undefined : viewer.sessionId;
  if (sessionId === undefined) return;
  await transact(ctx, async (ctx) => {
    const id = await store.deleteSession(ctx.db, sessionId);
    if (id === undefined) return;
    const name = viewer.id?.slice(userId('').length) ?? null;
    const target: AuditTarget = id === null ? ADMIN_KEY : { kind: 'user', id, name };
    await recordAudit(ctx, { action: 'sign_out', target });
  });
}

/** Deletes expired sessions and forgotten guesses. Call it regularly. */
export async function forgetSessions({ db, clock }: Services): Promise<void> {
  await store.deleteSessionsBefore(db, clock());
  await deleteGuessesBefore(db, clock());
}
