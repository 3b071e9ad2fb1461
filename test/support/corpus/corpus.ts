import { claimedFiles } from './claim.ts';
import { otherFiles } from './content.ts';
import type { CorpusFile } from './file.ts';
import { imageFiles } from './image.ts';

/** Returns real and damaged files of every family, each with the verdict that every door must return. */
export async function makeCorpus(): Promise<CorpusFile[]> {
  return [...(await imageFiles()), ...otherFiles(), ...claimedFiles()];
}
