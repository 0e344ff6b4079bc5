import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { MESSAGES, type MessageName } from '../../src/domain/news.js';
import type { Session } from '../../src/domain/session.js';
import { CARD_NAMES, type CardSet, MESSAGE_NAMES } from '../../src/feishu/cards/card-set.js';
import { escapePostText } from '../../src/feishu/cards/escape.js';
import type { JsonObject } from '../../src/feishu/cards/json.js';
import { loadCards } from '../../src/feishu/cards/load-cards.js';
import { MAX_POST_BYTES, sizeOf } from '../../src/feishu/cards/message-text.js';
import { createSamples, LONGEST_NAMES } from '../../src/feishu/cards/samples.js';
import { elementsOf, linesOf } from '../support/posts.js';
import { aSession, CARDS_DIR, NOW, rendererOf } from './cards-support.js';

const URL_OF_LINK =
  'https://accounts.feishu.cn/open-apis/authen/v1/authorize?client_id=cli_1&state=a.b_c-d&scope=a%20b';

const SESSIONS: Readonly<Record<MessageName, Partial<Session>>> = {
  request: {},
  'wrong-account': { state: 'authorizing', linkState: 'wrong_account', linkNumber: 1, mismatches: 1 },
  authorized: { state: 'completed', endedAt: NOW },
  rejected: { state: 'rejected', endedAt: NOW },
  expired: { state: 'expired', endedAt: NOW },
  failed: { state: 'failed', failureReason: 'internal_error', endedAt: NOW },
  'wrong-account-final': { state: 'failed', failureReason: 'identity_mismatch', endedAt: NOW },
  'missing-scopes': { state: 'failed', failureReason: 'insufficient_scope', missingScopes: ['x:y'], endedAt: NOW },
  invalidated: { state: 'invalidated', endedAt: NOW },
};

let cards: CardSet;
before(async () => {
  cards = await loadCards(CARDS_DIR);
});

const post = (name: MessageName, changes: Partial<Session> = {}, deps: Parameters<typeof rendererOf>[1] = {}) => {
  const renderer = rendererOf(cards, { authorizeUrl: () => URL_OF_LINK, ...deps });
  return renderer.message(name, aSession({ ...SESSIONS[name], ...changes }), NOW);
};
const textOf = (content: JsonObject | null, language: 'zh_cn' | 'en_us' = 'en_us') =>
  linesOf(content, language).join('\n');

describe('a message that is filled', () => {
  for (const name of MESSAGES) {
    it(`${name}: says the client in both languages, leaves no variable, has elements Feishu knows`, () => {
      const content = post(name);
      for (const [language, client] of [
        ['zh_cn', '周报助手'],
        ['en_us', 'Weekly Report'],
      ] as const) {
        const text = textOf(content, language);
        assert.ok(text.includes(client), text);
        assert.doesNotMatch(text, /\{\{|\}\}|undefined|null/);
        for (const { tag, text: words } of elementsOf(content, language)) {
          assert.ok(words !== '' && (tag === 'text' || tag === 'a'));
        }
      }
    });
  }

  it('brings the link byte by byte, in the client and outside, and only where it belongs', () => {
    for (const name of MESSAGES) {
      const links = elementsOf(post(name)).flatMap(({ href }) => (href === undefined ? [] : [href]));
      const brings = name === 'request' || name === 'wrong-account';
      assert.equal(links.length, brings ? 2 : 0, name);
      if (!brings) continue;
      assert.equal(new URL(links[0] ?? '').searchParams.get('url'), URL_OF_LINK);
      assert.equal(links[1], URL_OF_LINK);
    }
  });

  it('is none when there is no link to bring', () => {
    assert.equal(post('request', {}, { authorizeUrl: () => null }), null);
    assert.notEqual(post('expired', {}, { authorizeUrl: () => null }), null);
  });

  it('says the reason as the requester’s own, and leaves the line out without one', () => {
    assert.match(textOf(post('request', { reason: 'one\ntwo' })), /not verified\):\none\ntwo\n/);
    assert.doesNotMatch(textOf(post('request', { reason: null })), /requester/);
  });

  it('tells what failed with what to do, whom to tell, and where to look', () => {
    const failureDetail = { feishu_code: 20010, log_id: 'L1', remedy: 'Add the user', for: 'operator' } as const;
    const text = textOf(post('failed', { failureReason: 'app_misconfigured', failureDetail }));
    assert.match(text, /You are not among the people/);
    assert.match(text, /remedy: Add the user\n.*code: 20010\n.*log id: L1\n.*session: as_/);
  });

  it('offers no button and no way to press anything', () => {
    for (const name of MESSAGES) assert.doesNotMatch(textOf(post(name), 'zh_cn'), /点「|卡片/, name);
  });
});

describe('text of others in a message', () => {
  const cases = [
    ['<at user_id="all">all</at>', '＜at user_id="all"＞all＜/at＞'],
    ['[here](https://evil.example/x)', '［here］(https：//evil．example/x)'],
    ['www.evil.example', 'www．evil．example'],
    ['evil.中国', 'evil．中国'],
    ['me@evil.example', 'me＠evil．example'],
    ['1.2.3.4', '1.2．3．4'],
    ['*b* ~s~ `c`', '＊b＊ ～s～ ｀c｀'],
    ['Version 2.0. Costs 3.50: ok, docx:document:readonly', 'Version 2.0. Costs 3.50: ok, docx:document:readonly'],
    ['周报 2.0：每周一。', '周报 2.0：每周一。'],
  ] as const;
  for (const [text, shown] of cases) {
    it(`${text} is shown as ${shown}`, () => assert.equal(escapePostText(text), shown));
  }

  it('is harmless wherever it stands', () => {
    const evil = '<at user_id="all"></at>[x](https://evil.example)';
    const changes = { reason: evil, failureDetail: { remedy: evil, log_id: evil, for: 'user' }, missingScopes: [evil] };
    const deps = { clientName: () => ({ zh_cn: evil, en_us: evil }), appName: () => evil };
    for (const name of MESSAGES) {
      const content = post(name, changes as Partial<Session>, deps);
      for (const language of ['zh_cn', 'en_us'] as const) {
        assert.doesNotMatch(textOf(content, language), /[<>[\]]|:\/\/|evil\.example/, name);
      }
    }
  });
});

describe('the longest message', () => {
  it('fits, and keeps the plain link and the beginning of its list', () => {
    const [sample] = createSamples(cards.scopes)('request');
    assert.ok(sample);
    const url = `${URL_OF_LINK}${'x'.repeat(5_000)}`;
    const renderer = rendererOf(cards, { ...LONGEST_NAMES, authorizeUrl: () => url });
    const content = renderer.message('request', { ...sample.session, link: null, linkState: 'none' }, NOW);
    assert.ok(content !== null && sizeOf(content) <= MAX_POST_BYTES, `${content && sizeOf(content)} bytes`);
    const links = elementsOf(content).flatMap(({ href }) => (href === undefined ? [] : [href]));
    assert.deepEqual(links, [url]);
    const text = textOf(content);
    assert.ok(text.split('\n').filter((line) => line.startsWith('• ')).length === 7 && /• … \+\d+/.test(text));
  });
});

describe('the names of messages', () => {
  it('are those of cards that tell the same', () => {
    for (const name of MESSAGE_NAMES) assert.ok(CARD_NAMES.includes(name), name);
  });
});
