import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withDataDir, withServerProcess } from '../../support/process.ts';

/** Key of the admin of the servers of these tests. */
export const KEY = 'the-admin-key-of-the-test';

/** A server in its own process, and what its clients have sent to it. */
export interface AppServer {
  /** Of GraphQL. */
  url: string;
  /** Stops the server as an operator does. Resolves with its exit code. */
  stop: () => Promise<number | null>;
  /** Like `fetch`; notes each request. */
  fetch: typeof fetch;
  requests: { method: string; url: string; body: string; status: number }[];
  /** Creates a link with this title, which every subscriber to `mediaChanged` is told of. */
  createLink: (title: string) => Promise<void>;
}

/** Runs `work` with a server. `manifest`: the documents that it runs, as a file holds them. */
export function withAppServer<T>(
  work: (server: AppServer) => Promise<T>,
  { manifest }: { manifest?: object } = {},
): Promise<T> {
  return withDataDir(async (dataDir) => {
    const file = join(dataDir, 'manifest.json');
    if (manifest !== undefined) await writeFile(file, JSON.stringify(manifest));
    const variables = {
      TRIVIUM_DATA_DIR: dataDir,
      TRIVIUM_ADMIN_KEY: KEY,
      ...(manifest && { TRIVIUM_PERSISTED_ONLY: file }),
    };
    return withServerProcess(variables, ({ url, child, exit }) => {
      const stop = () => {
        child.kill('SIGTERM');
        return exit;
      };
      return work(createAppServer(`${url}/graphql`, stop));
    });
  });
}

function createAppServer(url: string, stop: AppServer['stop']): AppServer {
  const requests: AppServer['requests'] = [];
  return {
    url,
    stop,
    requests,
    async fetch(input, init) {
      const response = await fetch(input, init);
      const { method = 'GET', body } = init ?? {};
      requests.push({
        method,
        url: String(input),
        body: String(body ?? ''),
        status: response.status,
      });
      return response;
    },
    async createLink(title) {
      const query = `mutation { createMedia(input: { type: URL, url: "https://x.org", title: "${title}" }) { __typename } }`;
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${KEY}` };
      const response = await fetch(url, {
        method: 'POST',
        headers,
        body: JSON.stringify({ query }),
      });
      const { data } = (await response.json()) as { data: { createMedia: { __typename: string } } };
      if (data.createMedia.__typename !== 'CreateMediaSuccess')
        throw new Error('No link was created.');
    },
  };
}

/** Returns the SHA-256 of a text in hex digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Creates links until `isSeen` resolves: a client does not tell when the server has accepted its subscription. Events
 * before it are not stored.
 */
export async function createLinksUntil(
  server: Pick<AppServer, 'createLink'>,
  seen: Promise<unknown>,
): Promise<void> {
  let isSeen = false;
  const done = seen.finally(() => {
    isSeen = true;
  });
  while (!isSeen) {
    await server.createLink('A');
    await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 50))]);
  }
  await done;
}
