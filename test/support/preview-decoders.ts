// Decoders that misbehave, for the tests of the process that runs them.
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Drawing, DrawLimits, PreviewDecoder } from '../../src/media/preview/decoder.ts';
import { PreviewError } from '../../src/media/preview/decoder.ts';
import { plain } from './image.ts';

type Draw = (path: string, limits: DrawLimits) => Promise<Drawing>;

const RED = { r: 255, g: 0, b: 0 };

async function red(): Promise<Drawing> {
  return { image: { bytes: await plain(RED).png().toBuffer() }, pageCount: 3 };
}

const DRAW: Readonly<Record<string, Draw>> = {
  good: red,
  stored: async (_path, { directory }) => {
    const path = join(directory, 'image.png');
    await writeFile(path, await plain(RED).png().toBuffer());
    return { image: { path } };
  },
  pixels: async () => {
    // Blue, with a margin that is not a part of the image.
    const row = Buffer.alloc(4 * 30, Buffer.from([0, 0, 255, 255])).fill(9, 4 * 20);
    const pixels = Buffer.concat(Array<Buffer>(40).fill(row));
    return { image: { pixels, width: 20, height: 40, channels: 4, rowBytes: row.length } };
  },
  'no-image': async () => ({
    image: { bytes: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') },
  }),
  reason: () => Promise.reject(new PreviewError('The file is too strange.')),
  error: (path) => Promise.reject(new Error(`ENOENT: ${path}`)),
  // The main thread has no time for anything else.
  loop: async () => {
    for (;;);
  },
  sleep: () => new Promise(() => undefined),
  memory: async () => {
    const all: Buffer[] = [];
    for (;;) all.push(Buffer.alloc(2 ** 24, 1));
  },
  crash: async () => process.abort(),
  exit: async () => process.exit(0),
  // A program that outlives its decoder. The file receives its number, and the directory of the drawing.
  program: async (path, { directory }) => {
    const child = spawn('/bin/sleep', ['1000'], { stdio: 'ignore' });
    await writeFile(path, `${child.pid} ${directory}`);
    for (;;);
  },
  // A program that writes to the directory of the drawing, and makes it again when it is deleted.
  writer: async (path, { directory }) => {
    const script = 'while :; do [ -d "$0" ] || mkdir "$0"; : >"$0/scratch"; done';
    const child = spawn('/bin/sh', ['-c', script, directory], { stdio: 'ignore' });
    await writeFile(path, `${child.pid} ${directory}`);
    return new Promise(() => undefined);
  },
};

export const DECODERS: readonly PreviewDecoder[] = Object.entries(DRAW).map(([name, draw]) => ({
  name,
  mimeTypes: [`test/${name}`],
  find: async () => ({ isAvailable: true }),
  draw,
}));
