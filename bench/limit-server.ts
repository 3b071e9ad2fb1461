/**
 * The floor of this kind of server: `node:http`, prepared set-based statements, `JSON.stringify`. It knows four
 * answers, checks no credential, logs nothing.
 *
 * Usage: node limit-server.ts <database> <base of links> <extensions of each answer by its name, JSON>
 */
import { createServer } from 'node:http';
import { createTagWriter, openReads } from './limit-read.ts';
import { listen } from './listen.ts';

const [path = '', publicUrl = '', extensionsJson = '{}'] = process.argv.slice(2);
const extensions = JSON.parse(extensionsJson) as Record<string, unknown>;
const reads = openReads(path, publicUrl);
const createTag = createTagWriter(path);

/** `data` of each answer by its path. */
const ANSWERS: Readonly<Record<string, (parameter: string) => unknown>> = {
  r1: (id) => ({ folder: { medias: { nodes: reads.mediasOfFolder(Number(id)) } } }),
  r2: (id) => ({ media: reads.media(Number(id)) }),
  r3: () => ({ rootFolders: { nodes: reads.tree() } }),
  w1: (name) => ({ createTag: { tag: createTag(decodeURIComponent(name)) } }),
};

const server = createServer((request, response) => {
  const [, name = '', parameter = ''] = /^\/(\w+)(?:\?\w+=(.*))?$/.exec(request.url ?? '') ?? [];
  const data = ANSWERS[name]?.(parameter);
  if (data === undefined) {
    response.writeHead(404).end();
    return;
  }
  const body = JSON.stringify({ data, extensions: extensions[name.toUpperCase()] });
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  };
  response.writeHead(200, headers).end(body);
});

listen(server);
