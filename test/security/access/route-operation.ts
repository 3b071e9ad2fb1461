import { randomUUID } from 'node:crypto';
import { GRAPHIQL_NAME } from '../../../src/graphql/graphiql.ts';
import type { TestApp } from '../../support/app.ts';
import {
  admins,
  anyCredential,
  butRefused,
  bytes,
  credentialFirst,
  editors,
  everyone,
  type Facts,
  inFolder,
  nobody,
  openOr,
  ownerOrAdmin,
  type Rule,
  renditionBytes,
  sessionOwner,
  VIEWER_NAMES,
  whoSees,
  whoSeesWithCredential,
} from './expectation.ts';
import { bare, type Cell, form, json, type Operation, PICTURE, PICTURE_MD5 } from './request.ts';
import { newFolder, newSession, newTag } from './world.ts';

const JSON_API = 'application/vnd.api+json';
const EVERY = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** A request to a path without parameters. */
const plain = (rule: Rule, line: string, more: Partial<Operation> = {}): Operation => ({
  ...{ rule, ...more },
  send: () => bare(line),
});

/** A request about an item. */
const item = (rule: Rule, send: Operation['send'], more: Partial<Operation> = {}): Operation => ({
  ...{ rule, send, ofItem: true, ...more },
});

/** A request that creates something. */
const change = (rule: Rule, send: Operation['send']): Operation => ({ rule, send });

/**
 * Heartcore tells a viewer with start nodes what is outside of them (contract): 403, which the dialect gives no other
 * meaning.
 */
const inHeartcore =
  (rule: Rule): Rule =>
  (facts) => {
    const outcome = rule(facts);
    return outcome === 'absent' && facts.viewer === 'outside' ? 'forbidden' : outcome;
  };

/** Heartcore looks the item up before it asks for the role. */
const heartcoreOwner: Rule = (facts) => {
  const outcome = whoSeesWithCredential(facts);
  return outcome === 'ok' ? ownerOrAdmin(facts) : inHeartcore(() => outcome)(facts);
};

/** Whoever knows the name of a public resource may read it; anything else needs a credential, in every mode. */
const resource: Rule = (facts) =>
  facts.visibility === 'PUBLIC' ? 'ok' : whoSeesWithCredential(facts);

/** SelfCommunity asks for a credential before it says that something does not exist. */
const selfCommunity = (rule: Rule) => (facts: Facts) => {
  return facts.mode === 'open' ? rule(facts) : credentialFirst(rule)(facts);
};

/** An image has no linked image to set: whoever may change it is told so. */
const imageOwner = butRefused(ownerOrAdmin, 'status 400');

/** A taken name of a resource is a refusal, also for viewers who cannot see it: the names of all are different. */
const resourceOwner: Rule = (facts) => {
  const outcome = ownerOrAdmin(facts);
  return outcome === 'absent' ? 'forbidden' : outcome;
};

const OUTSIDE = { tells: ['outside'] } as const;

const CONTENT = JSON.stringify({ mediaTypeAlias: 'Folder', name: 'a' });

const HEARTCORE: Readonly<Record<string, Operation>> = {
  'GET /media': plain(anyCredential, 'GET /media'),
  'GET /media/type': plain(anyCredential, 'GET /media/type'),
  'GET /media/type/:alias': plain(anyCredential, 'GET /media/type/Image'),
  'GET /media/:id': item(
    inHeartcore(whoSeesWithCredential),
    ({ item }) => bare(`GET /media/${item.uuid}`),
    OUTSIDE,
  ),
  'GET /media/:id/children': item(
    inHeartcore(whoSeesWithCredential),
    ({ world }) => bare(`GET /media/${world.folder.uuid}/children?pageSize=100`),
    { shows: ({ item }) => item.uuid },
  ),
  'POST /media': change(inHeartcore(inFolder(editors)), ({ world }) =>
    form('POST /media', { content: CONTENT.replace('{', `{"parentId":"${world.folder.uuid}",`) }),
  ),
  'PUT /media/:id': item(
    heartcoreOwner,
    ({ item }) => json(`PUT /media/${item.uuid}`, { name: 'a', mediaTypeAlias: 'Image' }),
    OUTSIDE,
  ),
  'DELETE /media/:id': item(heartcoreOwner, ({ item }) => bare(`DELETE /media/${item.uuid}`), {
    ...OUTSIDE,
    once: true,
  }),
  'DELETE /media/:id#folder': change(
    inHeartcore((facts) => ownerOrAdmin({ ...facts, visibility: 'UNLISTED' })),
    async ({ world }) => bare(`DELETE /media/${(await newFolder(world)).uuid}`),
  ),
};

