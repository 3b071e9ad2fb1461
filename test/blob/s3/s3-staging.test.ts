import { describeEachBackend } from '../../support/backend.ts';
import { withS3Client } from '../../support/s3-client.ts';
import { describeStaging } from '../staging-contract.ts';
import { PART_BYTES, withS3Staging } from './s3-staging-storage.ts';

describeEachBackend('staging', (backend) => {
  describeStaging('in S3 and a database', (work) =>
    withS3Client((client) => backend.withDb((db) => withS3Staging(client, db, work)), {
      partBytesMin: PART_BYTES,
    }),
  );
});
