import { NotFoundError } from '../../../domain/error.ts';
import { deleteJob } from '../../../domain/job/job.ts';
import { builder } from '../../builder.ts';
import { parseNodeId } from '../../id.ts';

const DeleteJobInput = builder.inputType('DeleteJobInput', {
  description: 'Input of `deleteJob`.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The job.' }) }),
});

const DeleteJobSuccess = builder.objectRef<{ id: string }>('DeleteJobSuccess').implement({
  description: 'The job is gone, with the log of its runs.',
  fields: (t) => ({ deletedId: t.exposeID('id', { description: 'Global id that it had.' }) }),
});

builder.mutationField('deleteJob', (t) =>
  t.field({
    type: DeleteJobSuccess,
    errors: { types: [NotFoundError] },
    description: 'Deletes a job, whatever its state. An admin may.',
    args: { input: t.arg({ type: DeleteJobInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, { domain }) => {
      await deleteJob(domain, parseNodeId('Job', input.id, 'id'));
      return input;
    },
  }),
);
