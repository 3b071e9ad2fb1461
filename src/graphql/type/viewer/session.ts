import { TooManyRequestsError } from '../../../domain/error.ts';
import { changePassword, SESSION_MS, signIn } from '../../../domain/viewer/login.ts';
import { type Session, signOut } from '../../../domain/viewer/session.ts';
import { clearedCookie, sessionCookie } from '../../../http/viewer/cookie.ts';
import type { GraphqlContext } from '../../builder.ts';
import { inputArgs, mutationOf, type Types } from '../../mutation.ts';
import { ViewerRef } from './viewer.ts';

const COOKIE =
  'The response also sets the cookie `auth-token` (`HttpOnly`, `SameSite=Lax`, and `Secure` on HTTPS), so that a browser needs nothing else. Over WebSocket it sets none.';

const success = (t: PothosSchemaTypes.ObjectFieldBuilder<Types, Session>) => ({
  token: t.exposeString('token', {
    description: 'Token of the session, for `Authorization: Bearer`. It cannot be read again.',
  }),
  expiresAt: t.expose('expiresAt', {
    type: 'DateTime',
    description: 'Time from which the token is refused.',
  }),
  viewer: t.expose('viewer', {
    type: ViewerRef,
    description: 'The user, as the viewer of requests with this token.',
  }),
});

const signInArgs = inputArgs('signIn', (t) => ({
  name: t.string({ required: true, description: 'Name of the user.' }),
  password: t.string({ required: true, description: 'Password of the user.' }),
}));

mutationOf<Session, typeof signInArgs>('signIn', {
  description: `Begins a session of a user of this server, which lasts seven days. ${COOKIE} A wrong name or password is a \`NotAuthenticatedError\`; after many, the address gets \`TooManyRequestsError\`, with the header \`Retry-After\`.`,
  errors: [TooManyRequestsError],
  args: signInArgs,
  success,
  resolve: (context, { input }) =>
    withCookie(context, () => signIn(context.domain, input, SESSION_MS.signIn)),
});

const changePasswordArgs = inputArgs('changePassword', (t) => ({
  currentPassword: t.string({ required: true, description: 'The password until now.' }),
  newPassword: t.string({ required: true, description: 'New password, 8 to 1,024 characters.' }),
}));

mutationOf<Session, typeof changePasswordArgs>('changePassword', {
  description: `Changes the password of the user whose session the request has. Ends all sessions of the user, including this one, and begins a new one. ${COOKIE}`,
  errors: [TooManyRequestsError],
  args: changePasswordArgs,
  success,
  resolve: (context, { input }) => withCookie(context, () => changePassword(context.domain, input)),
});

mutationOf<{ isSignedOut: true }, Record<never, never>>('signOut', {
  description:
    'Ends the session of the request: from then on, every process of the server refuses its token. Deletes the cookie `auth-token`. Without a session, it only does the latter.',
  args: {},
  success: (t) => ({
    isSignedOut: t.exposeBoolean('isSignedOut', { description: 'Always true.' }),
  }),
  resolve: async (context) => {
    await signOut(context.domain);
    context.setHeader('set-cookie', clearedCookie(cookieOptions(context)));
    return { isSignedOut: true };
  },
});

/** Begins a session and gives it to the browser. */
async function withCookie(
  context: GraphqlContext,
  begin: () => Promise<Session>,
): Promise<Session> {
  context.setHeader('cache-control', 'no-store');
  const session = await begin();
  context.setHeader('set-cookie', sessionCookie(session, cookieOptions(context)));
  return session;
}

function cookieOptions({ toUrl }: GraphqlContext) {
  return { isSecure: toUrl('/').startsWith('https:') };
}
