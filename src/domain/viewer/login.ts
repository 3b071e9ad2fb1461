import { cleanName } from '../../lib/name.ts';
import type { UserRow } from '../../store/table.ts';
import { findUserByName } from '../../store/viewer/user.ts';
import type { Context } from '../context.ts';
import { ForbiddenError, NotAuthenticatedError } from '../error.ts';
import { recordAudit } from './audit.ts';
import { checkGuess, countGuess } from './guess.ts';
import { hashPassword, isPassword } from './password.ts';
import { beginSession, type Session } from './session.ts';
import { changeUser, refuseFromFile, userTarget } from './user.ts';
import { NAME_MAX, parsePassword } from './user-entry.ts';
import { userName } from './viewer.ts';

/** Lifetimes of sessions. */
export const SESSION_MS = {
  /** Of a browser. */
  signIn: 7 * 24 * 3_600_000,
  /** Clients of `POST /oauth/token` log in again five minutes before the end (contract §13), so it is well above that. */
  grant: 3_600_000,
} as const;

/** One more than the length of the longest name: no user has a longer one. */
const NAME_COMPARED = NAME_MAX + 1;

/**
 * Begins a session for a name and its password. Throws NotAuthenticatedError if they are wrong, after the same time
 * for known and unknown names; TooManyRequestsError while many others are being checked, and after many wrong passwords.
 */
export async function signIn(
  ctx: Context,
  { name, password }: { name: string; password: string },
  lifeMs: number,
): Promise<Session> {
  const user = await checkPassword(ctx, name, password);
  const session = await beginSession(ctx, user, lifeMs);
  ctx.log.info({ user: user.name }, 'signed in');
  return session;
}

/**
 * Changes the password of the viewer, ends all of its sessions, and begins a new one for it. Throws as `signIn`,
 * ForbiddenError for a viewer who is no user of this server, InvalidInputError.
 */
export async function changePassword(
  ctx: Context,
  passwords: { currentPassword: string; newPassword: string },
): Promise<Session> {
  const { viewer } = ctx;
  if (viewer.kind === 'anonymous') throw new NotAuthenticatedError();
  if (viewer.sessionId === undefined) throw new ForbiddenError('Sign in to change your password.');
  const password = parsePassword('newPassword', passwords.newPassword);
  const name = userName(viewer.id);
  const user = await checkPassword(ctx, name, passwords.currentPassword);
  refuseFromFile(user);
  const hash = await hashPassword(password);
  await changeUser(ctx, user, { password: hash });
  return beginSession(ctx, { name: user.name, password: hash }, SESSION_MS.signIn);
}

/** Returns the user of a name and its password. Throws as `signIn`. */
async function checkPassword(ctx: Context, givenName: string, password: string): Promise<UserRow> {
  const name = cleanName(givenName).slice(0, NAME_COMPARED).replaceAll('\0', ' ');
  const address = ctx.client?.hash ?? '';
  await ctx.logins.refreshUsers();
  await checkGuess(ctx, name, address);
  const endTurn = await ctx.logins.turns.take({ group: address });
  try {
    const guess = await countGuess(ctx, name, address);
    const { verify = isPassword } = ctx.logins;
    let user: UserRow | undefined;
    let isRight: boolean;
    try {
      user = await findUserByName(ctx.db, name);
      isRight = await verify(password, user?.password ?? null);
    } catch (error) {
      await guess.refund();
      throw error;
    }
    if (user === undefined || !isRight) {
      // People type passwords into the field of the name, so only the name of a user is recorded.
      const target = user ? userTarget(user) : ({ kind: 'user', id: null, name: null } as const);
      await recordAudit(ctx, { action: 'sign_in_failed', target });
      throw new NotAuthenticatedError('wrong');
    }
    await guess.confirm();
    return user;
  } finally {
    endTurn();
  }
}
