import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { UploadCompletedError } from '../../../src/domain/error.ts';
import { appendChunk, completeUpload } from '../../../src/domain/upload/upload.ts';
import { createKeyedLock } from '../../../src/lib/keyed-lock.ts';
import { withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';

describeEachBackend('an upload in two processes', (backend) => {
  it('is completed by one of them, and the other gets UploadCompletedError', () =>
    withServices(backend, async (services) => {
      const bytes = Buffer.from('some text');
      const one = services.as();
      // State that another process does not share.
      const other = { ...one, uploadLocks: createKeyedLock(), newId: () => crypto.randomUUID() };
      const { uploadId } = await appendChunk(one, {
        offsetBytes: 0,
        totalBytes: bytes.length,
        filename: 'note.txt',
        chunk: {
          bytes: (async function* () {
            yield bytes;
          })(),
        },
      });
      const md5 = createHash('md5').update(bytes).digest('hex');
      const answers = await Promise.allSettled(
        [one, other].map((ctx) => completeUpload(ctx, { uploadId, md5 })),
      );
      const failures = answers.flatMap((answer) =>
        answer.status === 'rejected' ? [answer.reason] : [],
      );
      expect(failures).toHaveLength(1);
      expect(failures[0]).toBeInstanceOf(UploadCompletedError);
    }));
});
