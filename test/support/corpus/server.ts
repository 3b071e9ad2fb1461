import { importUrl } from '../../../src/job/task/upload/import-url.ts';
import { withApp } from '../app.ts';
import type { Backend } from '../backend.ts';
import { withSite } from '../site.ts';
import { withWorker } from '../worker.ts';
import type { Server } from './door.ts';

/** Runs `work` with a server that imports from a web site of its own. */
export function withServer(
  backend: Backend,
  work: (server: Server) => Promise<void>,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  const pages: Server['pages'] = new Map();
  return withSite(
    (request, response) => {
      const { bytes, declared } = pages.get(request.url ?? '')!;
      response.writeHead(200, declared ? { 'content-type': declared } : {}).end(bytes);
    },
    (site) => {
      const variables = { ...settings, TRIVIUM_OUTBOUND_ALLOWED_HOSTS: `127.0.0.1:${site.port}` };
      return withApp(
        backend,
        (app) => {
          const silent = () => undefined;
          const log = { info: silent, warn: silent, error: silent };
          const tasks = { 'import-url': importUrl };
          return withWorker({ ...app.services, log }, tasks, () => work({ app, site, pages }));
        },
        variables,
      );
    },
  );
}
