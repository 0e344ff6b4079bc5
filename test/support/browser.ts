/**
 * A headless Chromium for tests of the pages, one per test file, one fresh context per visit. The path comes from
 * `npm test` (TEST_CHROMIUM) or is Debian's; where there is none, tests skip with the reason.
 */
import { accessSync, constants } from 'node:fs';
import { describe, it } from 'node:test';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const DEBIAN_CHROMIUM = '/usr/bin/chromium';
const STEP_MS = 10_000;
/** Nothing but the pages under test: no first run, no updates, no network of the browser's own. */
const ARGUMENTS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

/**
 * A suite that needs the browser. Without one it is a single test, skipped with the reason: a skipped suite would not
 * show up in the runner's counts.
 */
export function describeInBrowser(name: string, define: () => void): void {
  if (isExecutable(executablePath())) describe(name, define);
  else it(name, { skip: process.env['TEST_CHROMIUM_MISSING'] ?? `no browser at ${executablePath()}` });
}

export interface Visit {
  readonly page: Page;
  /** Errors of the page's scripts; a test expects none. */
  readonly errors: string[];
  /** What the browser itself complains of: refused by the page's policy, not found. */
  readonly complaints: string[];
  /** Addresses the page has asked for. */
  readonly requests: string[];
}

export interface TestBrowser {
  /** Opens an address in a context of its own: no storage of earlier visits. */
  visit(url: string, options?: BrowserContextOptions): Promise<Visit>;
  close(): Promise<void>;
}

export async function openBrowser(): Promise<TestBrowser> {
  const browser: Browser = await chromium.launch({ executablePath: executablePath(), args: ARGUMENTS });
  return {
    async visit(url, options = {}) {
      const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
      context.setDefaultTimeout(STEP_MS);
      const page = await context.newPage();
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(error.message));
      const complaints: string[] = [];
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      const requests: string[] = [];
      page.on('request', (request) => requests.push(request.url()));
      await page.goto(url);
      return { page, errors, complaints, requests };
    },
    close: () => browser.close(),
  };
}

const executablePath = (): string => process.env['TEST_CHROMIUM'] ?? DEBIAN_CHROMIUM;

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
