import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { findLeaks } from '../support/leaks.js';
import {
  both,
  type CallbackServer,
  CODE,
  GOOD,
  KINDS,
  type Kind,
  NAMES,
  newCallbackServer,
  OUTCOMES,
  type Page,
  STATE,
} from './callback-support.js';
import { rawGet, sendRaw, statusOf } from './raw.js';

const ZH = { headers: { 'accept-language': 'zh-CN,zh;q=0.9' } };
const EN = { headers: { 'accept-language': 'en-US,en;q=0.9' } };

/** The heading of each page, Chinese and English. */
const HEADINGS: Readonly<Record<Kind, readonly [string, string]>> = {
  completed: ['已授权 周报助手', 'Authorized: Weekly Reports'],
  missing_scopes: ['授权还缺几项权限', 'Some permissions are missing'],
  wrong_account: ['点同意的不是你的账号', 'That was not your account'],
  failed: ['周报助手 的授权没有完成', 'The authorization of Weekly Reports did not finish'],
  try_again: ['还没有完成，请再打开一次链接', 'Not finished: open the link once more'],
  refused: ['飞书没有让授权继续', 'Feishu did not let the authorization go on'],
  declined: ['你已拒绝 周报助手 的申请', 'You declined Weekly Reports'],
  expired: ['申请已过期，没有新增任何授权', 'Request expired, nothing new was authorized'],
  superseded: ['已被新的申请取代', 'Replaced by a newer request'],
  invalidated: ['申请已取消', 'Request cancelled'],
  working: ['正在核对你的授权', 'Checking your authorization'],
  used: ['这个链接已经用过', 'This link has been used'],
  invalid: ['链接无效', 'This link is not valid'],
  incomplete: ['这里没有要处理的授权', 'There is nothing to authorize here'],
  unavailable: ['暂时处理不了', 'Not possible right now'],
};
const STATUSES: Partial<Record<Kind, number>> = { invalid: 400, incomplete: 400, unavailable: 503 };
const REFRESHES: Partial<Record<Kind, string>> = { working: '2', unavailable: '10' };

/** Text without its tags. */
const textOf = (html: string): string => html.replace(/<style>[\s\S]*?<\/style>/, '').replace(/<[^>]*>/g, '');
const headingsOf = ({ html }: Page): string[] =>
  [...html.matchAll(/<h1>(.*?)<\/h1>/g)].map((match) => textOf(match[1] ?? ''));

