import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findProgram } from '../availability.ts';
import { type PreviewDecoder, PreviewError } from '../decoder.ts';
import { ProgramLimitError, type ProgramLimits, runProgram } from '../program.ts';
import { OFFICE_EXTENSIONS } from './document-type.ts';
import { OFFICE_SETTINGS } from './settings.ts';

const PROGRAM = 'soffice';

/**
 * Draws the first page of an office document with LibreOffice: with a profile of its own, without macros, links and
 * active content, and without a network if the system permits that. Off by default: LibreOffice takes seconds
 * and hundreds of megabytes for each document, and is the largest program that a stranger's file could attack.
 */
export const officeDecoder: PreviewDecoder = {
  name: 'office',
  mimeTypes: Object.keys(OFFICE_EXTENSIONS),
  isOffByDefault: true,
  async find({ searchPath }) {
    if ((await findProgram(PROGRAM, searchPath)) !== null) return { isAvailable: true };
    return { isAvailable: false, reason: 'LibreOffice is not installed.' };
  },
  async draw(path, { mimeType, timeoutMs, directory }, signal) {
    const document = join(directory, `document.${OFFICE_EXTENSIONS[mimeType] ?? 'bin'}`);
    await symlink(resolve(path), document);
    const profile = join(directory, 'profile');
    await mkdir(join(profile, 'user'), { recursive: true });
    await writeFile(join(profile, 'user', 'registrymodifications.xcu'), OFFICE_SETTINGS);
    const limits = {
      timeoutMs: timeoutMs * TIME_SHARE,
      signal,
      outputBytesMax: OUTPUT_BYTES_MAX,
      memoryBytesMax: MEMORY_BYTES_MAX,
    };
    const out = join(directory, 'out');
    await run(conversionParameters({ document, profile, out }), limits);
    const [image] = (await readdir(out).catch(() => [])).filter((name) => name.endsWith('.png'));
    if (image === undefined) throw new PreviewError('LibreOffice cannot read the document.');
    return { image: { path: join(out, image) } };
  },
};

const TIME_SHARE = 0.9;
const OUTPUT_BYTES_MAX = 1024 * 1024;

/** Address space. LibreOffice maps a large part of it and uses little. */
const MEMORY_BYTES_MAX = 4 * 1024 * 1024 * 1024;

interface Conversion {
  document: string;
  profile: string;
  out: string;
}

/** Returns the parameters of LibreOffice that convert the first page of a document to a PNG in `out`. */
export function conversionParameters({ document, profile, out }: Conversion): string[] {
  return [
    `-env:UserInstallation=${pathToFileURL(profile).href}`,
    ...['--headless', '--norestore', '--nolockcheck', '--nodefault', '--nofirststartwizard'],
    ...['--convert-to', 'png', '--outdir', out, document],
  ];
}

/** In a network namespace of its own, a program reaches nothing, not even this machine. */
const WITHOUT_NETWORK = ['--map-current-user', '--net', '--'];

async function run(parameters: readonly string[], limits: ProgramLimits): Promise<void> {
  try {
    if (await canLeaveNetwork(limits)) {
      await runProgram('unshare', [...WITHOUT_NETWORK, PROGRAM, ...parameters], limits);
    } else {
      await runProgram(PROGRAM, parameters, limits);
    }
  } catch (error) {
    if (!(error instanceof ProgramLimitError)) throw error;
    throw new PreviewError('Drawing the document takes too long.', { cause: error });
  }
}

/** Tells whether this process may create a network namespace: many containers forbid it. */
async function canLeaveNetwork(limits: ProgramLimits): Promise<boolean> {
  try {
    const { exitCode } = await runProgram('unshare', [...WITHOUT_NETWORK, 'true'], limits);
    return exitCode === 0;
  } catch {
    limits.signal?.throwIfAborted();
    return false;
  }
}
