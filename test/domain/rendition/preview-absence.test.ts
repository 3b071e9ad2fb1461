import { expect, it } from 'vitest';
import { filesByMediaIds } from '../../../src/domain/file/file.ts';
import { drawPreview } from '../../../src/domain/rendition/preview.ts';
import { findMedia } from '../../../src/domain/tree/media.ts';
import { uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { fixtureBytes, inPieces } from '../../support/bytes.ts';

describeEachBackend('a file that contains nothing to draw', (backend) => {
  it.each([
    ['sound.mp3', 'The file contains no cover image.'],
    ['report.docx', 'The document contains no thumbnail.'],
  ])('such as %s has no preview, with a reason, and its job succeeds', (filename, reason) =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const { id } = await uploadFile(ctx, { filename, bytes: inPieces(fixtureBytes(filename)) });
      const [file] = (await filesByMediaIds(ctx, [id])).get(id) ?? [];
      await drawPreview(services.as(), file!.uuid);
      expect((await filesByMediaIds(ctx, [id])).get(id)).toHaveLength(1);
      expect((await findMedia(ctx, { id }))?.previewError).toBe(reason);
    }),
  );
});
