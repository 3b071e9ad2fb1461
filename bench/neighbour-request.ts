import type { Places } from './million-lists.ts';

/** A request that is measured for how long others wait meanwhile. */
export interface WorstRequest {
  path: string;
  /** Of a GraphQL request. */
  query?: string;
  /** Sent without a credential: only public media are found. */
  isAnonymous?: boolean;
}

/** Numbers from 0 to 1 that decide everything about a request, so that a change of some of them changes some of the request. */
export type Genes = readonly number[];

const GENE_COUNT = 400;

/** Returns random genes. */
export function randomGenes(): Genes {
  return Array.from({ length: GENE_COUNT }, () => Math.random());
}

/** Returns the genes with some of them changed. */
export function mutate(genes: Genes): Genes {
  const rate = 10 ** -(1 + Math.random());
  return genes.map((gene) => (Math.random() < rate ? Math.random() : gene));
}

interface Dice {
  count: (max: number) => number;
  pick: <T>(items: readonly T[]) => T;
  is: (probability: number) => boolean;
}

function diceOf(genes: Genes): Dice {
  let index = 0;
  const next = () => genes[index++ % genes.length]!;
  const count = (max: number) => Math.floor(next() * (max + 1));
  return {
    count,
    pick: (items) => items[count(items.length - 1)]!,
    is: (probability) => next() < probability,
  };
}

/** Returns the request of each dialect that genes stand for. `share`, from 0 to 1, scales it down until it is allowed. */
export const GENERATORS: Readonly<
  Record<string, (genes: Genes, places: Places, share: number) => WorstRequest>
> = {
  'GraphQL lists': (genes, places, share) => graphql(diceOf(genes), places, share),
  'GraphQL lists of anonymous viewers': (genes, places, share) => ({
    ...graphql(diceOf(genes), places, share),
    isAnonymous: true,
  }),
  'SelfCommunity of anonymous viewers': (genes) => ({
    ...selfCommunity(diceOf(genes)),
    isAnonymous: true,
  }),
  'GraphQL documents': (genes, _places, share) => documents(diceOf(genes), share),
  Importer: (genes) => importer(diceOf(genes)),
  SelfCommunity: (genes) => selfCommunity(diceOf(genes)),
  Heartcore: (genes, places) => heartcore(diceOf(genes), places),
};

const WORDS = ['b', 'ba', 'bababa', 'nobaba', 'c', 'd', 'di', 'fu', 'ge', 'ha', 'tag', 'xyzzy'];
const MIME_TYPES = ['image/png', 'image/jpeg', 'image/bmp', 'video/mp4', 'image/none'];

function graphql(dice: Dice, places: Places, share: number): WorstRequest {
  const lists = 1 + dice.count(24);
  const deepest = dice.count(4);
  const fields = Array.from({ length: lists }, (_, index) => {
    const kind = dice.pick(['medias', 'medias', 'jobs', 'tags', 'rootFolders']);
    return `a${index}: ${connection(dice, kind, { places, share, levels: deepest })}`;
  });
  return { path: '/graphql', query: `{ ${fields.join('\n')} }` };
}

interface Nesting {
  places: Places;
  share: number;
  /** Further lists within this one. */
  levels: number;
}

function connection(dice: Dice, kind: string, nesting: Nesting): string {
  const size = Math.floor(dice.pick([1, 10, 50, 100, 200, 200, 200]) * nesting.share);
  const isFiltered = dice.is(0.7);
  const parts = [`${dice.pick(['first', 'first', 'last'])}: ${size}`];
  if (isFiltered && kind === 'medias') parts.push(`filter: {${mediaFilter(dice, nesting)}}`);
  if (isFiltered && kind === 'tags') parts.push(`filter: {search: "${dice.pick(WORDS)}"}`);
  if (isFiltered && kind === 'jobs') parts.push(`filter: {${jobFilter(dice, nesting)}}`);
  if (dice.is(0.5) && (kind === 'medias' || kind === 'jobs'))
    parts.push(`orderBy: {field: ${dice.pick(orders(kind))}, direction: ${dice.pick(DIRECTIONS)}}`);
  const count = dice.is(0.2) ? 'totalCount' : '';
  const inner = node(dice, kind, nesting);
  const shape = dice.is(0.2) ? `edges { cursor node { ${inner} } }` : `nodes { ${inner} }`;
  return `${kind}(${parts.join(', ')}) { ${count} ${shape} pageInfo { hasNextPage endCursor } }`;
}

