import type { FastifyInstance, FastifyRequest } from 'fastify';
import { TooManyRequestsError } from '../../../domain/error.ts';
import { bodyType, parseForm, readBytes, UnsupportedBodyError } from '../../../http/body.ts';
import { createSendError, type ErrorAnswer, leaveBodies } from '../../../http/dialect.ts';
import { httpStatus, publicMessage } from '../../../http/status.ts';
import type { IssueToken } from '../../../http/viewer/token.ts';

/** An error of RFC 6749 §5.2, whose body is not the envelope of the other routes: contract §13. */
class TokenError extends Error {
  readonly statusCode = 400;
  readonly code: 'invalid_request' | 'invalid_grant' | 'unsupported_grant_type';

  constructor(code: TokenError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Serves `POST /oauth/token`, the password grant of RFC 6749 §4.3, without a credential: contract
 * §10.4 and §13.
 */
export async function registerToken(
  server: FastifyInstance,
  { issueToken }: { issueToken: IssueToken },
): Promise<void> {
  leaveBodies(server);
  server.setErrorHandler(createSendError('application/json; charset=utf-8', toErrorAnswer));
  server.post('/oauth/token', async (request, reply) => {
    const { name, password } = await readGrant(request);
    const token = await issueToken(name, password);
    if (token === null) {
      throw new TokenError('invalid_grant', 'The user name or password is incorrect.');
    }
    const { accessToken, expiresInSeconds } = token;
    return reply.headers(NO_STORE).send({
      access_token: accessToken,
      token_type: 'bearer',
      expires_in: expiresInSeconds,
    });
  });
}

async function readGrant({ raw }: FastifyRequest): Promise<{ name: string; password: string }> {
  const type = bodyType(raw.headers);
  const bytes = await readBytes(raw);
  if (type !== 'application/x-www-form-urlencoded') throw new UnsupportedBodyError(type);
  const form = parseForm(bytes.toString());
  // First, because other grants have other fields.
  if (readField(form, 'grant_type') !== 'password') {
    throw new TokenError('unsupported_grant_type', 'The only supported grant_type is "password".');
  }
  return { name: readField(form, 'username'), password: readField(form, 'password') };
}

function readField(form: URLSearchParams, field: string): string {
  const value = form.get(field);
  if (value) return value;
  throw new TokenError('invalid_request', `The form must have the field ${field}.`);
}

function toErrorAnswer(error: unknown): ErrorAnswer {
  const status = httpStatus(error);
  const isLater = error instanceof TooManyRequestsError || status >= 500;
  const own = error instanceof TokenError ? error.code : 'invalid_request';
  const code = isLater ? 'temporarily_unavailable' : own;
  return {
    status,
    headers: NO_STORE,
    body: { error: code, error_description: publicMessage(error) },
  };
}

/** RFC 6749 §5.1. */
const NO_STORE = { 'cache-control': 'no-store', pragma: 'no-cache' };
