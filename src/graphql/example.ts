import { encodeGlobalId } from './id.ts';

/** An operation of the page at `/graphql`, which can be run as it stands. */
interface Example {
  query: string;
  /** JSON. */
  variables?: string;
}

/** One for each thing that one can do; a file takes a request that the page cannot make, as the README has it. */
export const EXAMPLES: Example[] = [
  {
    query: `# The newest media, with what belongs to them.
query NewestMedia {
  medias(first: 10) {
    totalCount
    nodes {
      databaseId
      name
      type
      file { filename mimeType sizeBytes md5 }
      image { url width height }
      folder { name }
      tags { name color }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`,
  },
  {
    query: `# One media, by the number that older APIs know it by.
query OneMedia($databaseId: Int!) {
  media(by: { databaseId: $databaseId }) {
    id
    uuid
    name
    url
    files { key filename sizeBytes url }
    ancestors { name }
  }
}
`,
    variables: '{ "databaseId": 2 }',
  },
  {
    query: `# The tree: what lies at top level, and what in that.
query Tree {
  rootChildren(first: 20) {
    nodes {
      __typename
      name
      ... on Folder {
        id
        children(first: 20) { totalCount nodes { __typename name sortOrder } }
      }
    }
  }
}
`,
  },
  {
    query: `# Search, filter, order: words in names, texts and tags.
query Search($words: String!) {
  medias(filter: { search: $words, types: [IMAGE, DOCUMENT] }, orderBy: { field: NAME }) {
    totalCount
    nodes { name type tags { name } }
  }
}
`,
    variables: '{ "words": "holi" }',
  },
  {
    query: `# A link is a media too.
mutation CreateLink {
  createMedia(input: { type: URL, url: "https://example.com/", title: "An example" }) {
    __typename
    ... on CreateMediaSuccess { media { id name url } }
    ... on InvalidInputError { issues { path message } }
    ... on Error { code message }
  }
}
`,
  },
  {
    query: `# A file that is elsewhere: a job fetches it. Needs a credential in the headers below.
mutation ImportUrl {
  importUrl(input: { url: "https://www.w3.org/Icons/w3c_home.png" }) {
    __typename
    ... on ImportUrlSuccess { job { id status progress result } }
    ... on InvalidInputError { issues { path message } }
    ... on Error { code message }
  }
}
`,
  },
  {
    query: `# A folder. Needs a credential in the headers below:
# { "authorization": "Bearer <the key in data/admin.key>" }
mutation CreateFolder {
  createFolder(input: { name: "Design" }) {
    __typename
    ... on CreateFolderSuccess { folder { id name } }
    ... on Error { code message }
  }
}
`,
  },
  {
    query: `# Who am I? Send a credential in the headers below:
# { "authorization": "Bearer <token or key>" }
query Viewer {
  viewer { kind id role }
}
`,
  },
  {
    query: `# A new tag. What can go wrong is a member of the result.
mutation CreateTag {
  createTag(input: { name: "holiday", color: "#ffcc00" }) {
    __typename
    ... on CreateTagSuccess { tag { id name color } }
    ... on InvalidInputError { issues { path message } }
    ... on Error { code message }
  }
}
`,
  },
  {
    query: `# Where a chunked upload stands.
query UploadSession($uploadId: String!) {
  uploadSession(uploadId: $uploadId) { filename offset sizeBytes expiresAt }
}
`,
    variables: '{ "uploadId": "" }',
  },
  {
    query: `# A media is changed: what is absent stays, null clears. Its creator or an admin may:
# { "authorization": "Bearer <the key in data/admin.key>" } in the headers below.
mutation UpdateMedia($id: ID!) {
  updateMedia(input: { id: $id, title: "A better title", keywords: "logo, blue", isPublic: true }) {
    __typename
    ... on UpdateMediaSuccess { media { id name title keywords isPublic } }
    ... on InvalidInputError { issues { path message } }
    ... on Error { code message }
  }
}
`,
    variables: variables({ id: encodeGlobalId('Media', 2) }),
  },
  {
    query: `# Tags for many media at once: all or nothing. Needs a credential in the headers below.
mutation TagMedia($mediaIds: [ID!]!, $addTagIds: [ID!]) {
  tagMedia(input: { mediaIds: $mediaIds, addTagIds: $addTagIds }) {
    __typename
    ... on TagMediaSuccess { medias { name tags { name } } }
    ... on Error { code message }
  }
}
`,
    variables: variables({
      mediaIds: [encodeGlobalId('Media', 2)],
      addTagIds: [encodeGlobalId('Tag', 1)],
    }),
  },
  {
    query: `# Folders and media move together; without parentId to top level. Needs a credential in the headers below.
mutation MoveNodes($ids: [ID!]!, $parentId: ID) {
  moveNodes(input: { ids: $ids, parentId: $parentId }) {
    __typename
    ... on MoveNodesSuccess { nodes { name level sortOrder parent { name } } }
    ... on Error { code message }
  }
}
`,
    variables: variables({ ids: [encodeGlobalId('Media', 2)], parentId: null }),
  },
  {
    query: `# A media goes, and its bytes follow. Needs a credential in the headers below.
mutation DeleteMedia($id: ID!) {
  deleteMedia(input: { id: $id }) {
    __typename
    ... on DeleteMediaSuccess { deletedId }
    ... on Error { code message }
  }
}
`,
    variables: variables({ id: encodeGlobalId('Media', 2) }),
  },
  {
    query: `# What the server does by itself, and what became of it. Needs a credential in the headers below.
query Jobs {
  jobs(first: 10, filter: { statuses: [PENDING, RUNNING, COMPLETED, ERRORED] }) {
    totalCount
    nodes { id jobClass status progress error allowedSignals attempts { number worker error } }
  }
}
`,
  },
  {
    query: `# A job is told something. Needs a credential in the headers below.
mutation SignalJob($id: ID!) {
  signalJob(input: { id: $id, signal: RUN_NOW }) {
    __typename
    ... on SignalJobSuccess { job { id status scheduledAt } }
    ... on ConflictError { jobStatus allowedSignals }
    ... on Error { code message }
  }
}
`,
    variables: variables({ id: encodeGlobalId('Job', 1) }),
  },
  {
    query: `# What becomes of media, as it happens: run CreateLink in another window.
subscription MediaChanged {
  mediaChanged { kind id media { name url } }
}
`,
  },
];

function variables(values: object): string {
  return JSON.stringify(values, null, 2);
}
