import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { type Demo, startDemo } from '../simulator/demo/start.js';
import { describeInBrowser, openBrowser, type TestBrowser } from '../support/browser.js';

const PHONE = { viewport: { width: 375, height: 740 }, deviceScaleFactor: 2, hasTouch: true };
/** From consent to the authorized card: the daemon's poll, at the pace Feishu names. */
const CONSENT_SHOWN_MS = 30_000;

/** What the page says in each language. */
const WORDS = {
  zh_cn: {
    authorize: '授权',
    decline: '拒绝',
    open: '打开授权页',
    agreed: '我已同意',
    done: /^已授权/,
    offer: /申请以你的身份访问飞书/,
    revoke: '撤销授权',
    warning: /授权只有一份.*2 小时/,
    withdrawn: '已撤销授权',
  },
  en_us: {
    authorize: 'Authorize',
    decline: 'Decline',
    open: 'Open authorization page',
    agreed: 'I have agreed',
    done: /^(Authorized|You authorized)/i,
    offer: /asks to act as you in Feishu/,
    revoke: 'Revoke',
    warning: /one authorization from you: .*up to 2 hours/,
    withdrawn: 'Authorization withdrawn',
  },
} as const;

describeInBrowser('the demo, used in a browser', () => {
  let demo: Demo;
  let browser: TestBrowser;
  const stop = new AbortController();

  before(async () => {
    const say = (): void => undefined;
    demo = await startDemo({ redis: { command: 'redis-server' }, signal: stop.signal, say });
    browser = await openBrowser();
  });

  after(async () => {
    await browser.close();
    await demo.stop();
  });

  const visit = (user: string, locale: string) => browser.visit(`${demo.url}/?as=${user}&locale=${locale}`);

  /** Sends a card from the panel and gives the message it made. */
  const ask = async (page: Page, user: string): Promise<Locator> => {
    await page.getByTestId('ask-user').selectOption(user);
    await page.getByTestId('ask-send').click();
    await page.locator('[data-testid="ask-state"][data-state="pending"]').waitFor();
    const message = page.locator('.message[data-kind="card"]').last();
    await message.waitFor();
    return message;
  };

  const openedPage = (page: Page): FrameLocator => page.getByTestId('web-view').locator('iframe').contentFrame();

  for (const [locale, user] of [
    ['zh_cn', 'lilei'],
    ['en_us', 'emma'],
  ] as const) {
    it(`takes a user from the card to a token and back, the card turning by itself (${locale})`, async () => {
      const words = WORDS[locale];
      const { page, errors } = await visit(user, locale);
      const message = await ask(page, user);
      await message.getByTestId('card-title').filter({ hasText: words.offer }).waitFor();

      await message.getByRole('button', { name: words.authorize, exact: true }).click();
      await message.getByRole('button', { name: words.open }).click();
      const consent = openedPage(page);
      const code = (await consent.getByTestId('consent-code').textContent()) ?? '';
      await message.getByText(code).waitFor();
      assert.equal(await consent.getByTestId('consent-user').inputValue(), user);
      await consent.getByTestId('consent-agree').click();
      await consent.locator('[data-testid="consent-result"][data-result="agreed"]').waitFor();
      await page.getByTestId('web-view-close').click();

      await message.getByTestId('card-title').filter({ hasText: words.done }).waitFor({ timeout: CONSENT_SHOWN_MS });
      assert.equal(await message.getByTestId('card-header').getAttribute('data-template'), 'green');
      await page.locator('[data-testid="ask-state"][data-state="completed"]').waitFor();
      assert.ok(Number(await page.getByTestId('ask-token').getAttribute('data-length')) > 1000);

      const revoke = message.getByRole('button', { name: words.revoke, exact: true });
      await revoke.click();
      assert.match((await page.getByTestId('confirm').textContent()) ?? '', words.warning);
      await page.getByTestId('confirm-cancel').click();
      await revoke.click();
      await page.getByTestId('confirm-ok').click();
      await page.getByTestId('card-title').getByText(words.withdrawn, { exact: true }).waitFor();
      assert.equal(await page.getByTestId('card-title').filter({ hasText: words.done }).count(), 1, 'it stays');
      assert.deepEqual(errors, []);
    });
  }

  it('lets nobody else use the card, takes a refusal on it, and starts again on it', async () => {
    const { page } = await visit('hanmeimei', 'zh_cn');
    const message = await ask(page, 'hanmeimei');
    await page.getByTestId('acting-user').selectOption('lilei');
    await message.getByRole('button', { name: WORDS.zh_cn.authorize, exact: true }).click();
    await page.getByTestId('toast').waitFor();
    await message.getByTestId('card-title').filter({ hasText: WORDS.zh_cn.offer }).waitFor();
    await page.getByTestId('acting-user').selectOption('hanmeimei');
    await message.getByRole('button', { name: WORDS.zh_cn.decline, exact: true }).click();
    await page.locator('[data-testid="ask-state"][data-state="rejected"]').waitFor();
    await message.getByRole('button', { name: '重新申请' }).click();
    await message.getByRole('button', { name: WORDS.zh_cn.open }).waitFor();
    await page.locator('[data-testid="ask-state"][data-state="authorizing"]').waitFor();
    await message.getByRole('button', { name: WORDS.zh_cn.decline, exact: true }).click();
    await page.locator('[data-testid="ask-state"][data-state="rejected"]').waitFor();
  });

  it('works on a phone: the plain link, the page, and "I have agreed" at once', async () => {
    const words = WORDS.en_us;
    const { page } = await visit('hanmeimei', 'en_us');
    const message = await ask(page, 'hanmeimei');
    await message.getByRole('button', { name: words.authorize, exact: true }).click();
    const link = (await message.locator('a.md-link').getAttribute('href')) ?? '';
    const phone = await browser.visit(`${link}&as=hanmeimei&locale=en_us`, PHONE);
    await phone.page.getByTestId('consent-agree').tap();
    await phone.page.locator('[data-testid="consent-result"][data-result="agreed"]').waitFor();
    await message.getByRole('button', { name: words.agreed }).click();
    await page.locator('[data-testid="ask-state"][data-state="completed"]').waitFor({ timeout: CONSENT_SHOWN_MS });
    await message.getByTestId('card-title').filter({ hasText: words.done }).waitFor();
  });
});