const DIRECTIONS = ['ASC', 'DESC'];

function orders(kind: string): readonly string[] {
  const own = kind === 'jobs' ? ['SCHEDULED_AT', 'PRIORITY'] : ['NAME', 'SORT_ORDER'];
  return ['CREATED_AT', 'UPDATED_AT', ...own];
}

function mediaFilter(dice: Dice, { places }: Nesting): string {
  const words = () => Array.from({ length: 1 + dice.count(5) }, () => dice.pick(WORDS)).join(' ');
  const criteria: Record<string, () => string> = {
    search: () => `"${words()}"`,
    tagIds: () => `["${places.tagId}"]`,
    types: () => dice.pick(['[VIDEO]', '[IMAGE]', '[VIDEO, DOCUMENT]', '[IMAGE, DOCUMENT, AUDIO]']),
    mimeTypes: () => `["${dice.pick(MIME_TYPES)}"]`,
    ownedBy: () => `"user-${dice.count(100)}"`,
    underFolderId: () => `"${places.folderId}"`,
    folderId: () => `"${places.folderId}"`,
    createdAt: () => `{from: "2025-0${1 + dice.count(8)}-01T00:00:00Z"}`,
  };
  const used = Array.from({ length: 1 + dice.count(3) }, () => dice.pick(Object.keys(criteria)));
  return [...new Set(used)].map((name) => `${name}: ${criteria[name]!()}`).join(', ');
}

function jobFilter(dice: Dice, { places }: Nesting): string {
  return dice.pick([
    'statuses: [COMPLETED]',
    'statuses: [PENDING, CANCELLED]',
    'jobClasses: ["class-3"]',
    `mediaId: "${places.mediaId}"`,
    'statuses: [ERRORED], jobClasses: ["class-1"]',
  ]);
}

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  medias: [
    'id uuid databaseId name title description keywords type level isPublic owner createdAt updatedAt url',
    'file { id uuid url filename mimeType sizeBytes width height createdAt }',
    'files { id uuid url filename mimeType sizeBytes }',
    'tags { id name description color createdAt }',
    'ancestors { id name createdAt hasChildren }',
    'folder { id name parent { id name } }',
    'thumbnail { url }',
    'embed { __typename } oembed { __typename } choiceImages',
    'image { __typename }',
  ],
  jobs: ['id uuid jobClass phase status arguments result createdAt', 'attempts { number error }'],
  tags: ['id databaseId name description color createdAt'],
  rootFolders: ['id uuid name createdAt hasChildren', 'ancestors { id name }', 'parent { name }'],
};

function node(dice: Dice, kind: string, { levels, ...nesting }: Nesting): string {
  const all = FIELDS[kind === 'folders' ? 'rootFolders' : kind]!;
  const chosen = all.filter((_, index) => dice.is(index === 0 ? 0.9 : 0.4));
  const inner = levels > 0 && dice.is(0.6) ? nestedList(dice, kind) : null;
  const size = Math.floor(dice.pick([0, 1, 5, 20, 200]) * nesting.share);
  if (inner !== null) {
    const below = node(dice, inner, { levels: levels - 1, ...nesting });
    const count = dice.is(0.1) ? 'totalCount' : '';
    chosen.push(`${inner}(first: ${size}) { ${count} nodes { ${below} } }`);
  }
  return chosen.join(' ') || 'id';
}

function nestedList(dice: Dice, kind: string): string | null {
  if (kind === 'tags') return 'medias';
  if (kind === 'medias') return 'jobs';
  return kind === 'jobs' ? null : dice.pick(['folders', 'medias']);
}

