import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Services } from '../../src/domain/context.ts';
import { createCatalog } from '../../src/media/preview/catalog.ts';
import { drawFile, type Preview } from '../../src/media/preview/draw-file.ts';
import type { PreviewFile } from '../../src/media/preview/previewer.ts';
import { DECODERS } from '../../src/media/preview/registry.ts';

/** The decoders of services without HTTP. They draw in this process, which starts faster. */
export function previewServices(): Pick<Services, 'decoders' | 'previewer'> {
  const enabled = DECODERS.filter(({ isOffByDefault }) => !isOffByDefault);
  return {
    decoders: createCatalog({ enabled: enabled.map(({ name }) => name), searchPath: '' }),
    previewer: { draw: drawHere, stop: async () => undefined },
  };
}

/** Draws a file in this process. */
export async function drawHere({ path, mimeType, decoder }: PreviewFile): Promise<Preview> {
  const directory = await mkdtemp(join(tmpdir(), 'trivium-test-preview-'));
  try {
    return await drawFile(DECODERS, decoder, path, {
      ...{ mimeType, directory, sideMax: 2048, pixelsMax: 100_000_000 },
      ...{ timeoutMs: 120_000, memoryBytesMax: 2 ** 30 },
    });
  } finally {
    await rm(directory, { recursive: true });
  }
}
