import { decodeJwt, exportSPKI, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { NotAuthenticatedError } from '../../../src/domain/error.ts';
import { makeJwt } from '../../support/make.ts';
import {
  ask,
  askWith,
  BAD,
  base64,
  expectRejected,
  GOOD,
  KEY_VIEWER,
  makeAuthenticate,
  makeSigner,
  SECRET,
  withKeySet,
} from './authenticate.ts';

/** Difference of clocks that is allowed. */
const SKEW_SECONDS = 60;

describe('credentials', () => {
  it('a missing one is an anonymous viewer', async () => {
    expect(await ask({})).toEqual({ kind: 'anonymous', id: null });
  });

  it.each([
    ['a bearer', { authorization: `Bearer ${GOOD}` }],
    ['a bearer in lower case', { authorization: `bearer ${GOOD}` }],
    ['a bearer with spaces around', { authorization: `Bearer   ${GOOD}  ` }],
    ['a user without a password', { authorization: `Basic ${base64(`${GOOD}:`)}` }],
    ['an Api-Key', { 'api-key': GOOD }],
    ['a cookie', { cookie: `auth-token=${GOOD}` }],
    ['a cookie among others', { cookie: `a=b; auth-token=${GOOD}; c=d` }],
  ])('a key may come as %s', async (_, headers) => {
    expect(await ask(headers)).toEqual(KEY_VIEWER);
  });

  it.each([
    ['a bearer', (token: string) => ({ authorization: `Bearer ${token}` })],
    [
      'a user without a password',
      (token: string) => ({ authorization: `Basic ${base64(`${token}:`)}` }),
    ],
    ['an Api-Key', (token: string) => ({ 'api-key': token })],
    ['a cookie', (token: string) => ({ cookie: `auth-token=${token}` })],
  ])('a token may come as %s', async (_, headersOf) => {
    const token = await makeJwt({ sub: 'alice' }, { secret: SECRET });
    expect(await ask(headersOf(token))).toMatchObject({ kind: 'user', id: 'alice' });
  });

  it.each([
    ['an unknown bearer', { authorization: `Bearer ${BAD}` }],
    ['an unknown user', { authorization: `Basic ${base64(`${BAD}:`)}` }],
    ['an unknown Api-Key', { 'api-key': BAD }],
    ['an unknown cookie', { cookie: `auth-token=${BAD}` }],
    ['an empty header', { authorization: '' }],
    ['a scheme alone', { authorization: 'Bearer' }],
    ['a scheme and a space', { authorization: 'Bearer ' }],
    ['a key without a scheme', { authorization: GOOD }],
    ['two values', { authorization: `Bearer ${GOOD} ${GOOD}` }],
    ['another scheme', { authorization: `Digest ${GOOD}` }],
    ['a password', { authorization: `Basic ${base64(`${GOOD}:secret`)}` }],
    ['a user without a colon', { authorization: `Basic ${base64(GOOD)}` }],
    ['a password that is the key', { authorization: `Basic ${base64(`:${GOOD}`)}` }],
    ['an empty Api-Key', { 'api-key': '' }],
    ['two Api-Keys', { 'api-key': `${GOOD}, ${GOOD}` }],
  ])('%s is rejected', async (_, headers) => {
    await expect(ask(headers)).rejects.toMatchObject({
      code: 'NOT_AUTHENTICATED',
      reason: 'rejected',
    });
  });

  it('if two are valid, the Authorization header decides the viewer', async () => {
    const token = await makeJwt({ sub: 'alice' }, { secret: SECRET });
    const headers = { authorization: `Bearer ${token}`, 'api-key': GOOD };
    expect(await ask(headers)).toMatchObject({ id: 'alice' });
  });

  it('if two headers are sent, both must be valid', async () => {
    const [good, bad] = [`Bearer ${GOOD}`, `Bearer ${BAD}`];
    await expect(ask({ authorization: good, 'api-key': BAD })).rejects.toThrow(
      NotAuthenticatedError,
    );
    await expect(ask({ authorization: bad, 'api-key': GOOD })).rejects.toThrow(
      NotAuthenticatedError,
    );
  });
});

describe('the cookie', () => {
  it('is ignored if a header is present', async () => {
    const headers = { authorization: `Bearer ${GOOD}`, cookie: `auth-token=${BAD}` };
    expect(await ask(headers)).toEqual(KEY_VIEWER);
  });

  it('is ignored if it is empty or has another name', async () => {
    for (const cookie of ['auth-token=', `xauth-token=${BAD}`, `auth-tokens=${BAD}`, '', ';;']) {
      expect(await ask({ cookie })).toMatchObject({ kind: 'anonymous' });
    }
  });
});

describe('claims', () => {
  it.each([
    [{ user_id: 7 }, '7', 'editor'],
    [{ user_id: 'seven' }, 'seven', 'editor'],
    [{ user_id: 7, sub: 'alice' }, '7', 'editor'],
    [{ sub: 'alice', role: 'reader' }, 'alice', 'reader'],
    [{ sub: 'alice', role: 'admin' }, 'alice', 'admin'],
    [{ sub: 'alice', role: 'owner' }, 'alice', 'reader'],
    [{ sub: 'alice', role: ['admin'] }, 'alice', 'reader'],
    [{ sub: 'alice', role: null }, 'alice', 'reader'],
    [{ sub: 'alice', token_type: 'access' }, 'alice', 'editor'],
  ])('%j is %s, who is %s', async (claims, id, role) => {
    expect(await askWith(await makeJwt(claims, { secret: SECRET }))).toEqual({
      kind: 'user',
      id,
      role,
    });
  });

  it.each([
    ['nobody', {}],
    ['an empty name', { sub: '' }],
    ['a name that shows nothing', { sub: '\u200b\u3164' }],
    ['no name', { user_id: { id: 7 } }],
    ['a fraction', { user_id: 7.5 }],
    ['an API key’s id', { sub: 'key:admin' }],
    ['the id of a user of this server', { sub: 'user:alice' }],
    ['that id as a number’s', { user_id: 'user:alice', sub: 'bob' }],
    ['that id by another issuer', { sub: 'user:alice', iss: 'elsewhere' }],
    ['that id by the issuer of earlier versions', { sub: 'user:alice', iss: 'trivium' }],
    ['a refresh token', { user_id: 7, token_type: 'refresh' }],
    ['a token whose kind is null', { user_id: 7, token_type: null }],
    ['a token that is not valid yet', { user_id: 7, nbf: Math.floor(Date.now() / 1000) + 120 }],
  ])('of %s are rejected', async (_, claims) => {
    await expectRejected(await makeJwt(claims, { secret: SECRET }));
  });
});

describe('start nodes of a token', () => {
  it('are those of its claim', async () => {
    const viewer = await askWith(
      await makeJwt({ sub: 'a', start_nodes: ['x'] }, { secret: SECRET }),
    );
    expect(viewer).toMatchObject({ startNodes: [{ id: 5, below: '["x"]' }] });
  });

  it('are absent without the claim: the whole tree', async () => {
    const viewer = await askWith(await makeJwt({ sub: 'a' }, { secret: SECRET }));
    expect(viewer).not.toHaveProperty('startNodes');
  });

  it.each([null, [], '', 0, false, {}])('are not ignored in a claim %j', async (start_nodes) => {
    const viewer = await askWith(await makeJwt({ sub: 'a', start_nodes }, { secret: SECRET }));
    const below = JSON.stringify(start_nodes);
    expect(viewer).toMatchObject({ startNodes: [{ id: 5, below }] });
  });
});

describe('tokens of a secret', () => {
  it('that have expired are rejected', async () => {
    await expectRejected(await makeJwt({ sub: 'alice' }, { secret: SECRET, expiresIn: '-61s' }));
  });

  it('that expire after their first use are rejected from then on', async () => {
    const authenticate = makeAuthenticate();
    const token = await makeJwt({ sub: 'alice' }, { secret: SECRET });
    const request = { headers: { authorization: `Bearer ${token}` } };
    const { exp = 0 } = decodeJwt(token);
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      for (const now of [Date.now(), exp * 1000 - 1, (exp + SKEW_SECONDS) * 1000 - 1]) {
        vi.setSystemTime(now);
        expect(await authenticate(request)).toMatchObject({ id: 'alice' });
      }
      vi.setSystemTime((exp + SKEW_SECONDS) * 1000);
      await expect(authenticate(request)).rejects.toThrow(NotAuthenticatedError);
    } finally {
      vi.useRealTimers();
    }
  });

  it('are valid for any number of users, each for the user that it names', async () => {
    const authenticate = makeAuthenticate();
    for (const round of [1, 2]) {
      for (let user = 0; user < 1100; user += round === 1 ? 1 : 50) {
        const token = await makeJwt({ user_id: user }, { secret: SECRET });
        const headers = { authorization: `Bearer ${token}` };
        expect(await authenticate({ headers })).toMatchObject({ id: `${user}` });
      }
    }
  });

  it('that another secret has signed are rejected', async () => {
    await expectRejected(await makeJwt({ sub: 'alice' }, { secret: `${SECRET}!` }));
  });

  it('that are not signed are rejected', async () => {
    await expectRejected(new UnsecuredJWT({ sub: 'alice' }).encode());
  });

  it('of another algorithm are rejected', async () => {
    const key = new TextEncoder().encode(SECRET.repeat(3));
    for (const alg of ['HS384', 'HS512']) {
      const token = new SignJWT({ sub: 'alice' }).setProtectedHeader({ alg });
      await expectRejected(await token.sign(key), { jwtSecret: SECRET.repeat(3) });
    }
  });

  it('that have been changed are rejected', async () => {
    const [header, , signature] = (await makeJwt({ sub: 'alice' }, { secret: SECRET })).split('.');
    const claims = Buffer.from('{"sub":"bob"}').toString('base64url');
    await expectRejected(`${header}.${claims}.${signature}`);
  });

  it('that are malformed are rejected', async () => {
    for (const token of ['a.b.c', '..', 'e30.e30.', 'null.null.null']) await expectRejected(token);
  });

  it('are rejected if no secret is configured', async () => {
    await expectRejected(await makeJwt({ sub: 'alice' }, { secret: SECRET }), { jwtSecret: null });
  });
});

