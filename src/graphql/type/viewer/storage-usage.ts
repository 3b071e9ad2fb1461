import { damagedFilesFor } from '../../../domain/file/damage.ts';
import type { DecoderState } from '../../../domain/rendition/preview-state.ts';
import { type StorageUsage, storageUsage } from '../../../domain/viewer/quota.ts';
import { builder } from '../../builder.ts';

const StorageQuotaRef = builder.objectRef<StorageUsage['quota']>('StorageQuota').implement({
  description: 'Maximum that a viewer may store and reserve. A field is null if there is no limit.',
  fields: (t) => ({
    bytes: t.expose('storedBytes', {
      type: 'BigInt',
      nullable: true,
      description: 'Maximum total size of the files of the viewer, in bytes.',
    }),
    items: t.exposeInt('items', {
      nullable: true,
      description: 'Maximum number of media and folders.',
    }),
    uploadSessions: t.exposeInt('uploads', {
      nullable: true,
      description: 'Maximum number of open upload sessions.',
    }),
    promisedBytes: t.expose('promisedBytes', {
      type: 'BigInt',
      nullable: true,
      description: 'Maximum total size of the files of open upload sessions, in bytes.',
    }),
  }),
});

const PreviewDecoderRef = builder.objectRef<DecoderState>('PreviewDecoder').implement({
  description: 'A decoder that draws previews: see `Media.preview`.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Name of the decoder, such as `heic`.' }),
    isAvailable: t.exposeBoolean('isAvailable', {
      description: 'Whether it can draw on this server.',
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'Why it cannot draw. Null if it can.',
    }),
  }),
});

const StorageUsageRef = builder.objectRef<StorageUsage>('StorageUsage').implement({
  description: 'Storage that a viewer uses, and that its open upload sessions reserve.',
  fields: (t) => ({
    bytes: t.expose('storedBytes', {
      type: 'BigInt',
      description: 'Total size of the stored files, in bytes.',
    }),
    items: t.exposeInt('items', { description: 'Number of media and folders.' }),
    uploadSessions: t.exposeInt('uploads', { description: 'Number of open upload sessions.' }),
    promisedBytes: t.expose('promisedBytes', {
      type: 'BigInt',
      description:
        'Total size of the files of open upload sessions, in bytes. It counts towards the quota of bytes until the sessions end.',
    }),
    damagedFiles: t.field({
      type: 'Int',
      nullable: true,
      description:
        'Number of files whose stored bytes were found missing or wrong. Null for viewers other than admins.',
      resolve: (_usage, _args, { domain }) => damagedFilesFor(domain),
    }),
    previewDecoders: t.field({
      type: [PreviewDecoderRef],
      description: 'Decoders that draw previews, including those that are not available.',
      resolve: (_usage, _args, { domain }) => domain.decoders.states(),
    }),
    quota: t.field({
      type: StorageQuotaRef,
      description:
        'The quota of the viewer. For an admin, every field is null, because the usage is that of all viewers.',
      resolve: ({ quota }) => quota,
    }),
  }),
});

builder.queryField('storageUsage', (t) =>
  t.field({
    type: StorageUsageRef,
    description:
      'Returns the storage that the viewer uses and reserves, and its quota; for an admin, the storage of all viewers. All anonymous clients of one address count as one viewer.',
    resolve: (_root, _args, { domain }) => storageUsage(domain),
  }),
);