describe('the callback server', () => {
  let server: CallbackServer;
  before(async () => {
    server = await newCallbackServer({ redirectPaths: ['/callback', '/auth:feishu/%E8%BF%94/callback'] });
  });
  beforeEach(() => {
    server.received.length = 0;
    server.answer = () => OUTCOMES.completed;
  });
  after(() => server.app.close());

  const assertLocked = ({ headers, html }: Page): void => {
    const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    const policy = `default-src 'none'; style-src 'sha256-${hash}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`;
    const expected = {
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'x-robots-tag': 'noindex',
      'x-feishu-authd': 'callback',
      'content-type': 'text/html; charset=utf-8',
    };
    assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, headers.get(name)])), expected);
    assert.match(headers.get('permissions-policy') ?? '', /camera=\(\)/);
    assert.doesNotMatch(html, /<script|javascript:|\son\w+=|style=|<link|<img|src=|href=/i);
  };

  describe('shows each outcome in both languages, the preferred one first, on a locked-down page', () => {
    for (const kind of KINDS) {
      it(kind, async () => {
        server.answer = () => OUTCOMES[kind];
        const [zh, en] = HEADINGS[kind];
        const inChinese = await server.get(GOOD, ZH);
        const inEnglish = await server.get(GOOD, EN);
        assert.deepEqual(headingsOf(inChinese), [zh, en]);
        assert.deepEqual(headingsOf(inEnglish), [en, zh]);
        for (const page of [inChinese, inEnglish]) {
          assert.equal(page.status, STATUSES[kind] ?? 200);
          assertLocked(page);
          const refresh = /<meta http-equiv="refresh" content="(\d+)">/.exec(page.html)?.[1];
          assert.equal(refresh, REFRESHES[kind]);
          assert.doesNotMatch(page.html, /\{\{|undefined|null/);
        }
        assert.match(inChinese.html, /<html lang="zh-CN">/);
        assert.match(inChinese.html, new RegExp(`<title>${zh} · ${en}</title>`));
        assert.match(inEnglish.html, /<html lang="en">/);
        assert.deepEqual(
          [inChinese, inEnglish].map(({ html }) => /id="(\w+)"[^>]* checked/.exec(html)?.[1]),
          kind in REFRESHES ? [undefined, undefined] : ['zh', 'en'],
        );
        assert.equal(inChinese.headers.get('retry-after'), kind === 'unavailable' ? '10' : null);
      });
    }
  });

  it('passes on the three parameters, decoded, and nothing else', async () => {
    await server.get('/callback?code=a%2Bb+c&state=s&error=access_denied&extra=1&extra=2&session_state=x');
    await server.get('/callback?state=s&code=');
    assert.deepEqual(server.received, [
      { code: 'a+b c', state: 's', error: 'access_denied' },
      { code: null, state: 's', error: null },
    ]);
  });

  it('takes redirects at the path that is registered, also one the router would misread', async () => {
    const page = await server.get(`/auth:feishu/%E8%BF%94/callback?code=${CODE}&state=${STATE}`);
    assert.deepEqual([page.status, server.received.length], [200, 1]);
    assert.equal((await server.get(`/authXfeishu/%E8%BF%94/callback?code=${CODE}`)).status, 404);
  });

  it('tells a probe without parameters that nothing came with it, and by a header who answers', async () => {
    for (const path of ['/callback', '/callback?', '/callback?code=&state=&error=', '/callback?x=1']) {
      const page = await server.get(path);
      assert.deepEqual([page.status, page.headers.get('x-feishu-authd')], [400, 'callback'], path);
      assert.equal(headingsOf(page)[0], HEADINGS.incomplete[0]);
    }
    assert.equal(server.received.length, 0);
  });

  const GARBAGE: Readonly<Record<string, string>> = {
    'a parameter twice': `code=${CODE}&code=${CODE}&state=s`,
    'a parameter twice, once empty': `code=&code=${CODE}&state=s`,
    'a parameter twice, its name encoded once': `code=${CODE}&c%6Fde=other&state=s`,
    'a value over 4 KB': `code=${'a'.repeat(4_097)}&state=s`,
    'a control character': 'code=a%00b&state=s',
    'line breaks that would start a header': 'code=x%0d%0aSet-Cookie:%20a=b&state=s',
    'text that is not ASCII': 'code=%E6%88%90&state=s',
    'bytes that are not UTF-8': 'code=%ff%fe&state=s',
    'broken percent-encoding': 'code=%zz&state=s',
    'a percent sign at the end': 'state=s&error=%',
  };
  for (const [name, query] of Object.entries(GARBAGE)) {
    it(`shows the page "invalid" for ${name}, and judges nothing`, async () => {
      const page = await server.get(`/callback?${query}`);
      assert.deepEqual([page.status, headingsOf(page)[0]], [400, HEADINGS.invalid[0]]);
      assert.equal(page.headers.get('set-cookie'), null);
      assert.equal(server.received.length, 0);
      assertLocked(page);
    });
  }

  it('takes values of 4 KB, and answers a longer request line than Node reads with a page', async () => {
    assert.equal((await server.get(`/callback?code=${'a'.repeat(4_096)}&state=s`)).status, 200);
    const response = await sendRaw(server.port, rawGet(`/callback?code=${'a'.repeat(20_000)}`, []));
    assert.equal(statusOf(response), 431);
    assert.match(response, /^x-feishu-authd: callback\r$/m);
    assert.match(response, /^content-security-policy: default-src 'none'/m);
    assert.match(response, /<h1>链接无效<\/h1>/);
  });

  it('shows names, scopes and details from outside as text', async () => {
    const evil = `<script>alert(1)</script><img src=x onerror='a' "b">&amp;{{app}}\u202Etxt`;
    const shown = '&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=&#39;a&#39; &quot;b&quot;&gt;&amp;amp;';
    const names = { client: both(evil), app: evil };
    const detail = { feishu_code: 1, log_id: evil, remedy: evil, for: 'operator' as const };
    for (const outcome of [
      { kind: 'completed' as const, names },
      { kind: 'missing_scopes' as const, names, missing: [evil] },
      { kind: 'failed' as const, names, reason: 'internal_error' as const, detail },
      { kind: 'refused' as const, names, detail },
    ]) {
      server.answer = () => outcome;
      const { html } = await server.get(GOOD);
      assert.doesNotMatch(html, /<script|<img|\u202E/);
      assert.ok(html.includes(shown.slice(0, 40)), outcome.kind);
    }
    // What a name holds is never filled in as a template of ours.
    server.answer = () => ({ kind: 'completed', names: { client: both('{{app}} {{client}}'), app: 'App' } });
    assert.match((await server.get(GOOD)).html, /<h1>已授权 <bdi>\{\{app\}\} \{\{client\}\}<\/bdi><\/h1>/);
  });

  it('shows scopes in the words of the cards, each once, and unknown ones by name', async () => {
    const missing = ['docx:document:readonly', 'docx:document:readonly', 'no:words'];
    server.answer = () => ({ kind: 'missing_scopes', names: NAMES, missing });
    const { html } = await server.get(GOOD);
    const items = [...html.matchAll(/<li>(.*?)<\/li>/g)].map((match) => textOf(match[1] ?? ''));
    assert.deepEqual(items, ['查看文档', 'no:words', 'View documents', 'no:words']);
  });

  it("names Feishu's code, log id and remedy for support, and who can act", async () => {
    server.answer = () => OUTCOMES.failed;
    const text = textOf((await server.get(GOOD)).html);
    for (const part of [
      '这个应用还没有在你的企业里发布',
      '请告诉管理员',
      '20009',
      '20261122101709A1B2C3D4E5F60718293A',
    ]) {
      assert.ok(text.includes(part), part);
    }
    server.answer = () => ({ ...OUTCOMES.failed, detail: null });
    assert.doesNotMatch((await server.get(GOOD)).html, /class="support"|请告诉/);
  });

  it('chooses Chinese without a wish and English for those who asked for neither', async () => {
    const languages: readonly (readonly [string, string])[] = [
      ['', 'zh-CN'],
      ['*', 'zh-CN'],
      ['fr-FR,fr;q=0.9', 'en'],
      ['en;q=0.5, zh-TW;q=0.8', 'zh-CN'],
      ['zh;q=0.1, en-GB', 'en'],
      ['zh-Hans, en', 'zh-CN'],
      ['en, zh', 'en'],
      ['zh;q=0, en;q=0.1', 'en'],
      [';;q=,,"\u00ff', 'en'],
      ['x'.repeat(5_000), 'zh-CN'],
    ];
    for (const [header, tag] of languages) {
      const { html } = await server.get(GOOD, { headers: header === '' ? {} : { 'accept-language': header } });
      const wished = header === '' ? 'zh-CN' : tag;
      assert.equal(/<html lang="([^"]+)"/.exec(html)?.[1], wished, header);
    }
  });

  it('answers HEAD like GET but judges nothing', async () => {
    const good = await server.get(GOOD, { method: 'HEAD' });
    const empty = await server.get('/callback', { method: 'HEAD' });
    assert.deepEqual([good.status, good.html, empty.status], [200, '', 400]);
    assert.equal(good.headers.get('x-feishu-authd'), 'callback');
    assert.equal(good.headers.get('referrer-policy'), 'no-referrer');
    assert.equal(server.received.length, 0);
  });

  it('refuses other methods with 405 and Allow, and unknown paths with 404, on pages', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      const page = await server.get(GOOD, { method, ...(method === 'POST' ? { body: '{}' } : {}) });
      assert.deepEqual([page.status, page.headers.get('allow')], [405, 'GET, HEAD, OPTIONS'], method);
      assertLocked(page);
    }
    for (const path of ['/', '/favicon.ico', '/callback/', '/callback/x', '/CALLBACK', '/%zz', '//callback']) {
      const page = await server.get(path);
      assert.equal(page.status, path === '/%zz' ? 400 : 404, path);
      assertLocked(page);
    }
    assert.equal(server.received.length, 0);
  });

  it('puts code and state into no page, header, log line or metric, whatever comes of them', async () => {
    const secrets = new Map([
      ['code', CODE],
      ['state', STATE],
    ]);
    const seen: string[] = [];
    const look = async (path: string, init?: RequestInit): Promise<void> => {
      const page = await server.get(path, init);
      seen.push(page.html, JSON.stringify([...page.headers]));
    };
    for (const kind of KINDS) {
      server.answer = () => OUTCOMES[kind];
      await look(GOOD);
    }
    server.answer = () => Promise.reject(new Error(`the code ${CODE} of ${STATE} is bad`));
    await look(GOOD);
    await look(GOOD, { method: 'POST' });
    await look(`/nowhere?code=${CODE}&state=${STATE}`);
    await look(`${GOOD}&code=${CODE}`);
    seen.push(server.log.text(), await server.metrics());
    assert.deepEqual(findLeaks(Buffer.from(seen.join('\n')), secrets), []);
    assert.match(await server.metrics(), /http_request_seconds_count\{route="\/callback",method="GET",status="200"\}/);
  });
});
