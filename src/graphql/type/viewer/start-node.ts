import { parseNodeIds } from '../../id.ts';
import type { Types } from '../../mutation.ts';
import { withListSize } from '../../price.ts';

/** Description of the start nodes in an input. */
export const START_NODES =
  'Global ids of folders and media, 1 to 100: limits access to these and everything below them. Null or omitted: the start nodes of the viewer, or no limit if it has none.';

/** Returns the database ids of start nodes. Throws InvalidInputError. */
export function parseStartNodeIds(
  globalIds: readonly string[] | null | undefined,
): number[] | null | undefined {
  return globalIds && parseNodeIds(['Folder', 'Media'], globalIds, 'startNodeIds');
}

interface Limited {
  startNodes: readonly string[] | null;
}

/** Returns the field with the start nodes of a key or a user. */
export function startNodeUuids<Shape extends Limited>(
  t: PothosSchemaTypes.FieldBuilder<Types, Shape, 'Object'>,
) {
  return t.field({
    type: ['UUID'],
    nullable: true,
    ...withListSize(100),
    description: 'UUIDs of the folders and media that limit access. Null if there is no limit.',
    resolve: ({ startNodes }: Limited) => startNodes,
  });
}
