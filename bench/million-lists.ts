import { JOB_FIELDS } from '../src/domain/job/search.ts';
import { editorLists } from './million-editor.ts';
import { mediaFilters } from './million-filters.ts';
import { BIG_FOLDER_ID, BIG_TAG_ID } from './million-seed.ts';

/** A list operation of a dialect, as a client requests it. */
export interface ListOperation {
  dialect: 'GraphQL' | 'SelfCommunity' | 'Heartcore' | 'Importer';
  name: string;
  /** `deep`: page 10,000. `count`: counts the list. `all`: the answer itself grows with the data. */
  kind: 'first' | 'deep' | 'count' | 'all';
  path: string;
  /** Of a GraphQL operation. */
  query?: string;
  /** Sent without a credential: only public media are in the list. */
  isAnonymous?: boolean;
  /** Sent by an editor, who does not see the private media of others. Admins send the others. */
  isEditor?: boolean;
}

/** What the operations ask for, by the ids that GraphQL and Heartcore give. */
export interface Places {
  folderId: string;
  folderUuid: string;
  tagId: string;
  mediaId: string;
}

/** Page number of the Importer, and the size of each page. */
const DEEP_PAGE = 10_000;
const PAGE_SIZE = 50;

/** Returns the list operations of all dialects, with their filters and orders. */
export function listOperations(places: Places): ListOperation[] {
  const own = [...graphqlLists(places), ...heartcoreLists(places)];
  const all = [...own, ...selfCommunityLists(), ...importerLists()];
  return [...all, ...editorLists(all)];
}

const MEDIA_ORDERS = [
  ...['CREATED_AT', 'UPDATED_AT', 'NAME', 'SORT_ORDER'],
  ...['SIZE', 'TYPE', 'TITLE', 'TAKEN_AT'],
];

const JOB_ORDERS = ['CREATED_AT', 'UPDATED_AT', 'SCHEDULED_AT', 'PRIORITY'];

function graphqlLists({ folderId, tagId, mediaId }: Places): ListOperation[] {
  const filters = mediaFilters(folderId, tagId);
  const ordersOf = (filter: string) => [
    '',
    ...MEDIA_ORDERS.flatMap((field) => [`{field: ${field}}`, `{field: ${field}, direction: DESC}`]),
    ...(filter.includes('search') ? ['{field: RELEVANCE}'] : []),
  ];
  const medias = Object.entries(filters).flatMap(([name, filter]) => [
    ...ordersOf(filter).map((order) =>
      graphql(
        `medias ${name}${order && ` by ${order.replace(/[{}]|field: |direction: /g, '')}`}`,
        'first',
        `{ medias(first: 50, filter: {${filter}}${order && `, orderBy: ${order}`}) { nodes { id name } } }`,
      ),
    ),
    graphql(
      `medias ${name}: totalCount`,
      'count',
      `{ medias(first: 0, filter: {${filter}}) { totalCount } }`,
    ),
  ]);
  const tagMedias = graphql(
    'medias of the field of a tag',
    'first',
    `{ node(id: "${tagId}") { ... on Tag { medias(first: 50) { nodes { id } } } } }`,
  );
  const jobFilters: Record<string, string> = {
    all: '',
    'of a status': 'statuses: [ERRORED]',
    'of a common status': 'statuses: [COMPLETED]',
    'of two statuses': 'statuses: [PENDING, CANCELLED]',
    'of a class': 'jobClasses: ["class-3"]',
    'of an unknown class': 'jobClasses: ["none"]',
    'of a media item': `mediaId: "${mediaId}"`,
    'of an unknown unicity': 'unicity: "none"',
    'since a date': 'createdAt: {from: "2025-02-01T00:00:00Z"}',
  };
  const jobOrders = ['', ...JOB_ORDERS.map((field) => `{field: ${field}, direction: DESC}`)];
  const jobs = Object.entries(jobFilters).flatMap(([name, filter]) => [
    ...jobOrders.map((order) =>
      graphql(
        `jobs ${name}${order && ` by ${order.replace(/[{}]|field: |direction: /g, '')}`}`,
        'first',
        `{ jobs(first: 50, filter: {${filter}}${order && `, orderBy: ${order}`}) { nodes { id } } }`,
      ),
    ),
    graphql(
      `jobs ${name}: totalCount`,
      'count',
      `{ jobs(first: 0, filter: {${filter}}) { totalCount } }`,
    ),
  ]);
  return [
    ...medias,
    tagMedias,
    graphql('medias, anonymous', 'first', '{ medias(first: 50) { nodes { id } } }', true),
    graphql('medias, anonymous: totalCount', 'count', '{ medias(first: 0) { totalCount } }', true),
    graphql(
      'root folders with media',
      'first',
      '{ rootFolders(first: 20) { nodes { name folders(first: 20) { nodes { name } } medias(first: 5) { nodes { id } } } } }',
    ),
    graphql(
      'tags with counts',
      'first',
      '{ tags(first: 50) { nodes { name medias(first: 0) { totalCount } } } }',
    ),
    graphql('tags by name', 'first', '{ tags(first: 50, orderBy: NAME) { nodes { name } } }'),
    graphql(
      'tags with media',
      'first',
      '{ tags(first: 50) { nodes { name medias(first: 5) { nodes { id } } } } }',
    ),
    ...jobs,
  ];
}

