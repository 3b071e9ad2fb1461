import type { InputFieldMap, InputShapeFromFields } from '@pothos/core';
import { deleteWhere } from '../../../domain/bulk/delete-where.ts';
import type { StartedWhere, WhereInput } from '../../../domain/bulk/selection.ts';
import { tagWhere } from '../../../domain/bulk/tag-where.ts';
import { updateWhere } from '../../../domain/bulk/update-where.ts';
import type { Context } from '../../../domain/context.ts';
import { NotFoundError } from '../../../domain/error.ts';
import { parseNodeIds } from '../../id.ts';
import { type InputFields, inputArgs, mutationOf } from '../../mutation.ts';
import { pricedAsCount } from '../../price.ts';
import { JobRef } from '../job/job.ts';
import { bulkFields, toBulkChange } from '../tree/media-bulk.ts';
import { MEDIA_LIST_PRICE, MediaFilterInput, toMediaFilter } from '../tree/media-filter.ts';

const whereFields = (t: InputFields) => ({
  filter: t.field({
    type: MediaFilterInput,
    required: true,
    description:
      'Selects the media, as in `medias`. An `InvalidInputError` if it leaves out nothing: for all media, give a `createdAt` that begins early enough.',
  }),
  dryRun: t.boolean({
    defaultValue: false,
    description: 'If true, the mutation only counts the media: it starts no job.',
  }),
});

interface Where<Fields extends InputFieldMap> {
  description: string;
  /** The fields of the input besides the filter. */
  fields?: (t: InputFields) => Fields;
  run: (
    domain: Context,
    where: WhereInput,
    input: InputShapeFromFields<Fields>,
  ) => Promise<StartedWhere>;
}

/** Defines a mutation that changes all media that match a filter. */
function where<Fields extends InputFieldMap>(
  name: string,
  { description, fields, run }: Where<Fields>,
): void {
  mutationOf<StartedWhere, InputFieldMap>(name, {
    description: `${description} An admin changes all of these media that it may see; any other viewer those that it has created. The job changes only media that existed when it was started and still match when it comes to them, in small steps. \`jobChanged\` reports its progress, \`signalJob\` cancels it, and \`Job.result\` has the number of changed media as \`media_changed\`. It runs with the rights that the viewer has by then, and fails if the viewer has lost them. Requires the role \`EDITOR\`.`,
    errors: [NotFoundError],
    args: inputArgs(name, (t) => ({ ...whereFields(t), ...fields?.(t) })),
    price: pricedAsCount(MEDIA_LIST_PRICE),
    success: (t) => ({
      job: t.expose('job', {
        type: JobRef,
        nullable: true,
        description: 'The job that makes the change. Null after a dry run.',
      }),
      count: t.exposeInt('count', {
        description: 'Number of media that the viewer may change and that match the filter now.',
      }),
    }),
    resolve: async ({ domain }, args) => {
      const { filter, dryRun, ...input } = (args as { input: Input & object }).input;
      const selected = toMediaFilter(filter);
      return run(domain, { filter: selected, dryRun }, input as InputShapeFromFields<Fields>);
    },
  });
}

interface Input {
  filter: typeof MediaFilterInput.$inferInput;
  dryRun?: boolean | null;
}

where('deleteWhere', {
  description: 'Starts a job that moves all media that match a filter into the trash.',
  run: (domain, input) => deleteWhere(domain, input),
});

where('updateWhere', {
  description:
    'Starts a job that changes the same fields of all media that match a filter, as `updateMedias` does, and adds tags to them.',
  fields: bulkFields,
  run: (domain, input, fields) => updateWhere(domain, { ...toBulkChange(fields), ...input }),
});

where('tagWhere', {
  description:
    'Starts a job that adds tags to all media that match a filter and removes tags from them.',
  fields: (t) => ({
    addTagIds: t.idList({
      description: 'Global ids of the tags to add to each media item, at most 200.',
    }),
    removeTagIds: t.idList({
      description:
        'Global ids of the tags to remove from each media item, at most 200. A tag in both lists is removed.',
    }),
  }),
  run: (domain, input, { addTagIds, removeTagIds }) =>
    tagWhere(domain, {
      ...input,
      addTagIds: parseNodeIds(['Tag'], addTagIds ?? [], 'addTagIds'),
      removeTagIds: parseNodeIds(['Tag'], removeTagIds ?? [], 'removeTagIds'),
    }),
});
