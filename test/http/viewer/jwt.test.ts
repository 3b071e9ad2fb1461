import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { makeJwt } from '../../support/make.ts';
import {
  askWith,
  expectRejected,
  makeAuthenticate,
  makeSigner,
  SECRET,
  withKeySet,
} from './authenticate.ts';

const nowSeconds = () => Math.floor(Date.now() / 1000);
const sign = (claims: Record<string, unknown>, secret = SECRET) =>
  new SignJWT({ sub: 'alice', ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret));

describe('a token', () => {
  it('needs an expiry, unless that is optional', async () => {
    const token = await sign({});
    await expectRejected(token);
    expect(await askWith(token, { isExpiryRequired: false })).toMatchObject({ id: 'alice' });
    const signer = await makeSigner('ES256');
    await withKeySet([signer.jwk], async (jwksUrl) => {
      const endless = await signer.sign({ sub: 'alice', exp: undefined });
      await expectRejected(endless, { jwksUrl });
      expect(await askWith(endless, { jwksUrl, isExpiryRequired: false })).toMatchObject({
        id: 'alice',
      });
    });
  });

  it('may be off by a minute of another clock, and no more', async () => {
    for (const claims of [
      { exp: nowSeconds() - 50 },
      { exp: nowSeconds() + 9, nbf: nowSeconds() + 50 },
    ]) {
      expect(await askWith(await sign(claims))).toMatchObject({ id: 'alice' });
    }
    await expectRejected(await sign({ exp: nowSeconds() - 61 }));
    await expectRejected(await sign({ exp: nowSeconds() + 200, nbf: nowSeconds() + 70 }));
  });

  const exp = nowSeconds() + 600;

  it.each([
    [
      'audience',
      { jwtAudiences: ['media', 'other'] },
      [{ aud: 'media' }, { aud: ['x', 'other'] }],
      [{}, { aud: 'x' }, { aud: ['x'] }],
    ],
    [
      'issuer',
      { jwtIssuers: ['https://a.example', 'b'] },
      [{ iss: 'https://a.example' }, { iss: 'b' }],
      [{}, { iss: 'c' }, { iss: 'https://a.example/' }],
    ],
  ] as const)('must have the right %s, if one is set', async (_, options, right, wrong) => {
    const signer = await makeSigner('ES256');
    await withKeySet([signer.jwk], async (jwksUrl) => {
      const both = { ...options, jwksUrl };
      for (const claims of right) {
        expect(await askWith(await sign({ exp, ...claims }), both)).toMatchObject({ id: 'alice' });
        const remote = await signer.sign({ sub: 'bob', ...claims });
        expect(await askWith(remote, both)).toMatchObject({ id: 'bob' });
      }
      for (const claims of wrong) {
        await expectRejected(await sign({ exp, ...claims }), both);
        await expectRejected(await signer.sign({ sub: 'bob', ...claims }), both);
      }
    });
  });
});

describe('keys rotate', () => {
  it('of secrets: former ones are accepted while they are named', async () => {
    const [old, older] = ['the former secret', 'the one before that'];
    const options = { jwtPreviousSecrets: [old, older] };
    for (const secret of [SECRET, old, older]) {
      const token = await makeJwt({ sub: 'alice' }, { secret });
      expect(await askWith(token, options)).toMatchObject({ id: 'alice' });
    }
    await expectRejected(await makeJwt({ sub: 'alice' }, { secret: 'another' }), options);
    await expectRejected(await makeJwt({ sub: 'alice' }, { secret: old }));
  });

  it('of a key set: an unknown kid makes the server fetch the set again', async () => {
    const [first, second] = [await makeSigner('ES256'), await makeSigner('ES256')];
    const keys = [first.jwk];
    await withKeySet(keys, async (jwksUrl) => {
      const authenticate = makeAuthenticate({ jwksUrl, jwksCooldownMs: 0 });
      const ask = async (signer: typeof first) => {
        const headers = { authorization: `Bearer ${await signer.sign({ sub: 'alice' })}` };
        return authenticate({ headers });
      };
      expect(await ask(first)).toMatchObject({ id: 'alice' });
      await expect(ask(second)).rejects.toMatchObject({ reason: 'rejected' });
      keys.push(second.jwk);
      expect(await ask(second)).toMatchObject({ id: 'alice' });
      keys.shift();
      keys.push((await makeSigner('ES256')).jwk);
      // What makes the server fetch it once more.
      await expect(ask(await makeSigner('ES256'))).rejects.toMatchObject({ reason: 'rejected' });
      await expect(ask(first)).rejects.toMatchObject({ reason: 'rejected' });
    });
  });

  it('of a key set: a token without a kid may be of any key of its algorithm', async () => {
    const signers = [await makeSigner('ES256'), await makeSigner('ES256')];
    const stranger = await makeSigner('ES256');
    await withKeySet(
      signers.map(({ jwk }) => jwk),
      async (jwksUrl) => {
        for (const { signWithoutKid } of signers) {
          expect(await askWith(await signWithoutKid({ sub: 'alice' }), { jwksUrl })).toMatchObject({
            id: 'alice',
          });
        }
        await expectRejected(await stranger.signWithoutKid({ sub: 'alice' }), { jwksUrl });
        await expectRejected(await signers[1]!.signWithoutKid({ sub: 'a', exp: 1 }), { jwksUrl });
      },
    );
  });
});
