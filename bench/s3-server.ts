import { startS3Server } from '../test/support/s3-server.ts';

/** The S3 server of the tests as a process of its own, which prints its URL as `Scratch.start` expects. */
const server = await startS3Server();
console.log(JSON.stringify({ url: server.url }));
process.once('SIGTERM', () => void server.stop().then(() => process.exit()));
