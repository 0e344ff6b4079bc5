import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, it } from 'node:test';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { describeInBrowser, openBrowser, type TestBrowser } from '../support/browser.js';
import { both, type CallbackServer, CODE, GOOD, KINDS, newCallbackServer, OUTCOMES } from './callback-support.js';

const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true };
const DESKTOP = { viewport: { width: 1280, height: 800 } };
const BOTH = ['zh-CN', 'en'];
const LONG_NAMES = { client: both('没有空格的很长的客户端名字'.repeat(10)), app: 'x'.repeat(200) };

/** What the browser complains about: violations of the policy are errors on its console. */
function complaints(page: Page): string[] {
  const found: string[] = [];
  page.on('console', (message) => found.push(message.text()));
  page.on('pageerror', (error) => found.push(error.message));
  return found;
}

const visibleHeadings = (page: Page): Promise<string[]> => page.locator('h1:visible').allTextContents();

interface Look {
  /** Of the visible texts. */
  readonly languages: readonly string[];
  /** Pixels by which the page is wider than the window. */
  readonly overflow: number;
  /** The lowest of any visible text with the background behind it (WCAG 2.1 §1.4.3 wants 4.5). */
  readonly contrast: number;
  readonly smallestText: number;
}

const LOOK = `(() => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => numbers(color).slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const backOf = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    return numbers(color)[3] === 0 && element.parentElement ? backOf(element.parentElement) : color;
  };
  const visible = (selector) => [...document.querySelectorAll(selector)].filter((e) => e.offsetParent !== null);
  const texts = visible('h1,h2,p,li,dt,dd,label');
  const ratios = texts.map((e) => [light(getComputedStyle(e).color), light(backOf(e))].sort((a, b) => b - a))
    .map(([a, b]) => (a + 0.05) / (b + 0.05));
  return {
    languages: visible('section').map((e) => e.lang),
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    contrast: Math.min(...ratios),
    smallestText: Math.min(...texts.map((e) => parseFloat(getComputedStyle(e).fontSize))),
  };
})()`;
const lookAt = (page: Page): Promise<Look> => page.evaluate(LOOK);

describeInBrowser('the pages of the callback server, in a browser', () => {
  let browser: TestBrowser;
  let server: CallbackServer;
  before(async () => {
    [browser, server] = await Promise.all([openBrowser(), newCallbackServer()]);
  });
  after(async () => {
    await browser.close();
    await server.app.close();
  });

  const open = async (options: BrowserContextOptions) => {
    const { page } = await browser.visit('about:blank', options);
    const found = complaints(page);
    return { page, found };
  };

  for (const [size, options] of Object.entries({
    'a phone, in the dark': { ...PHONE, colorScheme: 'dark' },
    'a desktop': DESKTOP,
  } as const)) {
    it(`fit ${size} and are readable in both languages`, async () => {
      const { page, found } = await open({ ...options, locale: 'zh-CN' });
      const outcomes = [...KINDS.map((kind) => OUTCOMES[kind]), { ...OUTCOMES.failed, names: LONG_NAMES }];
      for (const outcome of outcomes) {
        server.answer = () => outcome;
        await page.goto(server.url + GOOD);
        const inChinese = await lookAt(page);
        // Pages that load themselves again would forget a choice: they show both at once.
        const together = outcome.kind === 'working' || outcome.kind === 'unavailable';
        if (!together) await page.evaluate("document.getElementById('en').checked = true");
        const inEnglish = await lookAt(page);
        const languages = together ? [BOTH, BOTH] : [['zh-CN'], ['en']];
        assert.deepEqual([inChinese.languages, inEnglish.languages], languages, outcome.kind);
        for (const look of [inChinese, inEnglish]) {
          assert.equal(look.overflow, 0, outcome.kind);
          assert.ok(look.contrast >= 4.5, `${outcome.kind}: ${look.contrast}`);
          assert.ok(look.smallestText >= 14, outcome.kind);
        }
      }
      // 4xx and 5xx pages are told of on the console, too; nothing else is.
      assert.deepEqual(
        found.filter((text) => !/status of (400|503)/.test(text)),
        [],
      );
      await page.context().close();
    });
  }

  it('switch the language by finger and by keyboard, without a request and without losing the page', async () => {
    server.answer = () => OUTCOMES.completed;
    const { page, found } = await open({ ...PHONE, locale: 'zh-CN', javaScriptEnabled: false });
    await page.goto(server.url + GOOD);
    const received = server.received.length;
    assert.deepEqual(await visibleHeadings(page), ['已授权 周报助手']);
    await page.locator('label[for=en]').tap();
    assert.deepEqual(await visibleHeadings(page), ['Authorized: Weekly Reports']);
    await page.keyboard.press('ArrowLeft');
    assert.deepEqual(await visibleHeadings(page), ['已授权 周报助手']);
    assert.equal(server.received.length, received);
    assert.deepEqual(found, []);
    await page.context().close();
  });

  it('ask again by themselves while the flow works, at the same address, until there is a result', async () => {
    server.answer = () => OUTCOMES.working;
    const { page } = await open({ ...PHONE, locale: 'zh-CN' });
    await page.goto(server.url + GOOD);
    assert.deepEqual(await visibleHeadings(page), ['正在核对你的授权', 'Checking your authorization']);
    const before = server.received.length;
    server.answer = () => OUTCOMES.completed;
    await page.locator('h1:visible', { hasText: '已授权' }).waitFor();
    assert.equal(server.received[before]?.code, CODE);
    assert.equal(server.received.length, before + 1);
    await page.context().close();
  });

  it('show a name that tries to be HTML, or to be written backwards, as text', async () => {
    const name = '<img src=x onerror=alert(1)><style>*{display:none}</style>';
    server.answer = () => ({ kind: 'completed', names: { client: both(name), app: name } });
    const { page, found } = await open({ ...PHONE, locale: 'en-US' });
    await page.goto(server.url + GOOD);
    assert.deepEqual(await visibleHeadings(page), [`Authorized: ${name}`]);
    assert.equal(await page.locator('img').count(), 0);
    assert.deepEqual(found, []);
    await page.context().close();
  });

  it('cannot be framed by another site', async (test) => {
    server.answer = () => OUTCOMES.completed;
    const { page, found } = await open(DESKTOP);
    const other = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(`<iframe src="${server.url}${GOOD}"></iframe>`);
    }).listen(0, '127.0.0.1');
    test.after(() => other.close());
    await once(other, 'listening');
    await page.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`);
    assert.equal(await page.frames().at(-1)?.locator('main').count(), 0);
    assert.match(found.join('\n'), /frame-ancestors 'none'/);
    await page.context().close();
  });
});
