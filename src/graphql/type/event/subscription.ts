import { watchJobs } from '../../../domain/job/watch.ts';
import { type MediaChange, watchMedias } from '../../../domain/tree/watch.ts';
import { watchUpload } from '../../../domain/upload/watch.ts';
import { builder } from '../../builder.ts';
import { parseOptionalNodeId } from '../../id.ts';
import { JobRef } from '../job/job.ts';
import { jobFilterArg, toJobFilter } from '../job/job-filter.ts';
import { MediaRef } from '../tree/media.ts';
import { UploadSessionRef } from '../upload/upload-session.ts';

builder.subscriptionType({
  description:
    'What can be listened to, as server-sent events: `accept: text/event-stream`. What happens while nobody listens is not sent later; several changes of one thing may come as one. A stream that ends without `complete` was cut, at the latest after an hour: subscribe anew, and read what may have been missed.',
});

builder.subscriptionField('uploadProgress', (t) =>
  t.field({
    type: UploadSessionRef,
    description:
      'Where an upload of the viewer’s own stands: at once, then after each chunk; completes when the upload is completed or aborted. `NOT_FOUND` for any other.',
    args: {
      uploadId: t.arg.string({ required: true, description: 'Of the first chunk’s answer.' }),
    },
    subscribe: (_root, { uploadId }, { domain, signal }) => watchUpload(domain, uploadId, signal()),
    resolve: (session) => session,
  }),
);

builder.subscriptionField('jobChanged', (t) =>
  t.field({
    type: JobRef,
    description: 'Jobs that are new or have changed. Needs a credential: else `NOT_AUTHENTICATED`.',
    args: {
      id: t.arg.id({ description: 'Only this job.' }),
      filter: jobFilterArg.filter,
    },
    subscribe: (_root, { id, filter }, { domain, signal }) => {
      const jobId = parseOptionalNodeId('Job', id, 'id');
      return watchJobs(domain, { id: jobId, filter: toJobFilter(filter) }, signal());
    },
    resolve: (job) => job,
  }),
);

const MediaChangeKind = builder.enumType('MediaChangeKind', {
  description: 'What has become of a media.',
  values: {
    CREATED: { value: 'created', description: 'It is new.' },
    UPDATED: { value: 'updated', description: 'Something about it, or its tags, changed.' },
    DELETED: { value: 'deleted', description: 'It is gone, or out of the viewer’s sight.' },
    MOVED: { value: 'moved', description: 'It is in another folder, or another place in it.' },
  } as const,
});

const MediaChangeRef = builder.objectRef<MediaChange>('MediaChange').implement({
  description: 'A media that has changed.',
  fields: (t) => ({
    kind: t.expose('kind', { type: MediaChangeKind, description: 'What has become of it.' }),
    id: t.globalID({
      description: 'Global id of the media.',
      resolve: ({ id }) => ({ type: 'Media', id }),
    }),
    media: t.field({
      type: MediaRef,
      nullable: true,
      description: 'As it is by now; null: it is gone.',
      resolve: ({ media }) => media,
    }),
  }),
});

builder.subscriptionField('mediaChanged', (t) =>
  t.field({
    type: MediaChangeRef,
    description: 'What becomes of media that the viewer may see.',
    args: {
      folderId: t.arg.id({
        description: 'Only those directly in this folder, or moved out of it.',
      }),
    },
    subscribe: (_root, { folderId }, { domain, signal }) => {
      const id = parseOptionalNodeId('Folder', folderId, 'folderId');
      return watchMedias(domain, { folderId: id }, signal());
    },
    resolve: (change) => change,
  }),
);
