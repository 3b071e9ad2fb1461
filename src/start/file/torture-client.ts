import { createHash } from 'node:crypto';

/** A media item of a server. */
export interface RemoteItem {
  id: string;
  url: string;
  md5: string;
}

/** Requests to a server whose answers may be missing. */
export type TortureClient = ReturnType<typeof createTortureClient>;

const ITEM = 'id url file { md5 }';

/** Aborts a request as a lost connection would. (Default: none) */
export interface RequestOptions {
  signal?: AbortSignal;
}

/** The status of a server without room. */
const FULL = 507;

/** Creates a client. Its methods return null for a refusal, and throw if it is unknown what the server has done. */
export function createTortureClient(url: string, key: string) {
  const headers = { authorization: `Bearer ${key}` };
  const ask = createAsk(`${url}/graphql`, headers);
  async function send(
    mutation: 'uploadFile' | 'replaceFile',
    input: object,
    file: File,
    options: RequestOptions,
  ) {
    const type = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}`;
    const query = `mutation ($input: ${type}Input!) { result: ${mutation}(input: $input) {
      ... on ${type}Success { media { ${ITEM} } } } }`;
    const form = new FormData();
    form.set('operations', JSON.stringify({ query, variables: { input } }));
    form.set('map', '{"0":["variables.input.file"]}');
    form.set('0', file);
    const data = (await ask(form, options)) as { result: { media?: Answered } } | null;
    return data?.result.media === undefined ? null : toItem(data.result.media);
  }
  return {
    upload: (file: File, options: RequestOptions = {}) => send('uploadFile', {}, file, options),
    replace: (id: string, file: File, options: RequestOptions = {}) =>
      send('replaceFile', { id }, file, options),
    async delete(id: string): Promise<boolean> {
      const query = `mutation ($id: ID!) { result: deleteMedia(input: { id: $id }) {
        ... on DeleteMediaSuccess { deletedId } } }`;
      const data = (await ask(JSON.stringify({ query, variables: { id } }))) as {
        result: { deletedId?: string };
      } | null;
      return data?.result.deletedId !== undefined;
    },
    /** Returns the MD5 of the bytes at a URL; null if there is nothing. */
    async read(at: string): Promise<string | null> {
      const response = await fetch(new URL(new URL(at).pathname, url), { headers });
      if (response.status === 404) return null;
      if (!response.ok || response.body === null) throw new Error(`Status ${response.status}`);
      const md5 = createHash('md5');
      for await (const piece of response.body) md5.update(piece);
      return md5.digest('hex');
    },
    async *list(): AsyncGenerator<RemoteItem> {
      const query = `query ($after: String) { medias(first: 200, after: $after) {
        nodes { ${ITEM} } pageInfo { hasNextPage endCursor } } }`;
      for (let after: string | null = null, isLast = false; !isLast; ) {
        const data: { medias?: Page } | null = await ask(
          JSON.stringify({ query, variables: { after } }),
        );
        const medias = data?.medias;
        if (medias === undefined) throw new Error('The server lists nothing.');
        yield* medias.nodes.map(toItem);
        after = medias.pageInfo.endCursor;
        isLast = !medias.pageInfo.hasNextPage;
      }
    },
  };
}

/** Creates the function that sends a GraphQL request. It returns null if the server has no room. */
function createAsk(endpoint: string, credential: Readonly<Record<string, string>>) {
  return async (body: FormData | string, { signal }: RequestOptions = {}) => {
    const type = typeof body === 'string' ? { 'content-type': 'application/json' } : {};
    const headers = { ...credential, ...type, 'x-graphql-yoga-csrf': '1' };
    const response = await fetch(endpoint, {
      method: 'POST',
      headers,
      body,
      ...(signal && { signal }),
    });
    const answer = (await response.json()) as { data?: Record<string, unknown> | null };
    if (response.status === FULL) return null;
    if (!answer.data) throw new Error(`The server answered ${response.status}.`);
    return answer.data;
  };
}

interface Answered {
  id: string;
  url: string;
  file: { md5: string };
}

interface Page {
  nodes: Answered[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

function toItem({ id, url, file }: Answered): RemoteItem {
  return { id, url, md5: file.md5 };
}
