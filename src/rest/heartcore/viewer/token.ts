import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Services } from '../../../domain/context.ts';
import { NotAuthenticatedError, TooManyRequestsError } from '../../../domain/error.ts';
import { SESSION_MS, signIn } from '../../../domain/viewer/login.ts';
import {
  bodyType,
  parseForm,
  parseJson,
  readBytes,
  UnsupportedBodyError,
} from '../../../http/body.ts';
import {
  createSendError,
  type ErrorAnswer,
  leaveBodies,
  requestContext,
} from '../../../http/dialect.ts';
import { httpStatus, publicMessage } from '../../../http/status.ts';

/** An error of RFC 6749 §5.2, whose body is not the envelope of the other routes: contract §13. */
class TokenError extends Error {
  readonly statusCode = 400;
  readonly code: 'invalid_request' | 'invalid_grant' | 'unsupported_grant_type';

  constructor(code: TokenError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Serves `POST /oauth/token`, the password grant of RFC 6749 §4.3, without a credential: contract
 * §10.4 and §13. Accepts JSON too. The token is that of a session.
 */
export async function registerToken(
  server: FastifyInstance,
  { services }: { services: Services },
): Promise<void> {
  leaveBodies(server);
  server.setErrorHandler(createSendError('application/json; charset=utf-8', toErrorAnswer));
  server.post('/oauth/token', async (request, reply) => {
    const grant = await readGrant(request);
    const ctx = requestContext(services, request, reply);
    const { token } = await signIn(ctx, grant, SESSION_MS.grant).catch(toTokenError);
    return reply.headers(NO_STORE).send({
      access_token: token,
      token_type: 'bearer',
      expires_in: SESSION_MS.grant / 1000,
    });
  });
}

/** RFC 6749 §5.2: a wrong password is a bad grant, with status 400. */
function toTokenError(error: unknown): never {
  if (!(error instanceof NotAuthenticatedError)) throw error;
  throw new TokenError('invalid_grant', error.message, { cause: error });
}

/** Returns the value of a field; null if it is absent or no text. */
type ReadField = (field: string) => string | null;

async function readGrant({ raw }: FastifyRequest): Promise<{ name: string; password: string }> {
  const type = bodyType(raw.headers);
  const bytes = await readBytes(raw);
  const read = toReader(type, bytes);
  const need = (field: string) => {
    const value = read(field);
    if (value) return value;
    throw new TokenError('invalid_request', `The request must have the field ${field}, a text.`);
  };
  // First, because other grants have other fields.
  if (need('grant_type') !== 'password') {
    throw new TokenError('unsupported_grant_type', 'The only supported grant_type is "password".');
  }
  return { name: need('username'), password: need('password') };
}

function toReader(type: string, bytes: Buffer): ReadField {
  if (type === 'application/x-www-form-urlencoded') {
    const form = parseForm(bytes.toString());
    return (field) => form.get(field);
  }
  if (type !== 'application/json') throw new UnsupportedBodyError(type);
  const value = parseJson(bytes);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TokenError('invalid_request', 'The JSON of the request must be an object.');
  }
  const fields = new Map<string, unknown>(Object.entries(value));
  return (field) => {
    const text = fields.get(field);
    return typeof text === 'string' ? text : null;
  };
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
