import { parentPort } from 'node:worker_threads';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import {
  css,
  editorWorkerService,
  favicon,
  graphqlWorker,
  js,
  jsonWorker,
} from '@graphql-yoga/render-graphiql/graphiql';
import type { GraphiqlFile, GraphiqlFiles } from './graphiql.ts';

// A thread, which ends: the package takes 45 MiB of memory, and its files two seconds to compress.

const WORKERS = { editorWorkerService, json: jsonWorker, graphql: graphqlWorker };

/** As `renderGraphiQL` of the package does within its page. */
const SCRIPT = `const workers = Object.fromEntries(Object.entries(${JSON.stringify(WORKERS)}).map(
  ([label, code]) => [label, URL.createObjectURL(new Blob([code], { type: 'application/javascript' }))]));
self.MonacoEnvironment = { globalAPI: false, getWorkerUrl: (_id, label) => workers[label] };
${js};
`;

function pack(content: string | Buffer): GraphiqlFile {
  const bytes = Buffer.from(content as string);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 5,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  // Copies: a part of a larger buffer would be sent with all of it.
  return {
    br: new Uint8Array(brotliCompressSync(bytes, { params })),
    gzip: new Uint8Array(gzipSync(bytes)),
  };
}

const files: GraphiqlFiles = {
  css: pack(css),
  ico: pack(Buffer.from(favicon.slice(favicon.indexOf(',') + 1), 'base64')),
  js: pack(SCRIPT),
};
parentPort?.postMessage(files);
