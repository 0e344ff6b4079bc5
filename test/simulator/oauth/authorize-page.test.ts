import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type ApiAnswer, ask, type Scene, startScene } from '../support/scene.js';

const REDIRECT = 'https://auth.example.com/callback';
const CHALLENGE = 'a'.repeat(43);

describe('the authorize page', () => {
  let scene: Scene;

  type Query = Record<string, string | undefined>;
  const link = (query: Query = {}): string => {
    const all = { client_id: scene.app.appId, response_type: 'code', redirect_uri: REDIRECT, ...query };
    const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return `${scene.simulator.baseUrl}/open-apis/authen/v1/authorize?${new URLSearchParams(given).toString()}`;
  };
  const agree = (query: Query = {}) => scene.simulator.authorize({ url: link(query), user: scene.user });
  const sentTo = (query: Query = {}): URL => new URL(agree(query).redirectTo ?? assert.fail('no redirect'));
  const open = (query: Query = {}): Promise<ApiAnswer> => {
    const { pathname, search } = new URL(link(query));
    return ask(scene.simulator, 'GET', pathname + search);
  };
  const codeOnPage = ({ body }: ApiAnswer) => /<main [^>]*data-error-code="(\d+)"/.exec(String(body['text']))?.[1];
  const submit = (decision: string, form: Record<string, string> = {}, query: Query = {}) => {
    const { pathname, search } = new URL(link({ scope: 'a b', state: 's', ...query }));
    const fields = { user_id: scene.user.userId, decision, scopes: 'a b', ...form };
    return ask(scene.simulator, 'POST', pathname + search, new URLSearchParams(fields).toString(), {
      'content-type': 'application/x-www-form-urlencoded',
    });
  };

  beforeEach(async () => {
    scene = await startScene();
    scene.simulator.changeApp(scene.app.appId, { redirectUris: ['https://other.example.com/', REDIRECT] });
  });

  afterEach(async () => {
    await scene.simulator.close();
  });

  it('sends the browser back with a code of 64 URL-safe characters and the state as it was', () => {
    const state = 'eyJ+/= &?#%41"<>中';
    const back = sentTo({ state, scope: 'a offline_access' });
    assert.match(back.searchParams.get('code') ?? '', /^[A-Za-z0-9_-]{64,}$/);
    assert.equal(back.searchParams.get('state'), state);
    assert.equal(back.origin + back.pathname, REDIRECT);
    const [issued] = scene.simulator.authorizationCodes();
    assert.equal(issued?.code, back.searchParams.get('code'));
    assert.deepEqual(issued.scopes, ['a', 'offline_access']);
    assert.equal(sentTo().searchParams.has('state'), false);
  });

  it('keeps the query of the redirect URI and moves its fragment behind the code', () => {
    const { redirectTo = '' } = agree({ redirect_uri: `${REDIRECT}?a=1&b=%2F#part`, state: 's' });
    assert.match(redirectTo, /^https:\/\/auth\.example\.com\/callback\?a=1&b=%2F&code=[\w-]+&state=s#part$/);
    const odd = agree({ redirect_uri: `${REDIRECT}?名=\r\nx: y` }).redirectTo ?? '';
    assert.match(odd, /\?%E5%90%8D=%0D%0Ax:%20y&code=/);
  });

  it('sends a refusal back as access_denied with the state, without a code', () => {
    const { redirectTo } = scene.simulator.authorize({
      url: link({ state: 's' }),
      user: scene.user,
      decision: 'deny',
    });
    assert.equal(redirectTo, `${REDIRECT}?error=access_denied&state=s`);
    assert.deepEqual(scene.simulator.authorizationCodes(), []);
  });

  it('opens a link inside an applink, and no other page', () => {
    const applink = `https://applink.feishu.cn/client/web_url/open?mode=window&url=${encodeURIComponent(link())}`;
    assert.ok(scene.simulator.authorize({ url: applink, user: scene.user }).redirectTo);
    assert.throws(() => scene.simulator.authorize({ url: REDIRECT, user: scene.user }), /not an authorize link/);
  });

  it('refuses what the console or the link has wrong, each with its code', () => {
    const refused = (query: Query) => agree(query).errorCode;
    for (const name of ['client_id', 'response_type', 'redirect_uri'])
      assert.equal(refused({ [name]: undefined }), 20001);
    assert.equal(refused({ client_id: 'cli_0000000000000000' }), 20048);
    assert.equal(refused({ response_type: 'token' }), 20001);
    const many = (count: number) => Array.from({ length: count }, (_, index) => `scope:${index}`).join(' ');
    assert.deepEqual([refused({ scope: many(50) }), refused({ scope: many(51) })], [undefined, 20001]);
    assert.equal(refused({ code_challenge: CHALLENGE, code_challenge_method: 'S512' }), 20001);
    assert.equal(refused({ code_challenge: 'short' }), 20001);
    assert.equal(refused({ code_challenge_method: 'S256' }), 20001);
    scene.simulator.changeApp(scene.app.appId, { enabledScopes: ['a'] });
    const lacking = agree({ scope: 'a b c' });
    assert.deepEqual([lacking.errorCode, lacking.reason], [20027, 'Scopes are not enabled for the app.']);
    scene.simulator.changeApp(scene.app.appId, { disabled: true });
    assert.equal(refused({}), 20069);
    assert.equal(scene.simulator.authorizationCodes().length, 1);
  });

  it('takes a redirect URI only as it is registered, apart from a query or fragment behind it', () => {
    const refused = (redirectUri: string) => agree({ redirect_uri: redirectUri }).errorCode;
    for (const good of [REDIRECT, `${REDIRECT}?x=1`, `${REDIRECT}#x`, 'https://other.example.com/'])
      assert.equal(refused(good), undefined, good);
    const bad = [
      `${REDIRECT}/`,
      `${REDIRECT}2`,
      REDIRECT.replace('https', 'http'),
      REDIRECT.replace('.com', '.com:443'),
      REDIRECT.toUpperCase(),
      'https://auth.example.com/?/callback',
      'https://other.example.com/callback',
      'https://other.example.com',
    ];
    for (const uri of bad) assert.equal(refused(uri), 20029, uri);
    scene.simulator.changeApp(scene.app.appId, { redirectUris: [] });
    assert.equal(refused(REDIRECT), 20029);
  });

  it('stops people who may not use the app after they have logged in', () => {
    const other = scene.simulator.addUser();
    scene.simulator.changeApp(scene.app.appId, { available: [other] });
    assert.equal(agree().errorCode, 20010);
    assert.ok(scene.simulator.authorize({ url: link(), user: other }).redirectTo);
    other.state = 'resigned';
    assert.equal(scene.simulator.authorize({ url: link(), user: other }).errorCode, 20066);
  });

  it('leaves out the page inside the client for who has granted all of it, unless prompt=consent', () => {
    scene.simulator.changeApp(scene.app.appId, { silentConsent: true });
    const refuse = (query: Query) =>
      scene.simulator.authorize({ url: link(query), user: scene.user, decision: 'deny' }).redirectTo ?? '';
    assert.match(refuse({ scope: 'a' }), /error=access_denied/);
    agree({ scope: 'a' });
    assert.match(refuse({ scope: 'a' }), /[?&]code=/);
    assert.match(refuse({ scope: 'a b' }), /error=access_denied/);
    assert.match(refuse({ scope: 'a', prompt: 'consent' }), /error=access_denied/);
  });

  it('is served to a browser, whose form is answered with a redirect', async () => {
    const page = await open({ scope: 'a b' });
    assert.deepEqual([page.status, codeOnPage(page)], [200, undefined]);
    assert.match(String(page.body['text']), /"app_name":"订单助手","scopes":\["a","b"\]/);
    const agreed = await submit('consent', { scopes: 'b' });
    assert.equal(agreed.status, 302);
    assert.match(agreed.headers.get('location') ?? '', /^https:\/\/auth\.example\.com\/callback\?code=[\w-]+&state=s$/);
    assert.deepEqual(scene.simulator.authorizationCodes()[0]?.scopes, ['b']);
    assert.equal((await submit('deny')).headers.get('location'), `${REDIRECT}?error=access_denied&state=s`);
    scene.simulator.changeApp(scene.app.appId, { available: [] });
    const stopped = await submit('consent');
    assert.deepEqual([stopped.status, codeOnPage(stopped)], [400, '20010']);
  });

  it('shows errors as HTTP 400 with the code in data-error-code, and scopes by name, as text only', async () => {
    scene.simulator.changeApp(scene.app.appId, { enabledScopes: ['a'], name: '</script><b>x' });
    const page = await open({ scope: 'a <img/src=x> c' });
    assert.deepEqual([page.status, codeOnPage(page)], [400, '20027']);
    assert.match(String(page.body['text']), /data-error-scopes="&lt;img\/src=x&gt; c"/);
    assert.doesNotMatch(String(page.body['text']), /<img|<b>x/);
    assert.equal(codeOnPage(await open({ redirect_uri: 'https://evil.example.com/' })), '20029');
  });

  it('has the limits and faults of an API call', async () => {
    scene.simulator.faults.add({ on: 'api', api: 'authorize', kind: 'code', code: 20009, times: 1 });
    const page = await open();
    assert.deepEqual([page.status, codeOnPage(page)], [400, '20009']);
    const answers = await Promise.all(Array.from({ length: 51 }, () => open()));
    assert.deepEqual(
      answers.map(({ status }) => status).filter((status) => status !== 200),
      [429],
    );
  });

  it('can be answered from another process by POST /sim/authorize', async () => {
    const post = (body: unknown) => ask(scene.simulator, 'POST', '/sim/authorize', body);
    const user_id = scene.user.userId;
    const agreed = await post({ url: link({ scope: 'a b' }), user_id, scopes: ['a'] });
    assert.match(String(agreed.body['redirect_to']), /\?code=/);
    assert.deepEqual(scene.simulator.authorizationCodes()[0]?.scopes, ['a']);
    const denied = await post({ url: link(), user_id, decision: 'deny' });
    assert.deepEqual(denied.body, { ok: true, redirect_to: `${REDIRECT}?error=access_denied` });
    const wrong = await post({ url: link({ redirect_uri: 'https://x/' }), user_id });
    assert.deepEqual([wrong.status, wrong.body['error_code']], [400, 20029]);
    assert.equal((await post({ url: 'nonsense', user_id })).status, 400);
  });

  it('writes down links and codes as secrets', () => {
    const url = link({ state: 's' });
    const { redirectTo = '' } = scene.simulator.authorize({ url, user: scene.user });
    assert.ok(scene.simulator.secrets(['verification_link']).includes(url));
    assert.deepEqual(scene.simulator.secrets(['authorization_code']), [new URL(redirectTo).searchParams.get('code')]);
  });
});
