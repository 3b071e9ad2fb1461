import { encodeGlobalId } from './id.ts';

/** An operation on the page at `/graphql` that runs without changes. */
interface Example {
  query: string;
  /** JSON. */
  variables?: string;
}

/** One example for each thing that the API can do, except uploads: the page cannot send files. The README shows how. */
export const EXAMPLES: Example[] = [
  {
    query: `# Lists the newest media, with their file, image, folder and tags.
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
    query: `# Returns a media item by its numeric id.
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
    query: `# Lists the top level of the tree, and the children of each folder.
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
    query: `# Searches names, texts and tags for words, filters by type and orders by name.
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
    query: `# Creates a media item that links to a web page.
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
    query: `# Imports a file from a URL, in a background job. Requires a credential in the headers below.
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
    query: `# Creates a folder. Requires a credential in the headers below:
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
    query: `# Returns the viewer. To identify yourself, send a credential in the headers below:
# { "authorization": "Bearer <token or key>" }
query Viewer {
  viewer { kind id role }
}
`,
  },
  {
    query: `# Creates an API key, which is shown once. Requires a credential in the headers below:
# { "authorization": "Bearer <the key in data/admin.key>" }
mutation CreateApiKey {
  createApiKey(input: { name: "Website", role: EDITOR }) {
    __typename
    ... on CreateApiKeySuccess { key apiKey { id name role expiresAt } }
    ... on Error { code message }
  }
}
`,
  },
  {
    query: `# Creates a tag. Errors are members of the result union.
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
    query: `# Returns the progress of a chunked upload. Set uploadId in the variables.
query UploadSession($uploadId: String!) {
  uploadSession(uploadId: $uploadId) { filename offset sizeBytes expiresAt }
}
`,
    variables: '{ "uploadId": "" }',
  },
  {
    query: `# Changes a media item. Omitted fields stay unchanged, null clears a field.
# Requires a credential in the headers below:
# { "authorization": "Bearer <the key in data/admin.key>" }
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
    query: `# Tags several media: all or none. Requires a credential in the headers below.
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
    query: `# Moves folders and media: without parentId, to the top level. Requires a credential in the headers below.
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
    query: `# Deletes a media item with its files. Requires a credential in the headers below.
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
    query: `# Lists background jobs and their runs. Requires a credential in the headers below.
query Jobs {
  jobs(first: 10, filter: { statuses: [PENDING, RUNNING, COMPLETED, ERRORED] }) {
    totalCount
    nodes { id jobClass status progress error allowedSignals attempts { number worker error } }
  }
}
`,
  },
  {
    query: `# Sends a signal to a job. Requires a credential in the headers below.
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
    query: `# Reports changes to media as they happen. To see one, run CreateLink in another window.
subscription MediaChanged {
  mediaChanged { kind id media { name url } }
}
`,
  },
];

function variables(values: object): string {
  return JSON.stringify(values, null, 2);
}