describe('tokens of a key set', () => {
  it.each(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'])(
    'signed with %s are accepted',
    async (alg) => {
      const signer = await makeSigner(alg);
      await withKeySet([signer.jwk], async (jwksUrl) => {
        const viewer = await askWith(await signer.sign({ sub: 'alice' }), {
          jwksUrl,
          jwtSecret: null,
        });
        expect(viewer).toMatchObject({ id: 'alice' });
      });
    },
  );

  it('are accepted beside those of a secret', async () => {
    const signer = await makeSigner('ES256');
    await withKeySet([signer.jwk], async (jwksUrl) => {
      const token = await makeJwt({ sub: 'bob' }, { secret: SECRET });
      expect(await askWith(token, { jwksUrl })).toMatchObject({ id: 'bob' });
      expect(await askWith(await signer.sign({ sub: 'eve' }), { jwksUrl })).toMatchObject({
        id: 'eve',
      });
    });
  });

  it('of a key that is not in it are rejected', async () => {
    const [known, unknown] = [await makeSigner('ES256'), await makeSigner('ES256')];
    await withKeySet([known.jwk], async (jwksUrl) => {
      await expectRejected(await unknown.sign({ sub: 'alice' }), { jwksUrl });
    });
  });

  it('that have expired are rejected', async () => {
    const signer = await makeSigner('ES256');
    await withKeySet([signer.jwk], async (jwksUrl) => {
      await expectRejected(await signer.sign({ sub: 'alice', exp: 1 }), { jwksUrl });
    });
  });

  it('that use the public key as a secret are rejected', async () => {
    const signer = await makeSigner('RS256');
    const secrets = [await exportSPKI(signer.publicKey), JSON.stringify(signer.jwk), signer.jwk.n!];
    await withKeySet([signer.jwk], async (jwksUrl) => {
      for (const secret of secrets) {
        const token = await makeJwt({ sub: 'alice', role: 'admin' }, { secret });
        await expectRejected(token, { jwksUrl });
        await expectRejected(token, { jwksUrl, jwtSecret: null });
      }
    });
  });

  it('must not name a user of this server', async () => {
    const signer = await makeSigner('ES256');
    await withKeySet([signer.jwk], async (jwksUrl) => {
      const token = await signer.sign({ sub: 'user:alice', iss: 'trivium' });
      await expectRejected(token, { jwksUrl });
    });
  });

  it('are 503 while the set cannot be fetched', async () => {
    const signer = await makeSigner('ES256');
    const token = await signer.sign({ sub: 'alice' });
    const unavailable = { code: 'AUTH_UNAVAILABLE', cause: expect.any(Error) };
    const gone = await withKeySet([signer.jwk], async (jwksUrl) => jwksUrl);
    await expect(askWith(token, { jwksUrl: gone })).rejects.toMatchObject(unavailable);
    for (const answer of ['down', 'no keys'] as const) {
      await withKeySet(answer, async (jwksUrl) => {
        await expect(askWith(token, { jwksUrl })).rejects.toMatchObject(unavailable);
        // Nothing has to be known for these.
        await expectRejected(await makeJwt({ sub: 'alice' }, { secret: 'another' }), { jwksUrl });
        const good = await makeJwt({ sub: 'bob' }, { secret: SECRET });
        expect(await askWith(good, { jwksUrl })).toMatchObject({ id: 'bob' });
      });
    }
  });
});
