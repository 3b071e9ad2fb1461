import { toUserRef } from '../../../domain/viewer/user-ref.ts';
import { builder } from '../../builder.ts';
import { expose, exposeNullable } from '../../expose.ts';
import { withNeeds } from '../../needs.ts';
import { UserRefRef } from '../viewer/user-ref.ts';
import { MediaRef } from './media.ts';

builder.objectFields(MediaRef, (t) => ({
  ...exposeNullable(t, 'String', {
    altText:
      'Text that replaces the image for those who cannot see it. Null if there is none; an empty string says that the image is decoration.',
    caption: 'Caption for display. Null if there is none.',
    credit: 'Credit, such as the photographer and the agency. Null if there is none.',
  }),
  ...expose(t, 'JSON', {
    metadata: 'Custom fields: a JSON object. Empty if there are none.',
  }),
  uploadedBy: t.field({
    type: UserRefRef,
    nullable: true,
    description: 'The `owner`, with its name. Null for an anonymous viewer.',
    ...withNeeds('owner'),
    resolve: ({ owner }) => toUserRef(owner),
  }),
}));
