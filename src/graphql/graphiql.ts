import type { GraphiQLOptions } from 'graphql-yoga';

/**
 * What the page may load: itself and nothing else. Its scripts, styles, fonts and workers are in the page,
 * and its editor compiles code; pictures that a query answers may be of anywhere.
 */
export const GRAPHIQL_POLICY = [
  "default-src 'none'",
  "script-src 'unsafe-inline' 'unsafe-eval' blob:",
  "style-src 'unsafe-inline'",
  'font-src data:',
  'img-src data: http: https:',
  'worker-src blob:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The page at `/graphql`: a tab for each thing that one can try at once. */
export const GRAPHIQL_OPTIONS: GraphiQLOptions = {
  title: 'Trivium',
  defaultTabs: [
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
  ],
};
