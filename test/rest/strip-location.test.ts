import { expect, test } from 'vitest';
import { image, secretsIn, stripped } from '../media/location/located.ts';
import { describeEachBackend } from '../support/backend.ts';
import { md5Of } from '../support/bytes.ts';
import { DOORS } from '../support/corpus/door.ts';
import type { CorpusFile } from '../support/corpus/file.ts';
import { withServer } from '../support/corpus/server.ts';

const small = await image('jpeg');

const SENT: readonly Pick<CorpusFile, 'filename' | 'bytes'>[] = [
  { filename: 'small.jpg', bytes: small },
  // Larger than what an upload holds in memory.
  { filename: 'large.jpg', bytes: Buffer.concat([small, Buffer.alloc(300_000, 'trailer')]) },
];

describeEachBackend('TRIVIUM_STRIP_LOCATION=always', (backend) => {
  test.each(Object.keys(DOORS))(
    'removes location from what comes in by %s, for everybody',
    (name) =>
      withServer(
        backend,
        async (server) => {
          const { app } = server;
          for (const file of SENT) {
            const outcome = await DOORS[name]!(server, { ...FILE, ...file });
            expect(outcome).not.toHaveProperty('refusal');
            const [stored, ...others] = await app.services.db
              .selectFrom('file')
              .selectAll()
              .where('filename', '=', file.filename)
              .where('key', '=', '')
              .execute();
            expect(others).toEqual([]);
            const path = `/media/${stored!.dir}/${stored!.url_name}`;
            const response = await app.fetch(path, { asAdmin: true });
            const bytes = Buffer.from(await response.arrayBuffer());
            expect(secretsIn(file.bytes).length).toBeGreaterThan(0);
            expect(bytes.equals(await stripped(file.bytes))).toBe(true);
            expect([stored!.md5, stored!.size_bytes]).toEqual([md5Of(bytes), bytes.length]);
          }
          // Of the bytes as they were sent, nothing is left.
          const { staging, blobs } = app.services;
          expect(await Array.fromAsync(staging.list())).toEqual([]);
          for await (const { key } of blobs.list()) {
            const pieces = await Array.fromAsync(await blobs.read(key));
            expect(secretsIn(Buffer.concat(pieces as Buffer[]))).toEqual([]);
          }
        },
        { TRIVIUM_STRIP_LOCATION: 'always' },
      ),
  );
});

const FILE = { what: 'a photo', declared: 'image/jpeg', verdict: 'image image/jpeg' };
