import type { FastifyReply, FastifyRequest } from 'fastify';
import { HttpError } from '../../http/http-error.ts';

/** Shapes what HTTP itself refuses like every other error of this server, which shapes the rest. */
export function handleError(
  error: unknown,
  _request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  if (!(error instanceof HttpError)) throw error;
  const { code, message } = error;
  return reply.code(error.statusCode).send({ error: { code, message } });
}
