import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isHttps } from '../../http/absolute-url.ts';
import { preferredType } from '../../http/accept.ts';
import { refuseOtherMethods } from '../../http/dialect.ts';
import { HttpError } from '../../http/http-error.ts';
import { sendPage } from '../../http/page.ts';
import { sessionCookie } from '../../http/viewer/cookie.ts';
import { SIGN_IN_PATH, type SignInLink } from '../../http/viewer/sign-in.ts';

/** Options of `registerSignIn`. */
export interface SignInOptions {
  link: SignInLink;
  publicUrl: string | null;
  /** Path of the page to show to a visitor who has signed in. */
  destination: string;
}

/**
 * Serves the link that signs in its first visitor: `GET /sign-in` sets the cookie of a session, and redirects. A wrong,
 * used or expired link is answered with 410, as a page for browsers. `HEAD` is refused: programs that only look at a
 * link must not use it up.
 */
export async function registerSignIn(
  server: FastifyInstance,
  { link, publicUrl, destination }: SignInOptions,
): Promise<void> {
  server.route({
    method: 'GET',
    url: SIGN_IN_PATH,
    exposeHeadRoute: false,
    // A cookie that has become wrong must not keep the visitor from getting another.
    config: { ignoresCredentials: true },
    handler: async (request, reply) => {
      const session = await link.redeem(secretOf(request));
      if (session !== null) {
        const isSecure = isHttps(publicUrl, request.calledAs);
        return reply
          .code(303)
          .header('set-cookie', sessionCookie(session, { isSecure }))
          .header('location', destination)
          .send();
      }
      if (preferredType(request.headers.accept, TYPES) === 'text/html') {
        return sendPage(
          reply.code(410),
          `<h1>This link is no longer valid</h1>\n<p>${REASON}</p>\n`,
        );
      }
      throw new HttpError(410, 'LINK_EXPIRED', REASON);
    },
  });
  refuseOtherMethods(server, SIGN_IN_PATH, ['GET'], (method) => {
    return new HttpError(405, 'METHOD_NOT_ALLOWED', `This path does not support ${method}.`);
  });
}

const TYPES = ['application/json', 'text/html'] as const;

const REASON =
  'A sign-in link is good once, and for ten minutes after the start of the server. Restart the server to get another.';

function secretOf({ query }: FastifyRequest): string {
  const { secret } = query as Record<string, unknown>;
  return typeof secret === 'string' ? secret : '';
}
