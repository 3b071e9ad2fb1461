import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect } from 'vitest';
import { type DrawLimits, PreviewError } from '../../../src/media/preview/decoder.ts';
import { drawFile, type Preview } from '../../../src/media/preview/draw-file.ts';
import { DECODERS, decoderOf } from '../../../src/media/preview/registry.ts';
import { sniffFile } from '../../../src/media/sniff.ts';
import { shadesOf } from '../../support/image.ts';

/** What most fixtures show: red and lime above, blue and white below. */
export const QUADRANTS = 'red lime blue white red';

/** The limits of a drawing in this process. */
export type Limits = Partial<DrawLimits>;

/** Draws bytes under a name in this process, with the decoder of their type, off or on. */
export async function drawBytes(
  name: string,
  bytes: Uint8Array,
  limits: Limits = {},
): Promise<Preview> {
  const directory = await mkdtemp(join(tmpdir(), 'trivium-test-preview-'));
  try {
    const path = join(directory, 'file');
    await writeFile(path, bytes);
    const { mimeType } = await sniffFile(path, { filename: name });
    const decoders = DECODERS.filter(({ isOffByDefault }) => !isOffByDefault);
    const decoder = decoderOf(limits.mimeType ?? mimeType, decoders);
    if (decoder === null) throw new Error(`No decoder draws ${mimeType}.`);
    return await drawFile(DECODERS, decoder.name, path, {
      ...{ mimeType, directory, sideMax: 2048, pixelsMax: 100_000_000 },
      ...{ timeoutMs: 120_000, memoryBytesMax: 2 ** 30 },
      ...limits,
    });
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Returns the size of a preview, and the colors of its corners. */
export async function looksOf({ width, height, bytes }: Preview): Promise<string> {
  return `${width} × ${height}: ${await shadesOf(Buffer.from(bytes))}`;
}

/** Returns red, green, blue and alpha of a pixel of a preview. */
export async function pixelOf({ bytes }: Preview, x: number, y: number): Promise<number[]> {
  const image = sharp(bytes).ensureAlpha().extract({ left: x, top: y, width: 1, height: 1 });
  return [...(await image.raw().toBuffer())];
}

/** Expects the error of a file that is damaged in any way: a reason for users, or sharp's of the image in the file. */
export function expectReason(error: Error): void {
  const isReason = error instanceof PreviewError || /^(?:Vips|Input)/.test(error.message);
  expect(isReason, error.stack).toBe(true);
}
