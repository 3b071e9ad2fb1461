import { filesByMediaIds, originalAmong } from '../../../../src/domain/file/file.ts';
import { findMedia } from '../../../../src/domain/tree/media.ts';
import { type ImportInput, importUrl } from '../../../../src/domain/upload/import.ts';
import { SYSTEM } from '../../../../src/domain/viewer/viewer.ts';
import { createImportUrl } from '../../../../src/job/task/upload/import-url.ts';
import { type TestServices, user } from '../../../support/app.ts';
import type { Answer, Site } from '../../../support/site.ts';
import { jobIn, withWorker } from '../../../support/worker.ts';

/** A text of 204,000 bytes: a site cannot send it in one piece. */
export const TEXT = Buffer.from(
  'Some text that is long enough to be sent in parts.\n'.repeat(4000),
);

/** The user who starts the imports. */
export const importer = user('alice');

/** The task, without a wait before it resumes a download. */
export const TASKS = { 'import-url': createImportUrl({ resumeDelayMs: 1 }) };

/** Runs a worker that imports a file of the site; returns the job and its media item. */
export async function importFrom(
  services: TestServices,
  site: Site,
  path: string,
  input: Partial<ImportInput> = {},
) {
  const { id } = await importUrl(services.as(importer), { url: site.url + path, ...input });
  const job = await work(services, site, () => jobIn(services, id, 'completed'));
  const media = await findMedia(services.as(importer), { resource: job.uuid });
  if (media === null) throw new Error('The media item does not exist.');
  return { job, media };
}

/** Runs a worker that imports from the site, until `wait` has resolved. */
export function work<T>(
  services: TestServices,
  site: Site,
  wait: () => Promise<T>,
  settings: Partial<TestServices['settings']> = {},
): Promise<T> {
  return withWorker(allowing(services, site, settings), TASKS, wait);
}

/** Returns the services with settings that let imports fetch from the site. */
export function allowing(
  services: TestServices,
  { port }: Site,
  settings: Partial<TestServices['settings']> = {},
): TestServices {
  const outboundAllowedHosts = [`127.0.0.1:${port}`];
  return { ...services, settings: { ...services.settings, ...settings, outboundAllowedHosts } };
}

/** Creates the response of a site that sends these bytes. */
export function send(bytes: Buffer, headers: Record<string, string> = {}): Answer {
  return (_request, response) => void response.writeHead(200, headers).end(bytes);
}

/** Reads the original of a media item: its file and its bytes. */
export async function readOriginal(services: TestServices, mediaId: number) {
  const ctx = services.as(SYSTEM);
  const file = originalAmong((await filesByMediaIds(ctx, [mediaId])).get(mediaId));
  const row = await services.db.selectFrom('file').where('id', '=', file!.id).selectAll().execute();
  const bytes = Buffer.concat(await Array.fromAsync(await services.blobs.read(row[0]!.blob_key)));
  return { file, bytes };
}
