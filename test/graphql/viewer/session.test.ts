import { expect, test } from 'vitest';
import type { TestApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { graphql } from '../../support/graphql.ts';
import { shareApp } from '../../support/shared-app.ts';
import { as, call, statuses, viewerOf } from './credential.ts';

const PASSWORD = 'long enough';
const SESSION = 'token expiresAt viewer { kind id role }';
const SIGN_OUT = 'mutation { signOut { __typename ... on SignOutSuccess { isSignedOut } } }';

let users = 0;

/** Creates a user and signs in; returns its names and a token. */
async function signedIn(app: TestApp, more: Record<string, unknown> = {}) {
  const input = { name: `user ${++users}`, password: PASSWORD };
  const { user } = await call(
    app,
    'createUser',
    { ...input, ...more },
    'user { id name viewerId }',
  );
  const { token } = await call(app, 'signIn', input, SESSION, {});
  return { ...input, id: user.id, viewerId: user.viewerId, token };
}

/** Sends an operation as a page of the server does, and returns the whole response. */
function send(app: TestApp, query: string, headers: Record<string, string> = {}) {
  return app.fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: app.url, ...headers },
    body: JSON.stringify({ query }),
  });
}

const signInQuery = (name: string, password: string) =>
  `mutation { signIn(input: { name: ${JSON.stringify(name)}, password: ${JSON.stringify(password)} }) {
    __typename ... on SignInSuccess { token expiresAt } ... on Error { code message }
    ... on TooManyRequestsError { retryAfterSeconds } } }`;