const tagLine =
  (line: string) =>
  async ({ world }: Cell) =>
    json(line.replace(':id', String((await newTag(world)).id)), { name: 'b' });

const SELFCOMMUNITY: Readonly<Record<string, Operation>> = {
  'GET /api/v2/media/:id': item(selfCommunity(whoSees), ({ item }) =>
    bare(`GET /api/v2/media/${item.id}/`),
  ),
  'PUT /api/v2/media/:id': item(imageOwner, ({ item }) => json(`PUT /api/v2/media/${item.id}/`)),
  'PATCH /api/v2/media/:id': item(imageOwner, ({ item }) =>
    json(`PATCH /api/v2/media/${item.id}/`),
  ),
  'DELETE /api/v2/media/:id': item(
    ownerOrAdmin,
    ({ item }) => bare(`DELETE /api/v2/media/${item.id}/`),
    { once: true },
  ),
  'POST /api/v2/media/:id/click': item(selfCommunity(whoSees), ({ item }) =>
    json(`POST /api/v2/media/${item.id}/click/`),
  ),
  'POST /api/v2/media': change(openOr(editors), () =>
    json('POST /api/v2/media/', {
      type: 'embed',
      embed: { embed_type: 'a', embed_id: 'b', metadata: {} },
    }),
  ),
  'POST /api/v2/media/upload/chunk': change(openOr(editors), () => ({
    ...form('POST /api/v2/media/upload/chunk/', { image: PICTURE }),
    headers: { 'content-type': 'multipart/form-data; boundary=x', 'content-range': RANGE },
  })),
  'POST /api/v2/media/upload/chunk#session of another': change(sessionOwner, async ({ world }) => ({
    ...form('POST /api/v2/media/upload/chunk/', {
      upload_id: await newSession(world, 2 * PICTURE.length),
      image: PICTURE,
    }),
    headers: { 'content-type': 'multipart/form-data; boundary=x', 'content-range': SECOND_HALF },
  })),
  'POST /api/v2/media/upload/complete': change(sessionOwner, async ({ world }) =>
    json('POST /api/v2/media/upload/complete/', {
      upload_id: await newSession(world),
      md5: PICTURE_MD5,
      type: 'image',
    }),
  ),
  'GET /api/v2/tag': plain(everyone, 'GET /api/v2/tag/'),
  'GET /api/v2/tag/search': plain(everyone, 'GET /api/v2/tag/search/'),
  'GET /api/v2/tag/user/search': plain(everyone, 'GET /api/v2/tag/user/search/'),
  'GET /api/v2/tag/:id': change(everyone, ({ world }) => bare(`GET /api/v2/tag/${world.tag.id}/`)),
  'POST /api/v2/tag': change(openOr(editors), () => json('POST /api/v2/tag/', { name: 'a' })),
  'PUT /api/v2/tag/:id': change(openOr(admins), tagLine('PUT /api/v2/tag/:id/')),
  'PATCH /api/v2/tag/:id': change(openOr(admins), tagLine('PATCH /api/v2/tag/:id/')),
  'DELETE /api/v2/tag/:id': change(openOr(admins), tagLine('DELETE /api/v2/tag/:id/')),
  'POST /api/v2/tag/:id/assign': change(openOr(admins), tagLine('POST /api/v2/tag/:id/assign/')),
  'POST /api/v2/tag/:id/add': change(openOr(admins), tagLine('POST /api/v2/tag/:id/add/')),
  'POST /api/v2/tag/:id/remove': change(openOr(admins), tagLine('POST /api/v2/tag/:id/remove/')),
  'GET /api/v2/openapi.json': plain(everyone, 'GET /api/v2/openapi.json'),
};

const RANGE = `bytes 0-${PICTURE.length - 1}/${PICTURE.length}`;
const SECOND_HALF = `bytes ${PICTURE.length}-${2 * PICTURE.length - 1}/${2 * PICTURE.length}`;

