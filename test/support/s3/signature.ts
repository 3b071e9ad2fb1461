import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Refusal } from './error.ts';

/** Credentials that a server accepts. */
export interface ServerCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

const SKEW_MS = 15 * 60_000;
const EXPIRES_SECONDS_MAX = 604_800;

interface Claim {
  credential: string;
  signedHeaders: string[];
  signature: string;
  time: string;
  token: string | undefined;
  payload: string;
  /** Null: signed by a header. */
  expiresSeconds: number | null;
}

/**
 * Checks the signature of a request, version 4, from the description of the protocol and not with the code of a
 * client. Returns the digest that the body must have; null if none was declared. Throws Refusal.
 */
export function verifySignature(
  request: IncomingMessage,
  url: URL,
  known: readonly ServerCredentials[],
  region: string,
): string | null {
  const claim = url.searchParams.has('X-Amz-Signature') ? fromQuery(url) : fromHeaders(request);
  const [accessKeyId, date, ...scope] = claim.credential.split('/');
  if (scope.join('/') !== `${region}/s3/aws4_request` || date !== claim.time.slice(0, 8)) {
    throw new Refusal(400, 'AuthorizationHeaderMalformed', `expecting region ${region}`);
  }
  const own = known.filter((one) => one.accessKeyId === accessKeyId);
  if (own.length === 0) throw new Refusal(403, 'InvalidAccessKeyId');
  const credentials = own.find(({ sessionToken }) => sessionToken === claim.token);
  if (credentials === undefined)
    throw new Refusal(403, claim.token ? 'InvalidToken' : 'AccessDenied');
  requireTime(claim);
  requireSigned(request, claim);
  const expected = signatureOf(request, url, claim, credentials.secretAccessKey, region);
  if (expected !== claim.signature) throw new Refusal(403, 'SignatureDoesNotMatch');
  return /^[0-9a-f]{64}$/.test(claim.payload) ? claim.payload : null;
}

function fromHeaders({ headers }: IncomingMessage): Claim {
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
  const [, credential, signedHeaders, signature] = pattern.exec(headers.authorization ?? '') ?? [];
  if (!credential || !signedHeaders || !signature) throw new Refusal(403, 'AccessDenied');
  const payload = String(headers['x-amz-content-sha256'] ?? '');
  if (payload === '') throw new Refusal(400, 'MissingSecurityHeader', 'x-amz-content-sha256');
  if (payload.startsWith('STREAMING-')) throw new Refusal(501, 'NotImplemented');
  if (payload !== 'UNSIGNED-PAYLOAD' && !/^[0-9a-f]{64}$/.test(payload)) {
    throw new Refusal(400, 'InvalidArgument', 'x-amz-content-sha256');
  }
  return {
    credential,
    signedHeaders: signedHeaders.split(';'),
    signature,
    time: String(headers['x-amz-date'] ?? ''),
    token: headers['x-amz-security-token']?.toString(),
    payload,
    expiresSeconds: null,
  };
}

function fromQuery({ searchParams }: URL): Claim {
  const expiresSeconds = Number(searchParams.get('X-Amz-Expires'));
  const isValid = expiresSeconds >= 1 && expiresSeconds <= EXPIRES_SECONDS_MAX;
  if (!isValid || searchParams.get('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') {
    throw new Refusal(400, 'AuthorizationQueryParametersError');
  }
  return {
    credential: searchParams.get('X-Amz-Credential') ?? '',
    signedHeaders: (searchParams.get('X-Amz-SignedHeaders') ?? '').split(';'),
    signature: searchParams.get('X-Amz-Signature') ?? '',
    time: searchParams.get('X-Amz-Date') ?? '',
    token: searchParams.get('X-Amz-Security-Token') ?? undefined,
    payload: 'UNSIGNED-PAYLOAD',
    expiresSeconds,
  };
}

function requireTime({ time, expiresSeconds }: Claim): void {
  const signedAtMs = Date.parse(
    time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'),
  );
  const ageMs = Date.now() - signedAtMs;
  if (Number.isNaN(ageMs)) throw new Refusal(403, 'AccessDenied', 'no date');
  if (expiresSeconds !== null && ageMs > expiresSeconds * 1000) {
    throw new Refusal(403, 'AccessDenied', 'Request has expired');
  }
  if (ageMs < -SKEW_MS || (expiresSeconds === null && ageMs > SKEW_MS)) {
    throw new Refusal(403, 'RequestTimeTooSkewed');
  }
}

function requireSigned({ headers }: IncomingMessage, { signedHeaders }: Claim): void {
  const needed = ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-'))];
  const missing = needed.filter((name) => !signedHeaders.includes(name));
  if (missing.length > 0) throw new Refusal(403, 'AccessDenied', `not signed: ${missing}`);
}

function signatureOf(
  request: IncomingMessage,
  url: URL,
  { signedHeaders, payload, time }: Claim,
  secret: string,
  region: string,
): string {
  const canonical = [
    request.method,
    encodePath(decodeURIComponent((request.url ?? '').split('?')[0] ?? '')),
    canonicalQuery(url),
    ...signedHeaders.map(
      (name) =>
        `${name}:${String(request.headers[name] ?? '')
          .trim()
          .replace(/ +/g, ' ')}`,
    ),
    '',
    signedHeaders.join(';'),
    payload,
  ].join('\n');
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const digest = createHash('sha256').update(canonical).digest('hex');
  const text = ['AWS4-HMAC-SHA256', time, scope, digest].join('\n');
  const key = scope
    .split('/')
    .reduce<string | Buffer>((key, part) => hmac(key, part), `AWS4${secret}`);
  return hmac(key, text).toString('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** Reads the raw query: a plus sign in it is a plus sign, as in S3. */
function canonicalQuery({ search }: URL): string {
  return search
    .slice(1)
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', value = ''] = pair.split('=');
      return `${encode(decodeURIComponent(name))}=${encode(decodeURIComponent(value))}`;
    })
    .filter((pair) => !pair.startsWith('X-Amz-Signature='))
    .sort()
    .join('&');
}

function encodePath(path: string): string {
  return path.split('/').map(encode).join('/');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
