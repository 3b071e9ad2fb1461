import { NotFoundError } from '../../../domain/error.ts';
import { deleteTag } from '../../../domain/tag/deletion.ts';
import {
  countTags,
  createTag,
  listTags,
  type Tag,
  tagsByIds,
  tagsByMediaIds,
  updateTag,
} from '../../../domain/tag/tag.ts';
import { toTerms } from '../../../lib/search-text.ts';
import { builder } from '../../builder.ts';
import { toConnection } from '../../connection.ts';
import { expose, exposeNullable } from '../../expose.ts';
import { parseNodeId, parseOptionalNodeId } from '../../id.ts';
import { identifierInput, objectQuery } from '../../identifier.ts';
import { listLoader, nodeLoader, nodeOptions } from '../../loader.ts';
import { createLookup } from '../../lookup.ts';
import { deletion, type InputFields, mutation } from '../../mutation.ts';
import { pricedByFilter } from '../../price.ts';

/** A tag. */
export const TagRef = builder.nodeRef('Tag', nodeOptions(nodeLoader(tagsByIds)));

/** The connection of every list of tags. */
export const TagConnection = builder.connectionObject({ type: TagRef, name: 'TagConnection' });

/** Returns the options of a field whose value is found among the tags of a media item. */
export const foundTags = createLookup<Tag[]>({
  loader: listLoader(tagsByMediaIds),
  load: tagsByMediaIds,
  absent: [],
});

const VISIBLE = 'Whether clients should display the tag.';
const ACTIVE = 'Whether clients should offer the tag for selection.';

TagRef.implement({
  description: 'A label for media.',
  fields: (t) => ({
    databaseId: t.exposeInt('id', {
      description: 'Numeric id of the tag, as used by the REST dialects.',
    }),
    ...expose(t, 'String', {
      name: 'Name of the tag. Several tags may have the same name.',
      color: 'CSS color, stored as given and not validated. `#ffffff` if none was given.',
    }),
    ...exposeNullable(t, 'String', {
      description: 'Description of the tag. Null if the tag has no description.',
    }),
    ...expose(t, 'Boolean', { visible: VISIBLE, active: ACTIVE }),
    ...expose(t, 'DateTime', { createdAt: 'Time at which the tag was created.' }),
  }),
});

const TagBy = identifierInput('TagBy', 'tag', (t) => ({
  databaseId: t.int({ description: 'Numeric id of the tag.' }),
}));

objectQuery('tag', {
  type: TagRef,
  by: TagBy,
  noun: 'tag',
  description: 'Returns a tag; null if it does not exist.',
  find: async (domain, by) => {
    const id = parseOptionalNodeId('Tag', by.id, 'id') ?? by.databaseId ?? 0;
    return (await tagsByIds(domain, [id]))[0] ?? null;
  },
});

const TagFilter = builder.inputType('TagFilter', {
  description: 'Filter for a list of tags. A tag must match every given field.',
  fields: (t) => ({
    name: t.string({ description: 'Matches tags with exactly this name.' }),
    search: t.string({
      description:
        'Words separated by spaces or commas, at most 10. Matches tags that contain each word in the name or the description. Upper and lower case are the same.',
    }),
    visible: t.boolean({ description: 'Matches tags with this value of `visible`.' }),
    active: t.boolean({ description: 'Matches tags with this value of `active`.' }),
  }),
});

const TagOrder = builder.enumType('TagOrder', {
  description: 'Order of a list of tags.',
  values: {
    NEWEST_FIRST: { value: 'newest', description: 'Orders by creation time, newest first.' },
    NAME: {
      value: 'name',
      description:
        'Orders by name as people do: without case and accents, and with numbers by their values, `c2` before `c10`.',
    },
  } as const,
});

builder.queryField('tags', (t) =>
  t.connection(
    {
      type: TagRef,
      ...pricedByFilter(toTerms),
      description: 'Lists tags, newest first by default.',
      args: {
        filter: t.arg({
          type: TagFilter,
          description: 'Limits the list to tags that match this filter. Omit it for all tags.',
        }),
        orderBy: t.arg({
          type: TagOrder,
          defaultValue: 'newest',
          description: 'Order of the list. Null means the default.',
        }),
      },
      resolve: async (_root, { filter, orderBy, ...page }, { domain }) => {
        const narrowed = {
          name: filter?.name ?? undefined,
          search: filter?.search ?? undefined,
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

/** Fields of every input that creates or changes a tag. */
const tagFields = (t: InputFields) => ({
  description: t.string({ description: 'Description, at most 500 characters.' }),
  color: t.string({
    description:
      'CSS color, at most 64 characters; not validated. Defaults to `#ffffff` for a new tag.',
  }),
  visible: t.boolean({ description: `${VISIBLE} Defaults to true for a new tag.` }),
  active: t.boolean({ description: `${ACTIVE} Defaults to true for a new tag.` }),
});

const PERMISSION = 'Requires the role `ADMIN`; with `TRIVIUM_AUTH=open`, anyone may call it.';

mutation('createTag', {
  description: `Creates a tag. ${PERMISSION}`,
  input: (t) => ({
    name: t.string({
      required: true,
      description: 'Name, 1 to 64 characters. Several tags may have the same name.',
    }),
    ...tagFields(t),
  }),
  success: { field: 'tag', type: TagRef, description: 'The new tag.' },
  resolve: (domain, input) => createTag(domain, input),
});

mutation('updateTag', {
  description: `Changes a tag. If a tag on many media is renamed, searches find the media by the new name only after a job has indexed them. ${PERMISSION}`,
  errors: [NotFoundError],
  inputNote:
    'Omitted fields stay unchanged. Null clears `description`, resets `color` to `#ffffff`, and leaves other fields unchanged.',
  input: (t) => ({
    id: t.id({ required: true, description: 'Global id of the tag.' }),
    name: t.string({
      description: 'Name, 1 to 64 characters. Several tags may have the same name.',
    }),
    ...tagFields(t),
  }),
  success: { field: 'tag', type: TagRef, description: 'The changed tag.' },
  resolve: (domain, { id, name, ...change }) =>
    updateTag(domain, parseNodeId('Tag', id, 'id'), { ...change, name: name ?? undefined }),
});

deletion('deleteTag', {
  description: `Deletes a tag and removes it from all media. If it is on many media, a job then cleans up in the background; no list or filter shows the tag meanwhile. ${PERMISSION}`,
  type: 'Tag',
  noun: 'tag',
  run: deleteTag,
});
