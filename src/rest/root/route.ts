import type { FastifyInstance } from 'fastify';
import { urlMaker } from '../../http/absolute-url.ts';
import { preferredType } from '../../http/accept.ts';
import { type DialectOptions, refuseOtherMethods } from '../../http/dialect.ts';
import { HttpError } from '../../http/http-error.ts';
import { sendPage } from '../../http/page.ts';
import { vary } from '../../http/viewer/cache.ts';

/** Options of the root. */
export interface RootOptions extends DialectOptions {
  isGraphiqlEnabled: boolean;
  /** Version of this server. */
  version: string;
}

/** Pages and documents that a person may want to see, with what they are. Those that do not exist are not shown. */
const PAGES: readonly (readonly [path: string, title: string])[] = [
  ['/studio', 'Studio, to manage media'],
  ['/graphql', 'GraphQL, with an editor for queries (GraphiQL)'],
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
  { publicUrl, isGraphiqlEnabled, version }: RootOptions,
): Promise<void> {
  const toPage = () => {
    const pages = PAGES.filter(([path]) =>
      path === '/graphql' ? isGraphiqlEnabled : server.hasRoute({ method: 'GET', url: path }),
    );
    return `${INTRODUCTION}
<ul>
${pages.map(([path, title]) => `<li><a href="${path}">${path}</a>: ${title}</li>`).join('\n')}
</ul>
${isGraphiqlEnabled ? '' : GRAPHIQL_IS_OFF}<p>Version ${version}</p>
`;
  };
  server.get('/', (request, reply) => {
    vary(reply, 'Accept');
    if (preferredType(request.headers.accept, TYPES) === 'text/html') {
      return sendPage(reply, toPage());
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

const INTRODUCTION = `<h1>Trivium</h1>
<p>A media server. One store, one GraphQL schema, and the dialects of three existing media APIs.</p>`;

const GRAPHIQL_IS_OFF = `<p>Programs send GraphQL to <code>/graphql</code>. The page with an editor for queries is off; <code>TRIVIUM_GRAPHIQL=on</code> turns it on.</p>
`;
