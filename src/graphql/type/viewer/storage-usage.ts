import { type StorageUsage, storageUsage } from '../../../domain/viewer/quota.ts';
import { builder } from '../../builder.ts';

const StorageQuotaRef = builder.objectRef<StorageUsage['quota']>('StorageQuota').implement({
  description:
    'The most that a viewer may store and reserve. Each field is null if there is no limit.',
  fields: (t) => ({
    bytes: t.expose('storedBytes', {
      type: 'BigInt',
      nullable: true,
      description: 'Total size of its files in bytes.',
    }),
    items: t.exposeInt('items', {
      nullable: true,
      description: 'Number of its media and folders.',
    }),
    uploadSessions: t.exposeInt('uploads', {
      nullable: true,
      description: 'Number of its open upload sessions.',
    }),
    promisedBytes: t.expose('promisedBytes', {
      type: 'BigInt',
      nullable: true,
      description: 'Total size of the files of its open upload sessions in bytes.',
    }),
  }),
});

const StorageUsageRef = builder.objectRef<StorageUsage>('StorageUsage').implement({
  description: 'What a viewer has stored, and what its open upload sessions reserve.',
  fields: (t) => ({
    bytes: t.expose('storedBytes', {
      type: 'BigInt',
      description: 'Total size of the stored files in bytes.',
    }),
    items: t.exposeInt('items', { description: 'Number of media and folders.' }),
    uploadSessions: t.exposeInt('uploads', { description: 'Number of open upload sessions.' }),
    promisedBytes: t.expose('promisedBytes', {
      type: 'BigInt',
      description:
        'Total size of the files of open upload sessions in bytes. It counts towards the quota of bytes until the sessions end.',
    }),
    quota: t.field({
      type: StorageQuotaRef,
      description:
        'The quota of the viewer. An admin reads no quotas, because it reads the usage of all viewers.',
      resolve: ({ quota }) => quota,
    }),
  }),
});

builder.queryField('storageUsage', (t) =>
  t.field({
    type: StorageUsageRef,
    description:
      'Returns what the viewer has stored and reserved, and its quota; for an admin, what all viewers have stored and reserved. All anonymous clients of one address count as one viewer.',
    resolve: (_root, _args, { domain }) => storageUsage(domain),
  }),
);