describeEachBackend('sessions', (backend) => {
  const shared = shareApp(backend, { TRIVIUM_AUTH: 'required' });

  test('a user signs in, works in every dialect, and signs out, which counts at once', async () => {
    const app = shared();
    const { name, viewerId, token } = await signedIn(app, { role: 'READER' });
    const again = await call(app, 'signIn', { name, password: PASSWORD }, SESSION, {});
    expect(again.viewer).toEqual({ kind: 'USER', id: viewerId, role: 'READER' });
    const days = (new Date(again.expiresAt).getTime() - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(7);
    expect(await statuses(app, token)).toEqual([200, 200, 200, 200]);
    const { data } = await graphql(app, SIGN_OUT, {}, as(app, token));
    expect(data.signOut).toEqual({ __typename: 'SignOutSuccess', isSignedOut: true });
    expect(await statuses(app, token)).toEqual([401, 401, 401, 401]);
    // The other session of the user goes on.
    expect(await viewerOf(app, again.token)).not.toBeNull();
  });

  test('a request with the token of a session costs one more statement than one without', async () => {
    const app = shared();
    const { token } = await signedIn(app);
    const count = async (options: object) => {
      app.statements.length = 0;
      await graphql(app, '{ viewer { id } }', {}, options);
      return app.statements.length;
    };
    expect(await count({})).toBe(0);
    expect(await count(as(app, token))).toBe(1);
  });

  test('a wrong password and an unknown name look the same, and give no cookie', async () => {
    const app = shared();
    const { name } = await signedIn(app);
    const answers = [];
    for (const query of [signInQuery(name, 'wrong'), signInQuery('nobody', PASSWORD)]) {
      const response = await send(app, query);
      expect(response.headers.get('set-cookie')).toBeNull();
      answers.push([response.status, (await response.json()).data]);
    }
    const message = 'The user name or password is incorrect.';
    const error = { __typename: 'NotAuthenticatedError', code: 'NOT_AUTHENTICATED', message };
    expect(answers).toEqual([
      [200, { signIn: error }],
      [200, { signIn: error }],
    ]);
  });

  test('the cookie is HttpOnly and SameSite=Lax, is the session, and is deleted by signOut', async () => {
    const app = shared();
    const { name } = await signedIn(app);
    const response = await send(app, signInQuery(name, PASSWORD));
    expect(response.headers.get('cache-control')).toBe('no-store');
    const { token, expiresAt } = (await response.json()).data.signIn;
    const expires = new Date(expiresAt).toUTCString();
    expect(response.headers.get('set-cookie')).toBe(
      `auth-token=${token}; Expires=${expires}; Path=/; HttpOnly; SameSite=Lax`,
    );
    const cookie = `auth-token=${token}`;
    const viewer = await send(app, '{ viewer { id } }', { cookie });
    expect((await viewer.json()).data.viewer.id).toBe(`user:${name}`);
    const out = await send(app, SIGN_OUT, { cookie });
    expect(out.headers.get('set-cookie')).toBe(
      'auth-token=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax',
    );
    expect(await viewerOf(app, token)).toBeNull();
  });

  test('the cookie of a session that has ended is deleted by the 401, so that the user can sign in again', async () => {
    const app = shared();
    const { name, token } = await signedIn(app);
    await graphql(app, SIGN_OUT, {}, as(app, token));
    const refused = await send(app, signInQuery(name, PASSWORD), { cookie: `auth-token=${token}` });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('set-cookie')).toMatch(/^auth-token=; Max-Age=0; Path=\//);
    // A bad header is no reason to delete a cookie, nor is the cookie of another issuer.
    for (const headers of [
      { cookie: `auth-token=${token}`, authorization: 'Bearer tvm_wrong' },
      { cookie: 'auth-token=a.b.c' },
    ]) {
      const other = await send(app, '{ viewer { id } }', headers as Record<string, string>);
      expect([other.status, other.headers.get('set-cookie')]).toEqual([401, null]);
    }
  });

  test('a new role and new start nodes hold for sessions at once', async () => {
    const app = shared();
    const { id, token } = await signedIn(app, { role: 'ADMIN' });
    const { folder } = await call(app, 'createFolder', { name: 'Part' }, 'folder { id }');
    await call(app, 'createFolder', { name: 'Rest' }, 'folder { id }');
    const change = { id, role: 'READER', startNodeIds: [folder.id] };
    await call(app, 'updateUser', change, 'user { id }');
    expect((await viewerOf(app, token)).role).toBe('READER');
    const query = '{ rootChildren { nodes { name } } }';
    const { data } = await graphql(app, query, {}, as(app, token));
    expect(data.rootChildren.nodes).toEqual([{ name: 'Part' }]);
    await call(app, 'updateUser', { id, startNodeIds: null }, 'user { id }');
    const whole = await graphql(app, query, {}, as(app, token));
    expect(whole.data.rootChildren.nodes.length).toBeGreaterThan(1);
  });

  test('a new password and the deletion of the user end its sessions at once', async () => {
    const app = shared();
    const first = await signedIn(app);
    await call(app, 'updateUser', { id: first.id, password: 'another one' }, 'user { id }');
    expect(await viewerOf(app, first.token)).toBeNull();
    const old = await call(app, 'signIn', { name: first.name, password: PASSWORD }, SESSION, {});
    expect(old.code).toBe('NOT_AUTHENTICATED');
    const second = await signedIn(app);
    const deleted = await call(app, 'deleteUser', { id: second.id }, 'deletedId');
    expect(deleted.deletedId).toBe(second.id);
    expect(await viewerOf(app, second.token)).toBeNull();
  });

  test('a user changes its own password: all sessions end, and a new one begins', async () => {
    const app = shared();
    const { name, token, viewerId } = await signedIn(app);
    const { token: other } = await call(app, 'signIn', { name, password: PASSWORD }, SESSION, {});
    const passwords = { currentPassword: PASSWORD, newPassword: 'another one' };
    const wrong = { ...passwords, currentPassword: 'wrong' };
    expect(await call(app, 'changePassword', wrong, SESSION, as(app, token))).toMatchObject({
      code: 'NOT_AUTHENTICATED',
    });
    for (const [options, code] of [
      [{}, 'NOT_AUTHENTICATED'],
      [as(app), 'FORBIDDEN'],
    ] as const) {
      expect(await call(app, 'changePassword', passwords, SESSION, options)).toMatchObject({
        code,
      });
    }
    const changed = await call(app, 'changePassword', passwords, SESSION, as(app, token));
    expect(changed.viewer.id).toBe(viewerId);
    expect([await viewerOf(app, token), await viewerOf(app, other)]).toEqual([null, null]);
    expect(await viewerOf(app, changed.token)).toMatchObject({ id: viewerId });
  });

  test('signOut without a session succeeds, and revokes no key', async () => {
    const app = shared();
    for (const options of [{}, as(app)]) {
      const { data } = await graphql(app, SIGN_OUT, {}, options);
      expect(data.signOut.isSignedOut).toBe(true);
    }
    expect(await viewerOf(app, app.adminKey)).not.toBeNull();
  });
});

describeEachBackend('a server on HTTPS', (backend) => {
  const shared = shareApp(backend, { TRIVIUM_PUBLIC_URL: 'https://media.example.org' });

  test('gives the cookie with Secure', async () => {
    const app = shared();
    const { name } = await signedIn(app);
    const response = await send(app, signInQuery(name, PASSWORD));
    expect(response.headers.get('set-cookie')).toMatch(/; Secure$/);
  });
});

describeEachBackend('guesses', (backend) => {
  const shared = shareApp(backend, { TRIVIUM_TRUST_PROXY: 'loopback' });

  test('are 429 with Retry-After in the envelope of each dialect; another address still signs in', async () => {
    const app = shared();
    const { name } = await signedIn(app);
    // Hashing takes a fifth of a second: this test is about what comes after it.
    app.services.logins.verify = async (password, hash) => hash !== null && password === PASSWORD;
    const from = (address: string) => ({ 'x-forwarded-for': address });
    for (let guess = 0; guess < 20; guess += 1) {
      await send(app, signInQuery(name, `guess ${guess}`), from('192.0.2.1'));
    }
    const refused = await send(app, signInQuery(name, PASSWORD), from('192.0.2.1'));
    expect(refused.headers.get('retry-after')).toBe('30');
    expect((await refused.json()).data.signIn).toMatchObject({
      ...{ __typename: 'TooManyRequestsError', code: 'TOO_MANY_REQUESTS', retryAfterSeconds: 30 },
    });
    const grant = (address: string) =>
      app.fetch('/oauth/token', {
        method: 'POST',
        headers: from(address),
        body: new URLSearchParams({ grant_type: 'password', username: name, password: PASSWORD }),
      });
    const refusedGrant = await grant('192.0.2.1');
    expect([refusedGrant.status, refusedGrant.headers.get('retry-after')]).toEqual([429, '30']);
    expect(await refusedGrant.json()).toMatchObject({ error: 'temporarily_unavailable' });
    expect((await grant('192.0.2.2')).status).toBe(200);
    const stranger = await send(app, signInQuery(name, PASSWORD), from('192.0.2.3'));
    expect((await stranger.json()).data.signIn.__typename).toBe('SignInSuccess');
  });
});
