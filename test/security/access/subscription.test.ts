import { expect, it } from 'vitest';
import { mediaEvent } from '../../../src/domain/event/event.ts';
import { createMedia } from '../../../src/domain/tree/link.ts';
import { insertJob } from '../../../src/store/job/job.ts';
import { withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { toJobRow } from '../../support/job-row.ts';
import { WITH_USERS } from '../../support/request.ts';
import { type EventStream, openStream } from '../../support/sse.ts';
import { type Facts, MODES, sees, VIEWER_NAMES, VIEWERS, VISIBILITIES } from './expectation.ts';
import { asUser, globalId, makeWorld, newSession, type World } from './world.ts';

/** Creates a media item with a job that `outside` sees. Returns their global ids. */
async function makeOther({ app, other }: World) {
  const embed = { type: 'embed', embedType: 'a', embedId: 'b', visibility: 'public' } as const;
  const { id } = await createMedia(asUser(app), { ...embed, folderId: other.id });
  const job = toJobRow(Date.now(), { status: 'paused', media_id: id });
  const jobId = (await insertJob(app.services.db, job)).id;
  return { id, jobId, globalId: globalId('Media', id), job: { globalId: globalId('Job', jobId) } };
}

/** Publishes a change of each item and of its job, the one that everybody else sees last. */
async function publishAll(
  { app: { services }, items }: World,
  other: { id: number; jobId: number },
) {
  const jobIds = VISIBILITIES.map((name) => Buffer.from(items[name].job.globalId, 'base64url'));
  const changed = ['PRIVATE', 'UNLISTED', 'PUBLIC'] as const;
  const ids = [...changed.map((name) => items[name].id), other.id];
  for (const id of ids) {
    const found = services.db.selectFrom('media').where('id', '=', id).selectAll();
    services.events.publish(mediaEvent('updated', await found.executeTakeFirstOrThrow()));
  }
  const numbers = jobIds.map((text) => Number(text.toString().split(':')[1])).reverse();
  for (const id of [...numbers, other.jobId]) services.events.publish({ type: 'job', id });
}

/** Returns the ids of a stream's events up to one that the viewer sees for certain. */
async function idsUpTo(stream: EventStream, field: string, last: string): Promise<string[]> {
  const ids: string[] = [];
  while (ids.at(-1) !== last) ids.push((await stream.next())?.data[field].id);
  return ids;
}

const QUERIES = {
  mediaChanged: 'subscription { mediaChanged { id } }',
  jobChanged: 'subscription { jobChanged { id } }',
};

describeEachBackend('the access matrix of subscriptions', (backend) => {
  it.each(MODES)('has no hole (%s)', (mode) =>
    withApp(
      backend,
      async (app) => {
        const world = await makeWorld(app, mode);
        const other = await makeOther(world);
        const open = (viewer: keyof typeof VIEWERS, query: string) =>
          openStream(app, query, world.headers[viewer]);
        const streams: [string, Facts['viewer'], EventStream][] = [];
        for (const viewer of VIEWER_NAMES) {
          for (const [field, query] of Object.entries(QUERIES)) {
            streams.push([field, viewer, await open(viewer, query)]);
          }
        }
        await publishAll(world, other);
        for (const [field, viewer, stream] of streams) {
          const where = `${field} by ${viewer}`;
          const role = VIEWERS[viewer];
          if (role === 'refused') expect([where, stream.response.status]).toEqual([where, 401]);
          else if (role === null && field === 'jobChanged') {
            const code = (await stream.next())?.errors?.[0]?.extensions?.code;
            expect([where, code]).toEqual([where, 'NOT_AUTHENTICATED']);
          } else {
            const idOf = (thing: typeof other) =>
              (field === 'jobChanged' ? thing.job : thing).globalId;
            const shown = VISIBILITIES.filter((visibility) => sees({ viewer, mode, visibility }))
              .map((visibility) => idOf(world.items[visibility] as unknown as typeof other))
              .reverse();
            const expected = viewer === 'outside' ? [idOf(other)] : shown;
            const ids = await idsUpTo(stream, field, expected.at(-1)!);
            expect([where, ids]).toEqual([where, expected]);
          }
          stream.close();
        }
        const uploadId = await newSession(world, 10_000);
        for (const viewer of VIEWER_NAMES.filter((name) => VIEWERS[name] !== 'refused')) {
          const query = `subscription { uploadProgress(uploadId: "${uploadId}") { uploadId } }`;
          const stream = await open(viewer, query);
          const first = await stream.next();
          const code = first?.errors?.[0]?.extensions?.code ?? 'ok';
          expect([viewer, code]).toEqual([viewer, viewer === 'owner' ? 'ok' : 'NOT_FOUND']);
          stream.close();
        }
      },
      { ...WITH_USERS, TRIVIUM_AUTH: mode },
    ),
  );
});
