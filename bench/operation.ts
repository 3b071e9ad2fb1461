/** One GraphQL operation that is measured, and the same work as a path of the limit server. */
export interface Operation {
  /** R1 to R3, or W1. */
  name: string;
  title: string;
  query: string;
  /** Variables of the requests, sent one after the other, over and over. */
  variables: () => Iterable<Record<string, unknown>>;
  /** Path and query of the limit server's answer to the same variables. */
  limitPath: (variables: Record<string, unknown>) => string;
}

/** Folders of level 3 that hold 60 media each. */
export interface DataSet {
  bigFolderIds: readonly number[];
  /** Media three folders deep. */
  deepMediaIds: readonly number[];
}

/** The three reads, word for word. */
export function readOperations({ bigFolderIds, deepMediaIds }: DataSet): Operation[] {
  return [
    {
      name: 'R1',
      title: '50 media of a folder with folder and tags',
      query: `query R1($f: FolderBy!) { folder(by: $f) { medias(first: 50, orderBy: {field: CREATED_AT, direction: DESC}) {
  nodes { databaseId name file { mimeType url width height } createdAt folder { name } tags { name } } } } }`,
      variables: () => bigFolderIds.map((databaseId) => ({ f: { databaseId } })),
      limitPath: ({ f }) => `/r1?id=${(f as { databaseId: number }).databaseId}`,
    },
    {
      name: 'R2',
      title: 'one media item with folder path and tags',
      query: `query R2($i: Int!) { media(by: {databaseId: $i}) { databaseId name file { mimeType url width height } createdAt ancestors { name } tags { name } } }`,
      variables: () => deepMediaIds.map((i) => ({ i })),
      limitPath: ({ i }) => `/r2?id=${i}`,
    },
    {
      name: 'R3',
      title: '20 folders × 20 folders × 5 media',
      query: `query R3 { rootFolders(first: 20) { nodes { name folders(first: 20) { nodes { name medias(first: 5) { nodes { databaseId } } } } } } }`,
      variables: () => [{}],
      limitPath: () => '/r3',
    },
  ];
}

/** Creates a tag; each request names another. */
export const WRITE_OPERATION: Operation = {
  name: 'W1',
  title: 'create a tag, synchronous=FULL',
  query: `mutation W1($n: String!) { createTag(input: {name: $n}) { ... on CreateTagSuccess { tag { databaseId name } } ... on Error { code message } } }`,
  variables: newNames,
  limitPath: ({ n }) => `/w1?name=${encodeURIComponent(String(n))}`,
};

function* newNames(): Generator<{ n: string }> {
  for (let index = 0; ; index++) yield { n: `tag ${process.pid} ${Date.now()} ${index}` };
}
