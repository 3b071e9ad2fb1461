import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { expect } from 'vitest';
import { NotAuthenticatedError } from '../../../src/domain/error.ts';
import type { KnownViewer } from '../../../src/domain/viewer/viewer.ts';
import { type AuthOptions, createAuthenticate } from '../../../src/http/viewer/auth.ts';

export const SECRET = 'the secret of the tests';
export const KEY_VIEWER: KnownViewer = { kind: 'key', id: 'key:1', role: 'reader' };
export const BAD = 'tvm_unknown';
export const GOOD = 'tvm_known';

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** Returns the viewer of a request with these headers. One key is known; tokens are signed with `SECRET`. */
export function ask(
  headers: Record<string, string | undefined>,
  options: Partial<AuthOptions> = {},
) {
  return makeAuthenticate(options)({ headers });
}

export function makeAuthenticate(options: Partial<AuthOptions> = {}) {
  const findViewerByKey = async (key: string) => (key === GOOD ? KEY_VIEWER : null);
  return createAuthenticate({
    jwtSecret: SECRET,
    jwksUrl: null,
    findViewerByKey,
    resolveStartNodes: async (claim) => [{ id: 5, below: JSON.stringify(claim) }],
    ...options,
  });
}

export function askWith(token: string, options: Partial<AuthOptions> = {}) {
  return ask({ authorization: `Bearer ${token}` }, options);
}

export async function expectRejected(
  token: string,
  options: Partial<AuthOptions> = {},
): Promise<void> {
  await expect(askWith(token, options)).rejects.toThrow(NotAuthenticatedError);
}

export async function makeSigner(alg: string) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const kid = `${alg}-${Math.random()}`;
  const signAs = (header: { alg: string; kid?: string }, claims: Record<string, unknown>) =>
    new SignJWT({ exp: Math.floor(Date.now() / 1000) + 60, ...claims })
      .setProtectedHeader(header)
      .sign(privateKey);
  return {
    publicKey,
    jwk: { ...(await exportJWK(publicKey)), kid, alg },
    sign: (claims: Record<string, unknown>) => signAs({ alg, kid }, claims),
    signWithoutKid: (claims: Record<string, unknown>) => signAs({ alg }, claims),
  };
}

/** Serves a key set on this machine while `work` runs; `down` responds with an error, `no keys` with other JSON. */
export async function withKeySet<T>(
  keys: object[] | 'down' | 'no keys',
  work: (url: string) => Promise<T>,
): Promise<T> {
  const server = createServer((_request, response) => {
    response.writeHead(keys === 'down' ? 500 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
