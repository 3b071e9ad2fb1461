import DataLoader from 'dataloader';
import { creatorNames, type UserRef } from '../../../domain/viewer/user-ref.ts';
import { builder } from '../../builder.ts';
import { perRequest } from '../../loader.ts';
import { withNeeds } from '../../needs.ts';
import { ViewerKindEnum, ViewerRef } from './viewer.ts';

const namesOf = perRequest(
  ({ domain }) =>
    new DataLoader(async (ids: readonly string[]) => {
      const names = await creatorNames(domain, ids);
      return ids.map((id) => names.get(id) ?? null);
    }),
);

/** The creator of something. */
export const UserRefRef = builder.objectRef<UserRef>('UserRef').implement({
  description: 'A user or an API key that created something. It may have been deleted since.',
  fields: (t) => ({
    id: t.exposeString('id', { description: '`Viewer.id` of the user or the API key.' }),
    kind: t.expose('kind', {
      type: ViewerKindEnum,
      description: 'Kind of the creator: `USER` or `KEY`.',
    }),
    name: t.string({
      nullable: true,
      description:
        'Name of the user or the API key; `admin` for the admin key. Null for a user of another issuer of tokens. The name of a key is also null if the server requires a credential and the request has none.',
      ...withNeeds('id'),
      resolve: ({ id }, _args, context) => namesOf(context).load(id),
    }),
  }),
});

builder.objectField(ViewerRef, 'name', (t) =>
  t.string({
    nullable: true,
    description:
      'Name of the user or the API key; `admin` for the admin key. Null for an anonymous viewer and for a user of another issuer of tokens.',
    ...withNeeds('id'),
    resolve: ({ id }, _args, context) => (id === null ? null : namesOf(context).load(id)),
  }),
);
