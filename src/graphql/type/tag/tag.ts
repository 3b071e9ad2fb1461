import { countTags, listTags, tagsByIds, tagsByMediaIds } from '../../../domain/tag/tag.ts';
import { builder } from '../../builder.ts';
import { toConnection } from '../../connection.ts';
import { parseOptionalNodeId } from '../../id.ts';
import { listLoader, nodeLoader, nodeOptions } from '../../loader.ts';

/** A tag. */
export const TagRef = builder.nodeRef('Tag', nodeOptions(nodeLoader(tagsByIds)));

/** The connection of every list of tags. */
export const TagConnection = builder.connectionObject({ type: TagRef, name: 'TagConnection' });

/** The tags of a media; the media of one request in one statement. */
export const mediaTagLoader = listLoader(tagsByMediaIds);

TagRef.implement({
  description: 'A label that media can carry.',
  fields: (t) => ({
    databaseId: t.exposeInt('id', { description: 'The number that older APIs know it by.' }),
    name: t.exposeString('name', { description: 'Not unique.' }),
    description: t.exposeString('description', { nullable: true, description: 'For people.' }),
    color: t.exposeString('color', { description: 'As given; `#ffffff` by default.' }),
    visible: t.exposeBoolean('visible', { description: 'Whether clients should show it.' }),
    active: t.exposeBoolean('active', { description: 'Whether clients should offer it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
  }),
});

const TagBy = builder.inputType('TagBy', {
  description: 'Exactly one of these.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'Global id.' }),
    databaseId: t.int({ description: 'Its number.' }),
  }),
});

builder.queryField('tag', (t) =>
  t.field({
    type: TagRef,
    nullable: true,
    description: 'A tag; null if it is not there.',
    args: { by: t.arg({ type: TagBy, required: true, description: 'Which one.' }) },
    resolve: async (_root, { by }, { domain }) => {
      const id = parseOptionalNodeId('Tag', by.id, 'id') ?? by.databaseId ?? 0;
      return (await tagsByIds(domain, [id]))[0] ?? null;
    },
  }),
);

const TagFilter = builder.inputType('TagFilter', {
  description: 'What the list is narrowed to: all that is given must hold.',
  fields: (t) => ({
    name: t.string({ description: 'Exactly this name.' }),
    search: t.string({
      description:
        'Words, each of which is somewhere in name or description; case does not matter.',
    }),
    visible: t.boolean({ description: 'Whether clients should show it.' }),
    active: t.boolean({ description: 'Whether clients should offer it.' }),
  }),
});

const TagOrder = builder.enumType('TagOrder', {
  description: 'The order of a list of tags.',
  values: {
    NEWEST_FIRST: { value: 'newest', description: 'The last made first.' },
    NAME: { value: 'name', description: 'By name, byte by byte.' },
  } as const,
});

builder.queryField('tags', (t) =>
  t.connection(
    {
      type: TagRef,
      description: 'Tags; newest first and 50 a page unless asked otherwise, at most 200.',
      args: {
        filter: t.arg({ type: TagFilter, description: 'Without: all.' }),
        orderBy: t.arg({
          type: TagOrder,
          defaultValue: 'newest',
          description: 'Null: the newest first, too.',
        }),
      },
      resolve: async (_root, { filter, orderBy, ...page }, { domain }) => {
        const narrowed = {
          name: filter?.name ?? undefined,
          terms: filter?.search?.split(/[\s,]+/).filter(Boolean),
          visible: filter?.visible ?? undefined,
          active: filter?.active ?? undefined,
        };
        return toConnection(await listTags(domain, narrowed, page, orderBy ?? undefined), () =>
          countTags(domain, narrowed),
        );
      },
    },
    TagConnection,
  ),
);
