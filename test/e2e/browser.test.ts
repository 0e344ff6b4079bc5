import assert from 'node:assert/strict';
import { after, before, beforeEach, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeInBrowser } from '../support/browser.js';
import { button, cardOf, messageOn, type PageScene, startPageScene, text } from '../support/page-scene.js';

describeInBrowser('the chat page, in a browser', () => {
  let scene: PageScene;

  before(async () => {
    scene = await startPageScene();
  });

  after(async () => {
    await scene.close();
  });

  beforeEach(() => {
    scene.answer = () => ({});
    scene.clicks.length = 0;
  });

  it('draws a card as Feishu does: header colour, title, marks, columns, button types', async () => {
    const messageId = await scene.sendCard({
      ...cardOf(
        {
          tag: 'markdown',
          content: "**粗** <font color='grey'>灰</font> [链接](https://open.feishu.cn/a)\n- 一\n- 二",
        },
        { tag: 'hr' },
        {
          tag: 'column_set',
          columns: [
            { tag: 'column', elements: [button('授权', 'Authorize', { type: 'primary_filled' })] },
            {
              tag: 'column',
              elements: [button('拒绝', 'Decline', { disabled: true, disabled_tips: text('已用', 'used') })],
            },
          ],
        },
      ),
      header: { title: text('已授权', 'Authorized'), template: 'green' },
    });
    const visit = await scene.open();
    const message = messageOn(visit, messageId);
    assert.equal(await message.getByTestId('card-header').getAttribute('data-template'), 'green');
    assert.equal(await message.getByTestId('card-title').textContent(), '已授权');
    const markdown = message.getByTestId('card-markdown');
    assert.equal(await markdown.locator('b').textContent(), '粗');
    assert.equal(await markdown.locator('.font-grey').textContent(), '灰');
    assert.equal(await markdown.locator('a').getAttribute('href'), 'https://open.feishu.cn/a');
    assert.deepEqual(await markdown.locator('li').allTextContents(), ['一', '二']);
    const [authorize, decline] = [
      message.getByTestId('card-button').first(),
      message.getByTestId('card-button').last(),
    ];
    assert.equal(await authorize.getAttribute('data-type'), 'primary_filled');
    assert.equal(await decline.isDisabled(), true);
    assert.equal(await decline.getAttribute('title'), '已用');
    assert.deepEqual(visit.errors, []);
  });

  it('never makes markup, links or scripts of text', async () => {
    const nasty = '<img src=x onerror="window.hit=1"> **b** [x](javascript:window.hit=1) <at id=all></at>';
    const messageId = await scene.sendCard(
      cardOf(
        { tag: 'div', text: text(nasty, nasty) },
        { tag: 'markdown', content: '\\*\\*b\\*\\* \\[x\\](a.b) &lt;b&gt;' },
      ),
    );
    const markdownId = await scene.sendCard(cardOf({ tag: 'markdown', content: nasty }));
    const visit = await scene.open();
    const message = messageOn(visit, messageId);
    assert.equal(await message.getByTestId('card-text').textContent(), nasty);
    assert.equal(await message.getByTestId('card-text').locator('*').count(), 0);
    const escaped = message.getByTestId('card-markdown');
    assert.equal(await escaped.textContent(), '**b** [x](a.b) <b>');
    assert.equal(await escaped.locator('b, a').count(), 0);
    const marked = messageOn(visit, markdownId).getByTestId('card-markdown');
    assert.equal(await marked.locator('img, a').count(), 0);
    assert.equal(await visit.page.evaluate(() => 'hit' in globalThis), false);
    assert.deepEqual(visit.errors, []);
  });

  it('shows the page and the cards in the chosen language', async () => {
    const messageId = await scene.sendCard(cardOf(button('授权', 'Authorize')));
    const visit = await scene.open({ locale: 'zh_cn' });
    const message = messageOn(visit, messageId);
    assert.equal(await message.getByTestId('card-button').textContent(), '授权');
    await visit.page.getByTestId('language-en_us').click();
    assert.equal(await message.getByTestId('card-button').textContent(), 'Authorize');
    assert.equal(await message.getByTestId('card-title').textContent(), 'Title');
    await visit.page.getByRole('heading', { name: 'Messages' }).waitFor();
  });

  it('holds the card still while a click is in hand, then shows the answer’s card and toast', async () => {
    const messageId = await scene.sendCard(cardOf(button('授权', 'Authorize'), button('拒绝', 'Decline')));
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    scene.answer = async () => {
      await held;
      return {
        toast: { type: 'success', content: 'done', i18n: { zh_cn: '好了', en_us: 'done' } },
        card: { type: 'raw', data: cardOf({ tag: 'markdown', content: '完成' }) },
      };
    };
    const visit = await scene.open();
    const message = messageOn(visit, messageId);
    await message.getByRole('button', { name: '授权' }).click();
    await message.locator('[data-testid="card-button"][data-loading]').waitFor();
    assert.equal(await message.getByRole('button', { name: '拒绝' }).isDisabled(), true);
    release();
    await message.getByText('完成').waitFor();
    const toast = visit.page.getByTestId('toast');
    assert.equal(await toast.getAttribute('data-type'), 'success');
    assert.match((await toast.textContent()) ?? '', /好了/);
    assert.deepEqual(
      scene.clicks.map((click) => (click['action'] as { value: unknown }).value),
      [{ action: 'Authorize' }],
    );
  });

  it('clicks as whoever sits there', async () => {
    const colleague = scene.simulator.addUser({ name: '韩梅梅' });
    const messageId = await scene.sendCard(cardOf(button('授权', 'Authorize')));
    const visit = await scene.open();
    await visit.page.getByTestId('acting-user').selectOption(colleague.userId);
    const settled = scene.simulator.waitFor('click.settled');
    await messageOn(visit, messageId).getByTestId('card-button').click();
    await settled;
    const operator = scene.clicks[0]?.['operator'] as { open_id: string };
    assert.equal(operator.open_id, scene.simulator.openId(colleague, scene.app.appId));
  });

  it('asks before a behavior with a confirmation, and sends nothing when it is cancelled', async () => {
    const confirm = { title: text('确定拒绝？', 'Decline?'), text: text('不会授权', 'Nothing is granted') };
    const messageId = await scene.sendCard(cardOf(button('拒绝', 'Decline', { confirm })));
    const visit = await scene.open();
    const decline = messageOn(visit, messageId).getByTestId('card-button');
    await decline.click();
    assert.match((await visit.page.getByTestId('confirm').textContent()) ?? '', /确定拒绝？不会授权/);
    await visit.page.getByTestId('confirm-cancel').click();
    await visit.page.getByTestId('confirm').waitFor({ state: 'detached' });
    const settled = scene.simulator.waitFor('click.settled');
    await decline.click();
    await visit.page.getByTestId('confirm-ok').click();
    await settled;
    assert.equal(scene.clicks.length, 1);
  });

  it('words the errors of the client, in both languages', async () => {
    const messageId = await scene.sendCard(cardOf(button('授权', 'Authorize')));
    const visit = await scene.open();
    const press = messageOn(visit, messageId).getByTestId('card-button');
    scene.answer = () => {
      throw new Error('broken handler');
    };
    await press.click();
    await visit.page.getByText('出错了，请稍后重试 code: 200671').waitFor();
    scene.answer = () => sleep(4000);
    await press.click();
    await visit.page.getByText('出错了，请稍后重试 code: 200341').waitFor();
    scene.disconnect();
    await visit.page.locator('[data-testid="connections"][data-count="0"]').waitFor();
    await visit.page.getByTestId('language-en_us').click();
    await press.click();
    await visit.page.getByText('Something went wrong. Please try again later. code: 200340').waitFor();
    await scene.connect();
  });

  it('shows a changed card at once and keeps a panel open that was opened', async () => {
    const panel = (body: string): Record<string, unknown> => ({
      tag: 'collapsible_panel',
      header: { title: text('权限', 'Scopes') },
      elements: [{ tag: 'markdown', content: body }],
    });
    const messageId = await scene.sendCard(cardOf(panel('旧')));
    const visit = await scene.open();
    const message = messageOn(visit, messageId);
    assert.equal(await message.getByText('旧').isVisible(), false);
    await message.getByTestId('card-panel-title').click();
    await message.getByText('旧').waitFor();
    await scene.patch(messageId, cardOf(panel('新')));
    await message.getByText('新').waitFor();
  });

  it('opens an applink to the authorization page beside the chat', async () => {
    const target = `${scene.simulator.baseUrl}/oauth/v1/device/verify?user_code=NONE-NONE`;
    const applink = `${scene.simulator.baseUrl}/client/web_url/open?mode=sidebar-semi&url=${encodeURIComponent(target)}`;
    const messageId = await scene.sendCard(
      cardOf(button('打开授权页', 'Open', { behaviors: [{ type: 'open_url', default_url: applink }] })),
    );
    const visit = await scene.open();
    await messageOn(visit, messageId).getByTestId('card-button').click();
    const view = visit.page.getByTestId('web-view');
    const result = view.locator('iframe').contentFrame().getByTestId('consent-result');
    assert.equal(await result.getAttribute('data-result'), 'unknown');
    await visit.page.getByTestId('web-view-close').click();
    assert.equal(await view.count(), 0);
  });
});
