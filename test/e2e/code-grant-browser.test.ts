/**
 * The authorization code grant as people see it: the card's button, Feishu's page, the page at the redirect URI, the
 * card that turns to authorized. With SCREENSHOTS=<folder> it leaves a picture of each.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { describeInBrowser, openBrowser, type TestBrowser } from '../support/browser.js';
import { newScene, type Scene } from '../support/scene.js';

const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true };

const WORDS = {
  zh_cn: { authorize: '授权', page: '已授权 Docs Bot', closes: '你可以关闭此页', card: '已授权' },
  en_us: {
    authorize: 'Authorize',
    page: 'Authorized: Docs Bot',
    closes: 'You can close this page',
    card: 'Authorized',
  },
} as const;

describeInBrowser('a user who authorizes by the authorization code grant, in a browser', () => {
  const closers: (() => Promise<void>)[] = [];
  let scene: Scene;
  let browser: TestBrowser;

  before(async () => {
    const way = { grant: 'authorization_code', clicks: 'long_connection' } as const;
    scene = await newScene({ after: (close) => closers.push(close as () => Promise<void>) }, { way });
    browser = await openBrowser();
  });
  after(async () => {
    await browser.close();
    for (const close of closers) await close();
  });

  const picture = async (page: Page, name: string): Promise<void> => {
    const folder = process.env['SCREENSHOTS'];
    if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`) });
  };

  const cases: readonly (readonly [keyof typeof WORDS, string, BrowserContextOptions])[] = [
    ['zh_cn', 'phone', { ...PHONE, locale: 'zh-CN' }],
    ['en_us', 'desktop', { locale: 'en-US' }],
  ];
  for (const [locale, device, context] of cases) {
    it(`gets from the card's button to the authorized card (${locale}, ${device})`, async () => {
      const words = WORDS[locale];
      const user = scene.sim.addUser({ name: locale === 'zh_cn' ? '王芳' : 'Emma', locale });
      const openId = scene.sim.openId(user, scene.app.appId);
      const body = { open_id: openId, scopes: ['docx:document:readonly'], reason: 'Weekly report' };
      const { messageId, sessionId } = await scene.ask(body);
      const visit = await browser.visit(`${scene.sim.baseUrl}/?as=${user.userId}&locale=${locale}`, context);
      const { page } = visit;
      const message = page.getByTestId(`message-${messageId}`);
      await message.getByRole('button', { name: words.authorize, exact: true }).waitFor();
      await picture(page, `${locale}-1-card`);

      const [feishu] = await Promise.all([
        page.context().waitForEvent('page'),
        message.getByRole('button', { name: words.authorize, exact: true }).click(),
      ]);
      await feishu.getByTestId('consent-agree').waitFor();
      assert.equal(await feishu.getByTestId('consent-app').textContent(), 'Docs Bot');
      await scene.shows(messageId, '"action":"agreed"');
      assert.equal((await scene.session(sessionId)).state, 'authorizing', 'the click was told as well');
      const account = feishu.getByTestId('consent-user');
      if ((await account.count()) > 0 && (await account.first().evaluate((one) => one.tagName)) === 'SELECT') {
        await account.selectOption(user.userId);
      }
      await picture(feishu, `${locale}-2-feishu`);
      await feishu.getByTestId('consent-agree').click();

      await feishu.getByRole('heading', { name: words.page }).waitFor();
      await feishu.getByText(words.closes).waitFor();
      assert.ok(feishu.url().startsWith(scene.entrance?.redirectUri ?? 'none'));
      const overflow = Number(await feishu.evaluate('document.documentElement.scrollWidth - innerWidth'));
      assert.ok(overflow <= 0, `the page is ${overflow} px too wide`);
      await picture(feishu, `${locale}-3-callback`);

      await message.getByTestId('card-title').filter({ hasText: words.card }).waitFor();
      await picture(page, `${locale}-4-authorized`);
      assert.equal((await scene.session(sessionId)).state, 'completed');
      assert.deepEqual(visit.errors, []);
    });
  }
});