/** The Importer's operations, which are served with a prefix and without it. */
const importer = (prefix: string): Readonly<Record<string, Operation>> => {
  const ofJob = { shows: ({ item }: Cell) => item.job.uuid };
  const document = (attributes: object) => ({ data: { type: 'jobs', attributes } });
  const named = Object.entries({
    'GET /healthcheck': plain(everyone, `GET ${prefix}/healthcheck`),
    'GET /jobs': item(
      whoSeesWithCredential,
      () => bare(`GET ${prefix}/jobs?page[size]=1000`),
      ofJob,
    ),
    'POST /jobs': change(editors, () =>
      json(
        `POST ${prefix}/jobs`,
        document({ job_class: 'import-url', arguments: { url: 'https://x.org/a.png' } }),
        JSON_API,
      ),
    ),
    'GET /jobs/:id': item(whoSeesWithCredential, ({ item }) =>
      bare(`GET ${prefix}/jobs/${item.job.uuid}`),
    ),
    'DELETE /jobs/:id': item(admins, ({ item }) => bare(`DELETE ${prefix}/jobs/${item.job.uuid}`), {
      once: true,
    }),
    'POST /jobs/:id/signal': item(ownerOrAdmin, ({ item }) =>
      json(
        `POST ${prefix}/jobs/${item.job.uuid}/signal`,
        { data: { type: 'signals', attributes: { signal: 'pause' } } },
        JSON_API,
      ),
    ),
    'GET /medias': item(
      whoSeesWithCredential,
      ({ item }) => bare(`GET ${prefix}/medias?filter[resource]=${item.uuid}`),
      {
        shows: ({ item }) => `"${item.uuid}"`,
      },
    ),
    'GET /medias/info/:resource': item(resource, ({ item }) =>
      bare(`GET ${prefix}/medias/info/${item.uuid}`),
    ),
    'GET /medias/info/:resource/:key': item(resource, ({ item }) =>
      bare(`GET ${prefix}/medias/info/${item.uuid}/`),
    ),
    'GET /medias/files/:resource': item(resource, ({ item }) =>
      bare(`GET ${prefix}/medias/files/${item.uuid}`),
    ),
    'GET /medias/files/:resource/:key': item(resource, ({ item }) =>
      bare(`GET ${prefix}/medias/files/${item.uuid}/`),
    ),
    'POST /medias/files/:resource': change(editors, () =>
      form(`POST ${prefix}/medias/files/${randomUUID()}`, { file: PICTURE }),
    ),
    'POST /medias/files/:resource/:key': item(
      resourceOwner,
      ({ item }) =>
        form(`POST ${prefix}/medias/files/${item.uuid}/${randomUUID()}`, { file: PICTURE }),
      { tells: VIEWER_NAMES },
    ),
  });
  return Object.fromEntries(named.map(([key, one]) => [key.replace(' ', ` ${prefix}`), one]));
};

/** The signature of the current file is good for no version of it. */
const otherSignature: Rule = ({ viewer }) => (viewer === 'signed' ? 'forbidden' : 'absent');

