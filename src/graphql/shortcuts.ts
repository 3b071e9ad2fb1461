import type { Batch, Shortcuts } from './execution/plan.ts';
import { exposedProperty } from './needs.ts';

/** The fast path of our schema: fields that are read for many objects at once, and fields that expose a property. */
export const SHORTCUTS: Shortcuts = {
  batchOf: ({ extensions }) => extensions.batch as Batch | undefined,
  propertyOf: (field) =>
    (field.extensions.property as string | undefined) ?? exposedProperty(field),
};
