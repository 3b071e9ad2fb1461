import type { Role, Viewer } from '../../../domain/viewer/viewer.ts';
import { builder } from '../../builder.ts';
import type { EnumValues } from '../../enum.ts';

const RoleEnum = builder.enumType('Role', {
  description:
    'Role of a viewer. `ADMIN` includes the permissions of `EDITOR`, which includes those of `READER`.',
  values: {
    READER: {
      value: 'reader',
      description: 'May read media, folders, tags and jobs.',
    },
    EDITOR: {
      value: 'editor',
      description:
        'May create media and folders, and change the ones that the same viewer created.',
    },
    ADMIN: { value: 'admin', description: 'May do everything.' },
  } as const satisfies EnumValues<Role>,
});

const ViewerKindEnum = builder.enumType('ViewerKind', {
  description: 'Kind of a viewer: which credential the request has.',
  values: {
    ANONYMOUS: { value: 'anonymous', description: 'The request has no credential.' },
    USER: { value: 'user', description: 'The request has a token, which names a user.' },
    KEY: { value: 'key', description: 'The request has an API key.' },
  } as const satisfies EnumValues<Viewer['kind']>,
});

const ViewerRef = builder.objectRef<Viewer>('Viewer').implement({
  description: 'The sender of the request.',
  fields: (t) => ({
    kind: t.expose('kind', { type: ViewerKindEnum, description: 'Kind of the viewer.' }),
    id: t.exposeString('id', {
      nullable: true,
      description:
        'Id of the viewer. It is the `owner` of media that the viewer creates. Null for an anonymous viewer.',
    }),
    role: t.field({
      type: RoleEnum,
      nullable: true,
      description: 'Role of the viewer. Null for an anonymous viewer.',
      resolve: (viewer) => (viewer.kind === 'anonymous' ? null : viewer.role),
    }),
  }),
});

builder.queryField('viewer', (t) =>
  t.field({
    type: ViewerRef,
    description: 'Returns the viewer: the sender of this request, as identified by its credential.',
    resolve: (_root, _args, { domain }) => domain.viewer,
  }),
);
