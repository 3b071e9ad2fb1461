import { writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { PreviewError } from '../../../src/media/preview/decoder.ts';
import type { Preview } from '../../../src/media/preview/draw-file.ts';
import { createPreviewer, type PreviewLimits } from '../../../src/media/preview/previewer.ts';
import { decoderOf } from '../../../src/media/preview/registry.ts';
import { fixtureBytes } from '../../support/bytes.ts';
import { withFile } from '../../support/temporary-file.ts';

/** Draws bytes of a MIME type. `path`: that of the file, if it matters. */
export type DrawBytes = (
  bytes: string | Uint8Array,
  mimeType: string,
  path?: string,
) => Promise<Preview>;

/** Bounds that hostile files reach soon. Other files need a tenth of them. */
const BOUNDS = { cpuMs: 4000, memoryBytesMax: 500 * 2 ** 20 };

/** Runs `work` with a previewer that has strict bounds. */
export async function withPreviewer(
  work: (draw: DrawBytes) => Promise<void>,
  limits: Partial<PreviewLimits> = {},
): Promise<void> {
  const previewer = createPreviewer({ searchPath: '', limits: { ...BOUNDS, ...limits } });
  const drawFile = (path: string, mimeType: string) =>
    previewer.draw({ path, mimeType, decoder: decoderOf(mimeType)!.name });
  const draw: DrawBytes = async (bytes, mimeType, path) => {
    if (path === undefined) return withFile(bytes, (path) => drawFile(path, mimeType));
    await writeFile(path, bytes);
    return drawFile(path, mimeType);
  };
  await work(draw).finally(previewer.stop);
}

/** Expects that a file is refused with a reason, and that the next one is drawn. */
export async function expectRefused(
  draw: DrawBytes,
  bytes: string | Uint8Array,
  mimeType: string,
  reason = /./,
): Promise<void> {
  const error = await draw(bytes, mimeType).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(PreviewError);
  expect((error as Error).message).toMatch(reason);
  expect(await draw(fixtureBytes('drawing.svg'), 'image/svg+xml')).toHaveProperty('width', 1024);
}