/** Documents that are large to parse, validate and price, and select little. */
function documents(dice: Dice, share: number): WorstRequest {
  const leaves = ['id', 'name', 'createdAt', 'type', 'uuid', '__typename'];
  const leaf = () => dice.pick(leaves);
  const repeated = (tokens: number) =>
    Array.from({ length: Math.floor(tokens * share) }, leaf).join(' ');
  const size = dice.pick([0, 1, 10, 200]);
  const fragments = 1 + dice.count(60);
  const each = Math.floor(1700 / fragments / dice.pick([1, 1, 2, 4]));
  const same = dice.pick([
    (inner: string) => `... on Media { ${inner} }`,
    (inner: string) => `file { id } ${inner}`,
    (inner: string) => inner,
    (inner: string) => `folder { ${inner.replaceAll(/\btype\b/g, 'level')} }`,
  ]);
  const isSpread = dice.is(0.5);
  const body = Array.from({ length: fragments }, (_, index) =>
    isSpread ? `...f${index}` : same(repeated(each)),
  ).join(' ');
  const definitions = Array.from({ length: isSpread ? fragments : 0 }, (_, index) => {
    const next = dice.is(0.5) && index + 1 < fragments ? `...f${index + 1}` : '';
    return `fragment f${index} on Media { ${same(repeated(Math.max(1, each - 12)))} ${next} }`;
  });
  const query = `{ medias(first: ${size}) { nodes { ${body} } } } ${definitions.join(' ')}`;
  return { path: '/graphql', query };
}

const MEDIA_SORTS =
  'id resource key filename size mime_type created_by created_role public created_at updated_at project_id checksum';
const JOB_SORTS =
  'id job_class priority status progress retry_count error unicity scheduled_at created_at updated_at';
const MEDIA_CONDITIONS = [
  'mime_type=image/jpeg',
  'mime_type__neq=image/jpeg',
  'filename__contains=ba',
  'filename__suffix=.png',
  'filename__prefix=b',
  'size__gte=100',
  'created_by=user-7',
  'created_role__neq=admin',
  'public=true',
  'created_at__gte=2025-02-01',
  'updated_at__lt=2025-12-02',
  'project_id__exists=false',
  'checksum__contains=00',
  'key=thumbnail',
  'key__neq=thumbnail',
  'resource__match=1',
];
const JOB_CONDITIONS = [
  'status=completed',
  'status__neq=completed',
  'job_class__contains=3',
  'error__match=fail',
  'error__exists=false',
  'retry_count__gte=1',
  'created_at__gte=2025-01-02',
  'priority__in=1,2',
];

function importer(dice: Dice): WorstRequest {
  const isMedia = dice.is(0.7);
  const sorts = (isMedia ? MEDIA_SORTS : JOB_SORTS).split(' ');
  const conditions = isMedia ? MEDIA_CONDITIONS : JOB_CONDITIONS;
  const used = Array.from({ length: dice.count(6) }, () => dice.pick(conditions));
  const filters = [...new Set(used)].map((text) => `filter[${text.replace('=', ']=')}`);
  const sort = Array.from({ length: dice.count(4) }, () => dice.pick(['', '-']) + dice.pick(sorts));
  const query = [
    `page[size]=${dice.pick([1, 50, 1000, 1000])}`,
    `page[number]=${dice.pick([1, 1, 20, 90, 2000, 90_000])}`,
    ...(dice.is(0.5) ? ['count=true'] : []),
    ...(sort.length > 0 ? [`sort=${sort.join(',')}`] : []),
    ...filters,
  ];
  return { path: `/api/v1/media/${isMedia ? 'medias' : 'jobs'}?${query.join('&')}` };
}

function selfCommunity(dice: Dice): WorstRequest {
  const search = Array.from({ length: dice.count(10) }, () => dice.pick(WORDS)).join('%20');
  const query = [
    `limit=${dice.pick([1, 10, 1000, 1000])}`,
    `offset=${dice.pick([0, 0, 100, 100_000])}`,
    ...(search === '' ? [] : [`search=${search}`]),
    ...(dice.is(0.3) ? [`ordering=${dice.pick(['name', '-name', 'created_at', '-id'])}`] : []),
    ...(dice.is(0.3) ? ['active=true'] : []),
  ];
  const path = dice.pick(['tag/', 'tag/search/', 'tag/user/search/']);
  return { path: `/api/v2/${path}?${query.join('&')}` };
}

function heartcore(dice: Dice, { folderUuid }: Places): WorstRequest {
  if (dice.is(0.3)) return { path: '/media' };
  const page = dice.pick([1, 2, 10, 40, 90, 9000]);
  const size = dice.pick([10, 100, 1000, 1000]);
  return { path: `/media/${folderUuid}/children?page=${page}&pageSize=${size}` };
}
