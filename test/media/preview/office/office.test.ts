import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import { findProgram } from '../../../../src/media/preview/availability.ts';
import { createCatalog } from '../../../../src/media/preview/catalog.ts';
import {
  conversionParameters,
  officeDecoder,
} from '../../../../src/media/preview/office/decoder.ts';
import { OFFICE_SETTINGS } from '../../../../src/media/preview/office/settings.ts';
import { createPreviewer } from '../../../../src/media/preview/previewer.ts';
import { fixtureBytes } from '../../../support/bytes.ts';
import { fixture } from '../../../support/temporary-file.ts';
import { readZip } from '../../../support/zip.ts';

const ODT = 'application/vnd.oasis.opendocument.text';
const SEARCH_PATH = process.env.PATH ?? '';
const HAS_OFFICE = (await findProgram('soffice', SEARCH_PATH)) !== null;

describe('office documents', () => {
  test('are drawn by LibreOffice only if an operator has turned it on', () => {
    const nameOf = (enabled: string[]) =>
      createCatalog({ enabled, searchPath: '' }).decoderNameOf(ODT);
    expect(officeDecoder.isOffByDefault).toBe(true);
    expect(nameOf(['thumbnail'])).toBe('thumbnail');
    expect(nameOf(['thumbnail', 'office'])).toBe('office');
    expect(nameOf([])).toBe(null);
  });

  test('need LibreOffice then, and say so without it', async () => {
    expect(await officeDecoder.find({ searchPath: '' })).toEqual({
      isAvailable: false,
      reason: 'LibreOffice is not installed.',
    });
  });

  test('are converted with a profile of their own, without a window', () => {
    const paths = { document: '/d/document.odt', profile: '/d/profile', out: '/d/out' };
    expect(conversionParameters(paths)).toEqual([
      '-env:UserInstallation=file:///d/profile',
      ...['--headless', '--norestore', '--nolockcheck', '--nodefault', '--nofirststartwizard'],
      ...['--convert-to', 'png', '--outdir', '/d/out', '/d/document.odt'],
    ]);
  });

  test('run no macro and fetch nothing by the settings of that profile', () => {
    for (const setting of [
      'name="DisableMacrosExecution" oor:op="fuse"><value>true<',
      'name="MacroSecurityLevel" oor:op="fuse"><value>3<',
      'name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true<',
      'name="DisableActiveContent" oor:op="fuse"><value>true<',
    ]) {
      expect(OFFICE_SETTINGS).toContain(setting);
    }
  });

  test('are missing, with a reason, if LibreOffice hangs or draws nothing', async () => {
    const reasons: string[] = [];
    for (const script of ['exit 0', 'exec /bin/sleep 1000']) {
      const reason = await drawWith(script).catch((error: Error) => error.message);
      reasons.push(String(reason));
    }
    expect(reasons[0]).toBe('LibreOffice cannot read the document.');
    expect(reasons[1]).toMatch(/takes too long/);
  });
});

/** Draws a document with a script in place of LibreOffice. */
async function drawWith(script: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'trivium-office-'));
  await writeFile(join(directory, 'soffice'), `#!/bin/sh\n${script}\n`);
  await chmod(join(directory, 'soffice'), 0o755);
  const previewer = createPreviewer({ searchPath: directory, limits: { timeoutMs: 3000 } });
  try {
    await previewer.draw({
      path: fixture('preview/document.odt'),
      mimeType: ODT,
      decoder: 'office',
    });
  } finally {
    await previewer.stop();
    await rm(directory, { recursive: true });
  }
}

describe.skipIf(!HAS_OFFICE)('LibreOffice', () => {
  test.each(['document.odt', 'document.docx', 'document.doc', 'sheet.ods'])(
    'draws the first page of %s',
    async (name) => {
      const types: Readonly<Record<string, string>> = {
        'document.odt': ODT,
        'document.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
        'document.doc': 'application/msword',
        'sheet.ods': 'application/vnd.oasis.opendocument.spreadsheet',
      };
      const path = name === 'sheet.ods' ? fixture(name) : fixture(`preview/${name}`);
      const size = await draw(path, types[name] ?? '');
      expect(size.width).toBeGreaterThan(400);
      expect(size.height).toBeGreaterThan(400);
    },
  );

  test('fetches no image that a document refers to', async () => {
    const requests: string[] = [];
    const server = createServer((request, response) => {
      requests.push(request.url ?? '');
      response.end();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const directory = await mkdtemp(join(tmpdir(), 'trivium-office-'));
    try {
      const { port } = server.address() as AddressInfo;
      const path = join(directory, 'file');
      await writeFile(path, await withImage(`http://127.0.0.1:${port}/image.png`));
      expect((await draw(path, ODT)).width).toBeGreaterThan(400);
      expect(requests).toEqual([]);
    } finally {
      server.close();
      await rm(directory, { recursive: true });
    }
  });
});

async function draw(path: string, mimeType: string) {
  const previewer = createPreviewer({ searchPath: SEARCH_PATH });
  return previewer.draw({ path, mimeType, decoder: 'office' }).finally(previewer.stop);
}

/** Returns a text document with an image that is elsewhere. */
async function withImage(url: string): Promise<Buffer> {
  const image =
    '<text:p><draw:frame svg:width="3cm" svg:height="3cm" text:anchor-type="as-char">' +
    `<draw:image xlink:href="${url}" xlink:type="simple" xlink:show="embed" xlink:actuate="onLoad"/>` +
    '</draw:frame></text:p></office:text>';
  const zip = new ZipFile();
  for (const { path, bytes } of readZip(fixtureBytes('preview/document.odt'))) {
    const content =
      path === 'content.xml' ? bytes.toString().replace('</office:text>', image) : bytes;
    if (!path.endsWith('/')) zip.addBuffer(Buffer.from(content), path);
  }
  zip.end();
  return buffer(zip.outputStream);
}
