import type { Role, Viewer } from '../../../domain/viewer/viewer.ts';
import { builder } from '../../builder.ts';
import { enumOf } from '../../enum.ts';

/** The roles. */
export const RoleEnum = enumOf<Role>(
  'Role',
  'Role of a viewer. `ADMIN` includes the permissions of `EDITOR`, which includes those of `READER`.',
  {
    reader: 'May read media, folders, tags and jobs.',
    editor: 'May create media and folders, and change the ones that the same viewer created.',
    admin: 'May do everything.',
  },
);

/** The kinds of viewers. */
export const ViewerKindEnum = enumOf<Viewer['kind']>(
  'ViewerKind',
  'Kind of a viewer: which credential the request has.',
  {
    anonymous: 'The request has no credential.',
    user: 'The request has a token, which names a user.',
    key: 'The request has an API key.',
  },
);

/** A viewer. */
export const ViewerRef = builder.objectRef<Viewer>('Viewer').implement({
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
