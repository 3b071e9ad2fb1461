import type { FastifyInstance } from 'fastify';
import { authorize } from '../../domain/viewer/access.ts';
import {
  createSendError,
  type DialectOptions,
  leaveBodies,
  registerRoutes,
  sendAnswer,
} from '../../http/dialect.ts';
import { RefusedError, toErrorAnswer } from './error.ts';
import { ROUTES } from './route-table.ts';

const PREFIX = '/api/v2';
const CONTENT_TYPE = 'application/json; charset=utf-8';

/** Options of the SelfCommunity dialect. */
export interface SelfCommunityOptions extends DialectOptions {
  /** Size of the largest image that this dialect accepts, in bytes. */
  imageBytesMax: number;
}

/** Registers the SelfCommunity API below `/api/v2`. */
export async function registerSelfCommunity(
  server: FastifyInstance,
  { imageBytesMax, ...options }: SelfCommunityOptions,
): Promise<void> {
  const sendError = createSendError(CONTENT_TYPE, toErrorAnswer);
  server.setTargetErrorHandler([`${PREFIX}/`], sendError);
  const register = async (dialect: FastifyInstance) => {
    leaveBodies(dialect);
    dialect.setErrorHandler(sendError);
    dialect.setNotFoundHandler(() => {
      throw new RefusedError('Not found.', { status: 404, code: 'not_found' });
    });
    registerRoutes(dialect, ROUTES, {
      ...options,
      serve: async ({ operation, handle }, call) => {
        // Contract §4: before the body. A viewer who may not call this learns nothing about its faults.
        if (operation !== null) authorize(call.ctx, operation);
        const ctx = { ...call.ctx, settings: { ...call.ctx.settings, imageBytesMax } };
        return sendAnswer(call.reply, CONTENT_TYPE, await handle({ ...call, ctx }));
      },
      refuseMethod: (method) =>
        new RefusedError(`Method "${method}" not allowed.`, {
          status: 405,
          code: 'method_not_allowed',
        }),
    });
  };
  await server.register(register, { prefix: PREFIX });
}
