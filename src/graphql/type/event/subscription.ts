import type { ChangeKind, MediaPart } from '../../../domain/event/event.ts';
import { watchJobs } from '../../../domain/job/watch.ts';
import { type TagChange, watchTags } from '../../../domain/tag/watch.ts';
import {
  type FolderChange,
  type MediaChange,
  watchFolders,
  watchMedias,
} from '../../../domain/tree/watch.ts';
import { watchUpload } from '../../../domain/upload/session.ts';
import { builder } from '../../builder.ts';
import { enumOf } from '../../enum.ts';
import { parseOptionalNodeId } from '../../id.ts';
import { JobRef } from '../job/job.ts';
import { jobFilterArg, toJobFilter } from '../job/job-filter.ts';
import { TagRef } from '../tag/tag.ts';
import { FolderRef } from '../tree/folder.ts';
import { MediaRef } from '../tree/media.ts';
import { UploadSessionRef } from '../upload/upload-session.ts';

builder.subscriptionType({
  description:
    'Operations that notify the client of changes: as server-sent events (`accept: text/event-stream`), as multipart responses (`multipart/mixed;subscriptionSpec="1.0"`) and over WebSocket (`graphql-transport-ws`). Events are not stored: a client that is not connected misses them. Several changes to one object may arrive as one event. The server closes a stream after at most an hour, when it stops, within seconds after the credential has become invalid (with the error `NOT_AUTHENTICATED`), and when it may have missed changes because the database was unavailable. If a stream ends without a `complete` event, subscribe again and read what may have changed.',
});

builder.subscriptionField('uploadProgress', (t) =>
  t.field({
    type: UploadSessionRef,
    description:
      'Reports the progress of an upload session that the viewer created: once at the start, then after each chunk. Completes when the upload is completed or aborted. Fails with `NOT_FOUND` for any other session.',
    args: {
      uploadId: t.arg.string({
        required: true,
        description: 'Id of the upload session: `UploadSession.uploadId`.',
      }),
    },
    subscribe: (_root, { uploadId }, { domain, signal }) => watchUpload(domain, uploadId, signal()),
    resolve: (session) => session,
  }),
);

builder.subscriptionField('jobChanged', (t) =>
  t.field({
    type: JobRef,
    description:
      'Reports each job that is created or changes and that the viewer may see. Fails with `NOT_AUTHENTICATED` without a credential.',
    args: {
      id: t.arg.id({ description: 'Global id of a job. If given, only this job is reported.' }),
      filter: jobFilterArg.filter,
    },
    subscribe: (_root, { id, filter }, { domain, signal }) => {
      const jobId = parseOptionalNodeId('Job', id, 'id');
      return watchJobs(domain, { id: jobId, filter: toJobFilter(filter) }, signal());
    },
    resolve: (job) => job,
  }),
);

const MediaChangeKindEnum = enumOf<MediaChange['kind']>(
  'MediaChangeKind',
  'Kind of a change to a media item.',
  {
    created: 'The media item was created.',
    updated: 'A field or the tags of the media item changed.',
    deleted: 'The media item was deleted, or the viewer may no longer see it.',
    moved: 'The media item was moved to another folder or to another position.',
  },
);

const MediaPartEnum = enumOf<MediaPart>('MediaPart', 'Part of a media item that has changed.', {
  fields: 'Fields that people set, such as the name, the title or the visibility.',
  tags: 'The tags.',
  place: 'The folder, or the position in it.',
  file: 'The original file, or another file that clients upload.',
  thumbnail: 'The thumbnail, which a background job creates after an upload.',
  preview: 'The preview of a file that browsers cannot show, or the reason why it has none.',
  details: 'What background jobs find out about the files, such as the SHA-256.',
});

const MediaChangeRef = builder.objectRef<MediaChange>('MediaChange').implement({
  description: 'A change to a media item.',
  fields: (t) => ({
    kind: t.expose('kind', { type: MediaChangeKindEnum, description: 'Kind of the change.' }),
    id: t.globalID({
      description: 'Global id of the media item.',
      resolve: ({ id }) => ({ type: 'Media', id }),
    }),
    changed: t.expose('changed', {
      type: [MediaPartEnum],
      description:
        'Parts of the media item that have changed. If only the thumbnail and the placeholder (such as `Image.thumbhash`) have changed, `[THUMBNAIL]`. If `kind` is `CREATED` or `DELETED`, or if only `updatedAt` has changed, the list is empty.',
    }),
    media: t.field({
      type: MediaRef,
      nullable: true,
      description: 'The media item in its current state. Null if `kind` is `DELETED`.',
      resolve: ({ media }) => media,
    }),
  }),
});

builder.subscriptionField('mediaChanged', (t) =>
  t.field({
    type: MediaChangeRef,
    description: 'Reports each change to a media item that the viewer may see.',
    args: {
      folderId: t.arg.id({
        description:
          'Global id of a folder. If given, only media directly in this folder are reported, including media just moved out of it.',
      }),
    },
    subscribe: (_root, { folderId }, { domain, signal }) => {
      const id = parseOptionalNodeId('Folder', folderId, 'folderId');
      return watchMedias(domain, { folderId: id }, signal());
    },
    resolve: (change) => change,
  }),
);

const ChangeKindEnum = enumOf<ChangeKind>('ChangeKind', 'Kind of a change.', {
  created: 'The object was created, or restored from the trash.',
  updated: 'A field of the object changed, or its place.',
  deleted: 'The object was deleted, or the viewer may no longer see it.',
});

const FolderChangeRef = builder.objectRef<FolderChange>('FolderChange').implement({
  description: 'A change to a folder.',
  fields: (t) => ({
    kind: t.expose('kind', { type: ChangeKindEnum, description: 'Kind of the change.' }),
    id: t.globalID({
      description: 'Global id of the folder.',
      resolve: ({ id }) => ({ type: 'Folder', id }),
    }),
    folder: t.field({
      type: FolderRef,
      nullable: true,
      description: 'The folder in its current state. Null if `kind` is `DELETED`.',
      resolve: ({ folder }) => folder,
    }),
  }),
});

builder.subscriptionField('folderChanged', (t) =>
  t.field({
    type: FolderChangeRef,
    description:
      'Reports each folder that is created, renamed, moved, restored, deleted or changed in another way, and that the viewer may see. When a folder is moved, the folders below it are not reported.',
    subscribe: (_root, _args, { domain, signal }) => watchFolders(domain, signal()),
    resolve: (change) => change,
  }),
);

const TagChangeRef = builder.objectRef<TagChange>('TagChange').implement({
  description: 'A change to a tag.',
  fields: (t) => ({
    kind: t.expose('kind', { type: ChangeKindEnum, description: 'Kind of the change.' }),
    id: t.globalID({
      description: 'Global id of the tag.',
      resolve: ({ id }) => ({ type: 'Tag', id }),
    }),
    tag: t.field({
      type: TagRef,
      nullable: true,
      description: 'The tag in its current state. Null if `kind` is `DELETED`.',
      resolve: ({ tag }) => tag,
    }),
  }),
});

builder.subscriptionField('tagChanged', (t) =>
  t.field({
    type: TagChangeRef,
    description:
      'Reports each tag that is created, changed or deleted. `mediaChanged` reports the media that get or lose a tag.',
    subscribe: (_root, _args, { domain, signal }) => watchTags(domain, signal()),
    resolve: (change) => change,
  }),
);