function graphql(
  name: string,
  kind: ListOperation['kind'],
  query: string,
  isAnonymous = false,
): ListOperation {
  return { dialect: 'GraphQL', name, kind, path: '/graphql', query, isAnonymous };
}

function selfCommunityLists(): ListOperation[] {
  const paths = [
    '',
    '?ordering=name',
    '?ordering=-created_at',
    '?search=ba',
    '?active=true',
    '?visible=true',
  ];
  return [
    ...paths.map((query) => `tag/${query}`),
    'tag/search/?search=tag',
    'tag/user/search/?search=ba',
  ].map((path) => ({
    dialect: 'SelfCommunity',
    name: path,
    kind: 'first',
    path: `/api/v2/${path}`,
  }));
}

function heartcoreLists({ folderUuid }: Places): ListOperation[] {
  const children = (page: number) => `/media/${folderUuid}/children?page=${page}&pageSize=10`;
  return [
    { dialect: 'Heartcore', name: 'root', kind: 'all', path: '/media' },
    { dialect: 'Heartcore', name: 'children of the folder', kind: 'first', path: children(1) },
    {
      dialect: 'Heartcore',
      name: 'children of the folder, page 9,000',
      kind: 'deep',
      path: children(9000),
    },
  ];
}

const MEDIA_SORTS = [
  'id',
  'resource',
  'key',
  'filename',
  'size',
  'mime_type',
  'created_by',
  'created_role',
  'public',
  'created_at',
  'updated_at',
  'project_id',
  'checksum',
];
const MEDIA_FILTERS: Record<string, string> = {
  'an unknown MIME type': 'mime_type=image/none',
  'a rare MIME type': 'mime_type=image/bmp',
  'a MIME type': 'mime_type=image/jpeg',
  'two MIME types': 'mime_type__in=image/bmp,image/webp',
  'a resource': 'resource=resource-10',
  'an unknown filename': 'filename=none',
  'a size': 'size=4711',
  'sizes from': 'size__gte=4900000',
  'an owner': 'created_by=user-7',
  'an unknown owner': 'created_by=none',
  'a role': 'created_role=admin',
  'an unknown role': 'created_role=none',
  public: 'public=true',
  'created since': 'created_at__gte=2025-12-01',
  'changed before': 'updated_at__lt=2025-01-02',
  'a project': 'project_id=project-3',
  'no project': 'project_id__exists=false',
  'an unknown checksum': 'checksum=none',
  'a key': 'key=thumbnail',
  'an unknown key': 'key=none',
};
const JOB_SORTS = Object.keys(JOB_FIELDS).map((field) => (field === 'uuid' ? 'id' : field));
const JOB_FILTERS: Record<string, string> = {
  'a status': 'status=errored',
  'a common status': 'status=completed',
  'an unknown status': 'status=none',
  'a class': 'job_class=class-3',
  'an unknown class': 'job_class=none',
  'an error': 'error=none',
  'a priority': 'priority=9',
  retries: 'retry_count__gte=9',
  'created since': 'created_at__gte=2025-12-01',
  'scheduled since': 'scheduled_at__gte=2100-01-01',
  'changed before': 'updated_at__lt=2025-01-02',
};

function importerLists(): ListOperation[] {
  return [
    ...importerList('medias', MEDIA_SORTS, MEDIA_FILTERS, ['', 'id', '-created_at', 'size']),
    ...importerList('jobs', JOB_SORTS, JOB_FILTERS, ['', '-created_at', '-priority']),
  ];
}

function importerList(
  noun: string,
  sorts: readonly string[],
  filters: Readonly<Record<string, string>>,
  sortsOfFilters: readonly string[],
): ListOperation[] {
  const operation = (name: string, kind: ListOperation['kind'], query: string): ListOperation => ({
    dialect: 'Importer',
    name: `${noun} ${name}`,
    kind,
    path: `/api/v1/media/${noun}?page[size]=${PAGE_SIZE}&${query}`,
  });
  const deep = noun === 'medias' ? `page[number]=${DEEP_PAGE}&` : `page[number]=${DEEP_PAGE / 5}&`;
  return [
    operation('all', 'first', ''),
    ...sorts.flatMap((sort) => [
      operation(`by ${sort}`, 'first', `sort=${sort}`),
      operation(`by -${sort}`, 'first', `sort=-${sort}`),
      operation(`by ${sort}, page 10,000`, 'deep', `${deep}sort=${sort}`),
    ]),
    operation('all: count', 'count', 'page[size]=1&count=true'),
    ...Object.entries(filters).flatMap(([name, filter]) => [
      ...sortsOfFilters.map((sort) =>
        operation(
          `of ${name}${sort && ` by ${sort}`}`,
          'first',
          `filter[${filter.replace('=', ']=')}${sort && `&sort=${sort}`}`,
        ),
      ),
      operation(
        `of ${name}: count`,
        'count',
        `page[size]=1&count=true&filter[${filter.replace('=', ']=')}`,
      ),
    ]),
  ];
}

/** The ids of the folder and the tag that hold many media. */
export const BIG_IDS = { folder: BIG_FOLDER_ID, tag: BIG_TAG_ID };