const OTHERS: Readonly<Record<string, Operation>> = {
  'GET /': plain(everyone, 'GET /'),
  'GET /healthz': plain(everyone, 'GET /healthz'),
  'GET /readyz': plain(everyone, 'GET /readyz'),
  // By default everyone on this machine, where the tests run.
  'GET /metrics': plain(everyone, 'GET /metrics'),
  'GET /graphql': plain(everyone, 'GET /graphql?query={viewer{id}}'),
  'POST /graphql': plain(everyone, 'GET /graphql?query={viewer{id}}'),
  // Everyone may reserve a stream of events. Nobody but its viewer finds it.
  'PUT /graphql': plain(everyone, 'PUT /graphql'),
  'DELETE /graphql': plain(nobody, 'DELETE /graphql?token=none&operationId=a'),
  ...Object.fromEntries(
    ['js', 'css', 'ico'].map((extension) => {
      const line = `GET /graphql/${GRAPHIQL_NAME}.${extension}`;
      return [line, plain(everyone, line, { modes: ['open'], ignoresCredentials: true })];
    }),
  ),
  // A login with a wrong password: whoever sends it.
  'POST /oauth/token': {
    ...{ rule: () => 'status 400' },
    send: () => json('POST /oauth/token', { grant_type: 'password' }),
  },
  'GET /sign-in': plain(() => 'status 410', 'GET /sign-in?token=wrong', {
    modes: ['open'],
    ignoresCredentials: true,
  }),
  'GET /media/:dir/:name': item(bytes, ({ item }) => bare(`GET ${item.file.path}`)),
  'GET /media/:dir/:name#rendition': item(renditionBytes, ({ item }) =>
    bare(`GET ${item.file.path}?width=8`),
  ),
  // Only a signature of its own opens a version, and this URL has none.
  'GET /media/:dir/version/:uuid': item(otherSignature, ({ item }) =>
    bare(`GET ${item.file.path.replace(/[^/]+$/, 'version')}/${item.uuid}`),
  ),
  'HEAD /media/:dir/version/:uuid': item(otherSignature, ({ item }) =>
    bare(`HEAD ${item.file.path.replace(/[^/]+$/, 'version')}/${item.uuid}`),
  ),
  // Only a signature opens a rendition: of a private item, only a viewer who sees it gets one.
  'GET /i/:dir/:version/:parameters/:name': change(everyone, ({ item }) =>
    bare(`GET ${item.imagePath}`),
  ),
  'HEAD /i/:dir/:version/:parameters/:name': change(everyone, ({ item }) =>
    bare(`HEAD ${item.imagePath}`),
  ),
  'GET /i/:dir/:version/:parameters/:name#unsigned': item(
    () => 'forbidden',
    ({ item }) => bare(`GET ${item.imagePath.replace(/w8\.[^/]+/, 'w8')}`),
  ),
  // It has the rights of the viewer who made its URL, and this URL has no signature.
  'GET /archive': plain(() => 'forbidden', 'GET /archive'),
  'HEAD /archive': plain(() => 'forbidden', 'HEAD /archive'),
  'HEAD /media/:dir/:name': item(bytes, ({ item }) => bare(`HEAD ${item.file.path}`)),
};

/** Paths at which no method does anything. */
const NOTHING = ['content', 'language', 'relation', 'member', 'forms'].flatMap((name) => [
  `/${name}`,
]);

/**
 * The rule of every REST route: a line for each, and `#` with a name for another use of it. A route without a line fails
 * the test. `HEAD` has the rule of `GET`.
 */
export const ROUTES: Readonly<Record<string, Operation>> = {
  ...OTHERS,
  ...HEARTCORE,
  ...SELFCOMMUNITY,
  ...importer(''),
  ...importer('/api/v1/media'),
  ...Object.fromEntries(
    [...NOTHING, '/api/v1/media'].flatMap((path) =>
      EVERY.map((method) => [`${method} ${path}`, plain(nobody, `${method} ${path}`)]),
    ),
  ),
};

/** Values for the parameters of a path, of nothing that exists. */
const VALUES: Readonly<Record<string, string>> = {
  dir: 'aaaaaaaa',
  name: 'a.png',
  id: '00000000-0000-4000-8000-000000000001',
  uuid: '00000000-0000-4000-8000-000000000001',
};

/**
 * Returns every route of the server, `GET /media/:id`, from the tree that Fastify prints, without those that answer 405
 * to an admin. Wildcards, below which there is nothing, are left out.
 */
export async function routesOf({ app, adminKey }: TestApp): Promise<string[]> {
  const routes: string[] = [];
  const parents: string[] = [];
  for (const line of app.server.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent = '', part = '', methods = ''] =
      /^([│├└─ ]*)(.+) \(([A-Z, -]+)\)$/.exec(line) ?? [];
    if (part === '') continue;
    parents.length = Math.max(indent.length / 4 - 1, 0);
    const path = (parents.join('') + part).replace(/\(\^.*?\$\)/g, '');
    parents.push(parents.length === 0 && part === '/' ? '/' : part);
    if (path.endsWith('*')) continue;
    for (const method of EVERY) {
      if (!methods.split(', ').includes(method)) continue;
      const url = path.replace(/:(\w+)/g, (_, name: string) => VALUES[name] ?? 'x');
      const headers = { authorization: `Bearer ${adminKey}` };
      const { statusCode } = await app.server.inject({ method, url, headers });
      if (statusCode !== 405) routes.push(`${method} ${path}`);
    }
  }
  return routes;
}
