import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { ask } from '../simulator/support/scene.js';
import { describeInBrowser, type Visit } from '../support/browser.js';
import { type PageScene, startPageScene } from '../support/page-scene.js';

const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true };
const SCOPES = [
  'offline_access',
  'calendar:calendar:readonly',
  'some:very:long:scope:name:that:nobody:has:words:for:readonly',
];

describeInBrowser('the consent page, in a browser', () => {
  let scene: PageScene;

  before(async () => {
    scene = await startPageScene();
  });

  after(async () => {
    await scene.close();
  });

  /** Asks for a device code as the daemon does; the page's path and the codes. */
  const newLink = async (): Promise<{ path: string; userCode: string; deviceCode: string }> => {
    const credentials = Buffer.from(`${scene.app.appId}:${scene.app.appSecret}`).toString('base64');
    const form = new URLSearchParams({ client_id: scene.app.appId, scope: SCOPES.join(' ') }).toString();
    const { body } = await ask(scene.simulator, 'POST', '/oauth/v1/device_authorization', form, {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${credentials}`,
    });
    const complete = new URL(String(body['verification_uri_complete']));
    return {
      path: complete.pathname + complete.search,
      userCode: String(body['user_code']),
      deviceCode: String(body['device_code']),
    };
  };

  const open = async (path: string, locale = 'zh_cn'): Promise<Visit> =>
    scene.openPath(`${path}${path.includes('?') ? '&' : '?'}locale=${locale}&as=${scene.user.userId}`, PHONE);

  const grantedTo = (
    deviceCode: string,
  ): { userId: string | undefined; scopes: string[] | undefined; state: string } => {
    const code = scene.simulator.deviceCodes().find((candidate) => candidate.deviceCode === deviceCode);
    return { userId: code?.user?.userId, scopes: code?.grantedScopes, state: code?.state ?? 'unknown' };
  };

  for (const [locale, agree, title] of [
    ['zh_cn', '同意授权', '申请获得以下权限'],
    ['en_us', 'Authorize', 'asks for these permissions'],
  ] as const) {
    it(`fits a phone and says who asks, who agrees, for what and with which code (${locale})`, async () => {
      const link = await newLink();
      const { page, errors } = await open(link.path, locale);
      await page.getByText(title).waitFor();
      assert.equal(await page.getByTestId('consent-app').textContent(), '订单助手');
      assert.equal(await page.getByTestId('consent-code').textContent(), link.userCode);
      assert.equal(await page.getByTestId('consent-user').inputValue(), scene.user.userId);
      for (const scope of SCOPES) assert.equal(await page.getByTestId(`consent-scope-${scope}`).isChecked(), true);
      const overflow = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      assert.equal(overflow, 0);
      const button = page.getByTestId('consent-agree');
      assert.equal(await button.textContent(), agree);
      const box = await button.boundingBox();
      assert.ok(
        box && box.height >= 44 && box.x >= 0 && box.x + box.width <= PHONE.viewport.width,
        JSON.stringify(box),
      );
      assert.deepEqual(errors, []);
    });
  }

  it('grants the ticked scopes to whoever is logged in', async () => {
    const other = scene.simulator.addUser({ name: 'Emma Jones', locale: 'en_us' });
    const link = await newLink();
    const { page } = await open(link.path);
    await page.getByTestId('consent-user').selectOption(other.userId);
    await page.getByTestId('consent-scope-calendar:calendar:readonly').uncheck();
    await page.getByTestId('consent-agree').click();
    await page.locator('[data-testid="consent-result"][data-result="agreed"]').waitFor();
    const granted = grantedTo(link.deviceCode);
    assert.equal(granted.userId, other.userId);
    assert.deepEqual(granted.scopes, [SCOPES[0], SCOPES[2]]);
    await page.reload();
    await page.locator('[data-testid="consent-result"][data-result="used"]').waitFor();
  });

  it('cannot agree to nothing', async () => {
    const link = await newLink();
    const { page } = await open(link.path);
    for (const scope of SCOPES) await page.getByTestId(`consent-scope-${scope}`).uncheck();
    assert.equal(await page.getByTestId('consent-agree').isDisabled(), true);
  });

  it('refuses, and says so', async () => {
    const link = await newLink();
    const { page } = await open(link.path, 'en_us');
    await page.getByTestId('consent-refuse').click();
    await page.getByText('Authorization refused').waitFor();
    assert.equal(grantedTo(link.deviceCode).state, 'denied');
  });

  it('tells that the link has died while the page was open', async () => {
    const link = await newLink();
    const { page } = await open(link.path);
    await page.getByTestId('consent-agree').waitFor();
    scene.simulator.expireDeviceCode(link.userCode);
    await page.getByTestId('consent-agree').click();
    await page.locator('[data-testid="consent-result"][data-result="expired"]').waitFor();
    assert.equal(grantedTo(link.deviceCode).userId, undefined);
  });

  it('takes a typed code and refuses one that does not exist', async () => {
    const link = await newLink();
    const { page } = await open('/oauth/v1/device/verify');
    await page.getByTestId('consent-code-field').fill(link.userCode.toLowerCase());
    await page.getByTestId('consent-continue').click();
    await page.getByTestId('consent-agree').waitFor();
    const missing = await open('/oauth/v1/device/verify?user_code=WXYZ-WXYZ');
    await missing.page.locator('[data-testid="consent-result"][data-result="unknown"]').waitFor();
  });

  it('turns away an account the app is not available to', async () => {
    const outsider = scene.simulator.addUser({ name: '外人' });
    scene.simulator.changeApp(scene.app.appId, { available: [scene.user] });
    const link = await newLink();
    const { page } = await open(link.path);
    await page.getByTestId('consent-user').selectOption(outsider.userId);
    await page.getByTestId('consent-agree').click();
    await page.getByText('20010').waitFor();
    scene.simulator.changeApp(scene.app.appId, { available: undefined });
  });
});
