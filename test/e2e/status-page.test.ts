/**
 * The status page as a person opens it: in a real browser, on the process that serves the API, about a fleet of two
 * processes, with a session that was completed and one that Feishu would not deliver.
 */
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { after, before, it, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { describeInBrowser, openBrowser, type TestBrowser, type Visit } from '../support/browser.js';
import { eventually } from '../support/crowd.js';
import type { Daemon } from '../support/daemon.js';
import { grant } from '../support/grants.js';
import { newScene, type Scene } from '../support/scene.js';
import { ended, newPerson } from '../support/steps.js';

const REASON = 'Quarterly numbers for the board';
const METADATA = 'ticket-of-the-requester';

/** Undone in the order of `t.after`, at the end of all tests. */
const closers: (() => Promise<void> | void)[] = [];
const later: Pick<TestContext, 'after'> = {
  after: (close) => {
    closers.push(close as () => Promise<void>);
  },
};

/** A click, a consent, and a card that cannot be delivered. */
async function live(scene: Scene): Promise<{ failed: string; openIds: string[] }> {
  const { openId } = await grant(scene);
  scene.sim.faults.add({ on: 'api', api: 'message.send', kind: 'code', code: 230013, times: 1 });
  const outside = newPerson(scene, 'Zhou Min');
  const body = { open_id: outside.openId, reason: REASON, metadata: { ticket: METADATA } };
  const asked = await scene.daemon.call('POST', '/v1/sessions', body);
  const failed = String(asked.body.session_id);
  assert.equal((await ended(scene, failed)).state, 'failed');
  return { failed, openIds: [openId, outside.openId] };
}

const look = (page: Page): Promise<unknown> => page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");

describeInBrowser('the status page, in a browser', () => {
  let scene: Scene;
  let gateway: Daemon;
  let api: Daemon;
  let browser: TestBrowser;
  let failed: string;
  let openIds: string[];

  before(async () => {
    [browser, scene] = await Promise.all([openBrowser(), newScene(later, { env: { ROLES: 'gateway' } })]);
    closers.push(() => browser.close());
    gateway = scene.daemon;
    api = await scene.another({ ROLES: 'worker,api' });
    await scene.use(api);
    await api.readiness(200);
    ({ failed, openIds } = await live(scene));
    // What the gateway has told of itself is there: nobody has to wait for it below.
    const told = async (): Promise<boolean> => {
      const { body } = await api.call('GET', '/v1/status');
      const connections = body.processes.flatMap((process: { connections: object[] }) => process.connections);
      return connections[0]?.last_event_at !== undefined && connections[0].last_event_at !== null;
    };
    await eventually(told, 20_000, 'the click is told of');
  });
  after(async () => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  });

  const open = async (options: Parameters<TestBrowser['visit']>[1] = {}): Promise<Visit> => {
    const visit = await browser.visit(`${api.baseUrl()}/`, { locale: 'en-US', ...options });
    await visit.page.locator('#key').fill(api.apiKey);
    await visit.page.locator('form.key button').click();
    await visit.page.locator('.verdict').waitFor();
    return visit;
  };

  it('shows the whole fleet to whoever has a key: connections, sessions, grants, errors with what to do', async () => {
    const { complaints, errors, page, requests } = await open();
    assert.equal(await page.locator('.verdict').getAttribute('data-verdict'), 'works');
    const other = page.locator(`[data-process="${hostname()}:${gateway.pid}"]`);
    assert.equal(await other.locator(`[data-app="${scene.app.appId}"]`).getAttribute('data-state'), 'connected');
    assert.match((await other.textContent()) ?? '', /last event \d+ sec/, 'the click came by this connection');
    assert.equal(await page.locator(`[data-process="${hostname()}:${api.pid}"] .connection`).count(), 0);
    const session = await page.locator(`[data-session-id="${failed}"]`).textContent();
    assert.match(session ?? '', /failed.*for tester/);
    assert.match(
      (await page.locator('[data-section="sessions"] .legend').textContent()) ?? '',
      /authorized 1.*failed 1/,
    );
    assert.equal(await page.locator('[data-grants="active"] b').textContent(), '1');
    assert.equal(await page.locator('[data-queue="card-update"]').count(), 1);
    assert.match((await page.locator('[data-api="im.message.create"]').textContent()) ?? '', /0\.\d%/);
    const error = page.locator('[data-event="session.failed"]');
    assert.match((await error.textContent()) ?? '', /code 230013 · log id \w+/);
    assert.match((await error.locator('.remedy').textContent()) ?? '', /可用范围|[Aa]vailab/);
    assert.ok(requests.length > 8);
    assert.deepEqual(
      requests.filter((url) => !url.startsWith(`${api.baseUrl()}/`)),
      [],
    );
    assert.deepEqual([errors, complaints], [[], []]);
  });

  it('holds no secret, nobody’s id and no text of a requester', async () => {
    const { page } = await open();
    const shown = (await page.content()) + (await api.call('GET', '/v1/status')).text;
    const secrets = [REASON, METADATA, api.apiKey, scene.app.appSecret, api.encryptionKey, ...openIds];
    for (const secret of secrets) assert.ok(!shown.includes(secret), secret);
    assert.doesNotMatch(shown, /\b(u-|ur-|t-|eyJ)[\w.-]{20}/);
    const stored = String(await page.evaluate('JSON.stringify({ ...localStorage })'));
    assert.ok(!stored.includes(api.apiKey), 'the key goes with the tab');
  });

  it('speaks the language of the browser, and the other one on demand', async () => {
    const { page, errors } = await open({ locale: 'zh-CN' });
    assert.equal(await page.locator('.verdict h1').textContent(), '正常');
    const remedy = page.locator('[data-event="session.failed"] .remedy');
    assert.match((await remedy.textContent()) ?? '', /可用范围/);
    await page.locator('[data-language="en_us"]').click();
    assert.equal(await page.locator('.verdict h1').textContent(), 'Works');
    await page.reload();
    assert.equal(await page.locator('.verdict h1').textContent(), 'Works', 'key and language are kept in this tab');
    await page.locator('[data-action="sign-out"]').click();
    await page.locator('#key').waitFor();
    assert.equal(await page.locator('.verdict').count(), 0);
    assert.deepEqual(errors, []);
  });

  it('says what is wrong with a key', async () => {
    const { page } = await browser.visit(`${api.baseUrl()}/`, { locale: 'en-US' });
    await page.locator('#key').fill('not-the-key');
    await page.locator('form.key button').click();
    assert.match((await page.locator('[role="alert"]').textContent()) ?? '', /not valid/);
    assert.equal(await page.locator('.verdict').count(), 0);
  });

  it('fits a phone in both languages', async () => {
    const { page } = await open({ viewport: { width: 360, height: 740 } });
    for (const language of ['en_us', 'zh_cn']) {
      await page.locator(`[data-language="${language}"]`).click();
      const width = (of: string) => page.evaluate(`document.documentElement.${of}`);
      assert.equal(await width('scrollWidth'), await width('clientWidth'), language);
    }
  });

  it('says that what it shows is old when the API does not answer, and is itself again afterwards', async () => {
    const { page } = await open();
    await page.route('**/v1/status', (route) => route.abort());
    await look(page);
    await page.locator('.notice[data-away]').waitFor();
    assert.equal(await page.locator('.status[data-stale]').count(), 1);
    assert.equal(await page.locator('.verdict').getAttribute('data-verdict'), 'works');
    await page.unroute('**/v1/status');
    await look(page);
    await page.locator('.status:not([data-stale])').waitFor();
    assert.equal(await page.locator('.notice').count(), 0);
  });

  it('says what does not work and what to do: Redis is away', async () => {
    const { page } = await open();
    scene.redis.freeze();
    try {
      await look(page);
      await page.locator('.verdict[data-verdict="does_not_work"]').waitFor();
      assert.match((await page.locator('.verdict h1').textContent()) ?? '', /Does not work: Redis does not answer/);
      assert.match(
        (await page.locator('[data-section="connections"]').textContent()) ?? '',
        /other processes are not known/,
      );
      assert.match((await page.locator('.verdict .remedy').textContent()) ?? '', /REDIS_URL/);
    } finally {
      scene.redis.thaw();
    }
  });
});
