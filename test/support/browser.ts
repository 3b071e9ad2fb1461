import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

/** Whether this machine has a browser. Tests that need one are skipped otherwise, by name. */
export const HAS_BROWSER = existsSync(CHROMIUM);

/**
 * Runs `work` with a page of a new browser, which opens no connection of its own, and with the URLs that the page has asked
 * for so far, then closes the browser.
 */
export function withPage<T>(
  url: string,
  work: (page: Page, asked: string[]) => Promise<T>,
): Promise<T> {
  return withBrowser(async (browser) => {
    const page = await browser.newPage();
    const asked: string[] = [];
    page.on('request', (request) => void asked.push(request.url()));
    await page.goto(url);
    return await work(page, asked);
  });
}

/** Runs `work` with a new browser, which opens no connection of its own, then closes the browser. */
export async function withBrowser<T>(work: (browser: Browser) => Promise<T>): Promise<T> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
  });
  try {
    return await work(browser);
  } finally {
    await browser.close();
  }
}
