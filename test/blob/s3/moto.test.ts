import { afterAll, test } from 'vitest';
import { startMoto, withMotoClient } from '../../support/moto.ts';
import { withS3Blobs } from '../../support/s3-storage.ts';
import { describeBlobStore } from '../blob-store-contract.ts';

const moto = await startMoto();
afterAll(() => moto?.stop());

if (moto === null) {
  test.skip('a blob store on moto: the Python package moto is not installed');
} else {
  describeBlobStore(
    'a blob store on moto',
    (work) => withMotoClient(moto, (client) => withS3Blobs(client, work)),
    { listsAtOnce: true },
  );
}
