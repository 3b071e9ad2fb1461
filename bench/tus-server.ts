/**
 * `@tus/server` with a `FileStore`, as its documentation starts it: no checksum, no credential, no sync.
 * Usage: node tus-server.ts <directory>
 */
import { createServer } from 'node:http';
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';
import { listen } from './listen.ts';

const [directory = ''] = process.argv.slice(2);
const tus = new Server({ path: '/files', datastore: new FileStore({ directory }) });

// As `tus.listen` does, but the URL is printed.
listen(createServer(tus.handle.bind(tus)));
