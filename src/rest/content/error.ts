import type { FastifyReply, FastifyRequest } from 'fastify';
import { ServerBusyError } from '../../domain/error.ts';
import { HttpError } from '../../http/http-error.ts';
import { httpStatus } from '../../http/status.ts';

/** Shapes what HTTP itself refuses like every other error of this server, which shapes the rest. */
export function handleError(
  error: unknown,
  _request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  if (error instanceof ServerBusyError) {
    reply.header('retry-after', Math.ceil(error.retryAfterMs / 1000));
  } else if (!(error instanceof HttpError)) throw error;
  const { code, message } = error;
  const status = error instanceof HttpError ? error.statusCode : httpStatus(error);
  return reply.code(status).send({ error: { code, message } });
}
