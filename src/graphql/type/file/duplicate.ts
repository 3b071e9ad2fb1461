import { DUPLICATES_MAX, duplicatesByMediaIds } from '../../../domain/file/duplicate.ts';
import type { Media } from '../../../domain/tree/media.ts';
import { builder } from '../../builder.ts';
import { listLoader } from '../../loader.ts';
import { createLookup, withId } from '../../lookup.ts';
import { withListSize } from '../../price.ts';
import { MediaRef } from '../tree/media.ts';

const foundDuplicates = createLookup<Media[]>({
  loader: listLoader(duplicatesByMediaIds),
  load: (ctx, ids, only) => duplicatesByMediaIds(ctx, ids, withId(only)),
  absent: [],
});

const found = foundDuplicates({
  needs: ['id'],
  keysOf: ({ id }: Media) => [id],
  valueOf: ([medias = []]) => medias,
});

builder.objectField(MediaRef, 'duplicates', (t) =>
  t.field({
    type: [MediaRef],
    description: `Other media whose original file has the same content (the same \`File.sha256\`) and that the viewer may see, oldest first, at most ${DUPLICATES_MAX}. Empty while \`File.sha256\` is null: after a chunked upload, a background job computes it.`,
    ...found,
    extensions: { ...found.extensions, ...withListSize(DUPLICATES_MAX).extensions },
  }),
);
