import type { Viewer } from '../../../domain/viewer/viewer.ts';
import { builder } from '../../builder.ts';

const RoleEnum = builder.enumType('Role', {
  description: 'What a viewer may do; each includes the one before.',
  values: {
    READER: { value: 'reader', description: 'See everything.' },
    EDITOR: { value: 'editor', description: 'Make things, and change what is its own.' },
    ADMIN: { value: 'admin', description: 'Everything.' },
  } as const,
});

const ViewerKindEnum = builder.enumType('ViewerKind', {
  description: 'How a viewer is known.',
  values: {
    ANONYMOUS: { value: 'anonymous', description: 'No credential was sent.' },
    USER: { value: 'user', description: 'A token names a user.' },
    KEY: { value: 'key', description: 'An API key.' },
  } as const,
});

const ViewerRef = builder.objectRef<Viewer>('Viewer').implement({
  description: 'Who sends the request.',
  fields: (t) => ({
    kind: t.expose('kind', { type: ViewerKindEnum, description: 'How the viewer is known.' }),
    id: t.exposeString('id', {
      nullable: true,
      description: 'What `Media.owner` says of what this viewer makes; null: anonymous.',
    }),
    role: t.field({
      type: RoleEnum,
      nullable: true,
      description: 'Null: anonymous.',
      resolve: (viewer) => (viewer.kind === 'anonymous' ? null : viewer.role),
    }),
  }),
});

builder.queryField('viewer', (t) =>
  t.field({
    type: ViewerRef,
    description: 'Who sends this request, as its credential says.',
    resolve: (_root, _args, { domain }) => domain.viewer,
  }),
);
