import { describe, expect, it } from 'vitest';
import { beginAdminSession } from '../../../src/domain/viewer/session.ts';
import { ADMIN } from '../../../src/domain/viewer/viewer.ts';
import { createSignInLink } from '../../../src/http/viewer/sign-in.ts';
import { type TestApp, withApp } from '../../support/app.ts';
import { BACKENDS } from '../../support/backend.ts';
import { makeJwt } from '../../support/make.ts';
import { sendWith } from '../../support/raw-request.ts';

const SQLITE = BACKENDS[0]!;
const HTML = { accept: 'text/html,*/*;q=0.8' };

/** Follows the link once, and returns the cookie as a browser would send it. */
async function signIn(app: TestApp, headers: Record<string, string> = {}) {
  const answer = await sendWith(app, `GET ${app.app.signInPath}`, { ...HTML, ...headers });
  const [cookie = ''] = answer.headers['set-cookie'] ?? [];
  return { answer, cookie, sent: cookie.split(';')[0]! };
}

async function viewerOf(app: TestApp, headers: Record<string, string>): Promise<unknown> {
  const body = JSON.stringify({ query: '{ viewer { kind role } }' });
  const type = { 'content-type': 'application/json' };
  const answer = await sendWith(app, 'POST /graphql', { ...type, ...headers }, body);
  return JSON.parse(answer.body).data?.viewer ?? answer.status;
}

describe('the sign-in link of an open server', () => {
  it('gives its first visitor a session as admin, in a cookie, and leads to GraphiQL', () =>
    withApp(SQLITE, async (app) => {
      const { answer, cookie, sent } = await signIn(app);
      expect([answer.status, answer.headers.location]).toEqual([303, '/graphql']);
      expect(answer.headers['cache-control']).toBe('private, no-store');
      const [, expires = '', ...attributes] = cookie.split('; ');
      expect(attributes).toEqual(['Path=/', 'HttpOnly', 'SameSite=Lax']);
      const lifeMs = Date.parse(expires.replace('Expires=', '')) - app.services.clock();
      expect(Math.round(lifeMs / 3_600_000)).toBe(12);
      const admin = { kind: 'KEY', role: 'ADMIN' };
      expect(await viewerOf(app, { cookie: sent, origin: app.url })).toEqual(admin);
      expect(await viewerOf(app, { cookie: sent, origin: 'http://localhost:5173' })).toBe(403);
      expect(await viewerOf(app, { cookie: sent })).toBe(403);
    }));

  it('is good once: afterwards it is 410, a page for a browser', () =>
    withApp(SQLITE, async (app) => {
      const { signInPath } = app.app;
      const both = await Promise.all([signIn(app), signIn(app)]);
      expect(both.map(({ answer }) => answer.status).sort()).toEqual([303, 410]);
      const page = await sendWith(app, `GET ${signInPath}`, HTML);
      expect(page.status).toBe(410);
      expect(page.headers).not.toHaveProperty('set-cookie');
      expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(page.body).toContain('no longer valid');
      const program = await sendWith(app, `GET ${signInPath}`);
      expect([program.status, JSON.parse(program.body).error.code]).toEqual([410, 'LINK_EXPIRED']);
    }));

  it('is not used up by a wrong secret, or by another method', () =>
    withApp(SQLITE, async (app) => {
      const path = app.app.signInPath!;
      for (const wrong of ['/sign-in', '/sign-in?secret=', `${path}x`, `${path}&secret=a`]) {
        expect((await sendWith(app, `GET ${wrong}`)).status).toBe(410);
      }
      for (const method of ['HEAD', 'POST'])
        expect((await sendWith(app, `${method} ${path}`)).status).toBe(405);
      expect((await signIn(app)).answer.status).toBe(303);
    }));

  it('works for a browser whose session has become wrong, and a 401 deletes only such a cookie', () =>
    withApp(SQLITE, async (app) => {
      const elsewhere = { ...app.services, adminKeySha256: '0'.repeat(64) };
      const cookie = `auth-token=${(await beginAdminSession(elsewhere)).token}`;
      const refused = await sendWith(app, 'GET /graphql', { ...HTML, cookie });
      expect(refused.status).toBe(401);
      expect(refused.headers['set-cookie']).toEqual([
        'auth-token=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax',
      ]);
      for (const foreign of [
        'tvm_unknown',
        'a.b.c',
        await makeJwt({ sub: 'a' }, { secret: 'x' }),
      ]) {
        const other = await sendWith(app, 'GET /graphql', { cookie: `auth-token=${foreign}` });
        expect([other.status, other.headers['set-cookie']]).toEqual([401, undefined]);
      }
      expect((await signIn(app, { cookie })).answer.status).toBe(303);
    }));

  it('makes the cookie secure if a trusted proxy speaks HTTPS', () =>
    withApp(
      SQLITE,
      async (app) => {
        const { cookie } = await signIn(app, { 'x-forwarded-proto': 'https' });
        expect(cookie).toMatch(/; Secure$/);
      },
      { TRIVIUM_TRUSTED_PROXIES: 'loopback' },
    ));

  it('leads to the root without GraphiQL', () =>
    withApp(SQLITE, async (app) => expect((await signIn(app)).answer.headers.location).toBe('/'), {
      TRIVIUM_GRAPHIQL: 'off',
    }));

  it('does not exist on a server that requires credentials', () =>
    withApp(
      SQLITE,
      async (app) => {
        expect(app.app.signInPath).toBeNull();
        expect((await sendWith(app, 'GET /sign-in')).status).toBe(404);
      },
      { TRIVIUM_AUTH: 'required', TRIVIUM_GRAPHIQL: 'on' },
    ));

  it('is good for ten minutes', async () => {
    let now = 0;
    const session = { token: 'a', expiresAt: new Date(), viewer: ADMIN };
    const make = () => createSignInLink({ clock: () => now, beginSession: async () => session });
    const secretOf = ({ path }: { path: string }) => path.split('=')[1]!;
    const [early, late] = [make(), make()];
    now = 10 * 60_000 - 1;
    expect(await early.redeem(secretOf(early))).toEqual(session);
    now++;
    expect(await late.redeem(secretOf(late))).toBeNull();
  });
});
