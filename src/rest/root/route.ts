import type { FastifyInstance } from 'fastify';
import { urlMaker } from '../../http/absolute-url.ts';
import { preferredType } from '../../http/accept.ts';
import { type DialectOptions, refuseOtherMethods } from '../../http/dialect.ts';
import { HttpError } from '../../http/http-error.ts';
import { vary } from '../../http/viewer/cache.ts';
import { sendPage } from './page.ts';

/** Pages and documents that a person may want to see, with what they are. */
const PAGES: readonly (readonly [path: string, title: string])[] = [
  ['/graphql', 'GraphQL, with an editor for queries'],
  ['/api/v2/openapi.json', 'OpenAPI document of the SelfCommunity dialect'],
  ['/media', 'Media tree of the Heartcore dialect (needs a credential)'],
  ['/medias', 'Files of the Importer dialect (needs a credential)'],
  ['/healthz', 'Whether the server runs'],
  ['/readyz', 'Whether the server can serve requests'],
];

/** The types of the root. A client that accepts none of them gets the first. */
const TYPES = ['application/hal+json', 'application/json', 'text/html'] as const;

/**
 * Registers `GET /`: an index in HAL (Heartcore contract §13), and for browsers a page of links.
 */
export async function registerRoot(
  server: FastifyInstance,
  { publicUrl }: DialectOptions,
): Promise<void> {
  server.get('/', (request, reply) => {
    vary(reply, 'Accept');
    if (preferredType(request.headers.accept, TYPES) === 'text/html') {
      return sendPage(reply, PAGE);
    }
    const toUrl = urlMaker(publicUrl, request);
    const links = { self: '/', media: '/media', mediatype: '/media/type', graphql: '/graphql' };
    const entries = Object.entries(links).map(([name, path]) => [name, { href: toUrl(path) }]);
    const body = { _links: Object.fromEntries(entries) };
    return reply
      .type('application/hal+json; charset=utf-8')
      .send(Buffer.from(JSON.stringify(body)));
  });
  refuseOtherMethods(server, '/', ['GET', 'HEAD'], (method) => {
    return new HttpError(405, 'METHOD_NOT_ALLOWED', `This path does not support ${method}.`);
  });
}

const PAGE = `<h1>Trivium</h1>
<p>A media server. One store, one GraphQL schema, and the dialects of three existing media APIs.</p>
<ul>
${PAGES.map(([path, title]) => `<li><a href="${path}">${path}</a>: ${title}</li>`).join('\n')}
</ul>
`;
