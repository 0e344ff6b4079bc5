import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { SCREENS, type Screen, screenOf } from '../../src/domain/screen.js';
import { FAILURE_REASONS, type Session } from '../../src/domain/session.js';
import { checkCardRules } from '../../src/feishu/cards/card-rules.js';
import { type CardSet, TOAST_NAMES } from '../../src/feishu/cards/card-set.js';
import { createCardTime } from '../../src/feishu/cards/card-time.js';
import { loadCards } from '../../src/feishu/cards/load-cards.js';
import { createSamples, LONGEST_NAMES, SAMPLE_NOW } from '../../src/feishu/cards/samples.js';
import { sessionVariables } from '../../src/feishu/cards/session-variables.js';
import { checkCard } from '../simulator/card-rules.js';
import {
  actionsIn,
  aSession,
  CARDS_DIR,
  consentLink,
  LINK,
  linkSession,
  NOW,
  objectsIn,
  rendererOf,
  textsIn,
} from './cards-support.js';

let cards: CardSet;
before(async () => {
  cards = await loadCards(CARDS_DIR);
});

const cardOf = (session: Session): object => rendererOf(cards).render(session, NOW);
const shows = (card: object, language: 'zh_cn' | 'en_us'): string => textsIn(card, language).join('\n');
const headerOf = (card: object): { template: string } => (card as { header: { template: string } }).header;

/** One ordinary session for each screen. */
const SESSIONS: Readonly<Record<Screen, Session>> = {
  request: aSession(),
  link: linkSession(),
  confirming: aSession({ state: 'authorizing', linkState: 'settling', link: consentLink() }),
  'link-expired': aSession({ state: 'authorizing', linkState: 'dead', link: consentLink() }),
  'wrong-account': aSession({ state: 'authorizing', linkState: 'wrong_account', link: consentLink(), mismatches: 1 }),
  authorized: aSession({ state: 'completed', linkState: 'live', link: consentLink(), endedAt: NOW }),
  rejected: aSession({ state: 'rejected', linkState: 'live', link: consentLink(), endedAt: NOW }),
  expired: aSession({ state: 'expired', linkState: 'live', link: consentLink(), endedAt: NOW }),
  failed: aSession({
    state: 'failed',
    linkState: 'live',
    link: consentLink(),
    failureReason: 'upstream_error',
    failureDetail: { feishu_code: 20050, log_id: '20251122-log', remedy: 'Look at the log.', for: 'operator' },
    endedAt: NOW,
  }),
  'wrong-account-final': aSession({ state: 'failed', failureReason: 'identity_mismatch', link: consentLink() }),
  'missing-scopes': aSession({
    state: 'failed',
    failureReason: 'insufficient_scope',
    missingScopes: ['wiki:wiki:readonly'],
    link: consentLink(),
  }),
  superseded: aSession({ state: 'superseded', linkState: 'live', link: consentLink() }),
  invalidated: aSession({ state: 'invalidated', linkState: 'live', link: consentLink() }),
};

describe('every card', () => {
  it('is tried here on the screen it belongs to', () => {
    for (const screen of SCREENS) assert.equal(screenOf(SESSIONS[screen]), screen);
  });

  for (const screen of SCREENS) {
    it(`passes the daemon's rules and an independent reading of Feishu's: ${screen}`, () => {
      const card = rendererOf(cards).render(SESSIONS[screen], NOW);
      assert.deepEqual(checkCardRules(card), []);
      for (const kind of ['send', 'patch', 'ack'] as const) {
        assert.equal(checkCard(card, { kind, previous: card }), null);
      }
    });
  }

  it('passes both with sessions of the longest and the shortest legal size', () => {
    const renderer = rendererOf(cards, LONGEST_NAMES);
    for (const { screen, size, session } of SCREENS.flatMap(createSamples(cards.scopes))) {
      const card = renderer.render(session, SAMPLE_NOW);
      assert.deepEqual(checkCardRules(card), [], `${screen} ${size}`);
      assert.equal(checkCard(card, { kind: 'ack', previous: card }), null, `${screen} ${size}`);
    }
  });

  it('has no placeholder, condition or empty text left', () => {
    for (const screen of SCREENS) {
      const card = cardOf(SESSIONS[screen]);
      assert.doesNotMatch(JSON.stringify(card), /\{\{|\$if|undefined|null|""/, screen);
      assert.doesNotMatch(textsIn(card, 'en_us').join(), /\}\}/, screen);
    }
  });

  it('says every word in Chinese and in English', () => {
    for (const screen of SCREENS) {
      const card = cardOf({ ...SESSIONS[screen], reason: null });
      const english = textsIn(card, 'en_us').filter((text) => !text.includes('办公平台'));
      assert.doesNotMatch(english.join('\n'), /\p{Script=Han}/u, screen);
      assert.match(shows(card, 'zh_cn'), /\p{Script=Han}/u, screen);
    }
  });

  it('carries only callback values of the agreed shape', () => {
    for (const screen of SCREENS) {
      for (const { type, value } of objectsIn(cardOf(SESSIONS[screen]))) {
        if (type !== 'callback') continue;
        assert.deepEqual(Object.keys(value as object).sort(), ['action', 'session_id']);
        assert.equal((value as { session_id: string }).session_id, SESSIONS[screen].sessionId);
      }
    }
  });

  it('stays schema 2.0 and shared through all states, so that any may replace any', () => {
    for (const screen of SCREENS) {
      const card = cardOf(SESSIONS[screen]) as { schema: string; config: Record<string, unknown> };
      assert.equal(card.schema, '2.0');
      assert.equal(card.config['update_multi'], true);
      assert.equal(card.config['enable_forward'], false);
      assert.equal(card.config['enable_forward_interaction'], false);
    }
  });

  it('holds the link, its code and the device code nowhere but on the card that offers it', () => {
    for (const screen of SCREENS) {
      const text = JSON.stringify(cardOf(SESSIONS[screen]));
      assert.ok(!text.includes('device-code-never-shown'), screen);
      if (screen === 'link') continue;
      assert.doesNotMatch(text, /WDJB|open_url|https?:/, screen);
    }
  });

  it('is not even given the link when its session offers none', () => {
    const time = createCardTime('UTC');
    for (const screen of SCREENS) {
      const sources = { cards, time, ...LONGEST_NAMES, authorizeUrl: () => null };
      const values = sessionVariables(SESSIONS[screen], NOW, sources);
      const given = [values.link, values.applink, values.user_code, values.link_life, values.link_until];
      assert.equal(
        given.every((value) => value === ''),
        screen !== 'link',
        screen,
      );
    }
  });

  it('offers exactly the buttons of its state', () => {
    const expected: Readonly<Record<Screen, readonly string[]>> = {
      request: ['authorize', 'decline'],
      link: ['agreed', 'decline'],
      confirming: [],
      'link-expired': ['authorize', 'decline'],
      'wrong-account': ['authorize', 'decline'],
      authorized: ['revoke'],
      rejected: ['restart'],
      expired: ['restart'],
      failed: ['restart'],
      'wrong-account-final': ['restart'],
      'missing-scopes': ['restart'],
      superseded: [],
      invalidated: [],
    };
    for (const screen of SCREENS) assert.deepEqual(actionsIn(cardOf(SESSIONS[screen])), expected[screen], screen);
  });

  it('is the same for the same session and time', () => {
    for (const screen of SCREENS) assert.deepEqual(cardOf(SESSIONS[screen]), cardOf(SESSIONS[screen]));
  });
});

describe('the request card', () => {
  it('says who asks, why, what for, until when, and what comes next', () => {
    const card = cardOf(SESSIONS.request);
    const chinese = shows(card, 'zh_cn');
    for (const part of [
      '周报助手 申请以你的身份访问飞书',
      '每周一汇总项目文档',
      '查看文档',
      '查看知识库',
      '「办公平台」',
    ]) {
      assert.ok(chinese.includes(part), part);
    }
    assert.match(chinese, /申请方填写，未经核实/);
    assert.match(chinese, /11月23日 14:00 \(UTC\+8\)/);
    assert.match(chinese, /不会索要密码或验证码/);
    const english = shows(card, 'en_us');
    assert.match(english, /Weekly Report asks to act as you in Feishu/);
    assert.match(english, /not verified/);
    assert.match(english, /View documents\n• View wikis/);
    assert.match(english, /Nov 23, 14:00 \(UTC\+8\)/);
  });

  it('leaves the purpose out when none was given', () => {
    assert.doesNotMatch(shows(cardOf(aSession({ reason: null })), 'en_us'), /Purpose/);
  });

  it('shows a hostile reason as the characters it is, in a text that knows no markup', () => {
    const reason = '[点这里](https://evil.example) <at id=all></at>\n**x** <font color=red>';
    const card = cardOf(aSession({ reason }));
    const [holder, ...others] = objectsIn(card).filter((object) => object['content'] === reason);
    assert.equal(holder?.['tag'], 'plain_text');
    assert.deepEqual(others, []);
  });

  it('shows a hostile client and app name only in texts that know no markup', () => {
    const name = '<at id=all></at>[x](https://evil.example)';
    const renderer = rendererOf(cards, {
      clientName: () => ({ zh_cn: name, en_us: name }),
      appName: () => name,
    });
    for (const screen of SCREENS) {
      const card = renderer.render(SESSIONS[screen], NOW);
      const markdown = objectsIn(card).filter(({ tag }) => tag === 'markdown' || tag === 'lark_md');
      assert.doesNotMatch(JSON.stringify(markdown), /evil|<at/, screen);
      assert.deepEqual(checkCardRules(card), []);
    }
  });

  it('names a scope that has no words by its own name', () => {
    const card = cardOf(aSession({ scopes: ['offline_access', 'shiny:new.thing:write'] }));
    assert.match(shows(card, 'en_us'), /• shiny:new\.thing:write\n• Keep this access/);
    assert.match(shows(card, 'zh_cn'), /• shiny:new\.thing:write\n• 你不在线时/);
  });

  it('folds a long list but keeps the lasting access in sight and loses nothing', () => {
    const scopes = ['offline_access', ...Array.from({ length: 49 }, (_, index) => `area:thing${index}:read`)];
    const card = cardOf(aSession({ scopes })) as { body: { elements: Record<string, unknown>[] } };
    const fold = card.body.elements.find(({ tag }) => tag === 'collapsible_panel');
    const open = card.body.elements.filter((element) => element !== fold);
    assert.match(shows(open, 'en_us'), /Keep this access/);
    assert.match(shows(fold ?? {}, 'en_us'), /^44 more\n/);
    for (const scope of scopes.slice(1)) assert.ok(shows(card, 'zh_cn').includes(scope), scope);
  });

  it('says the same thing once when several scopes allow it', () => {
    const card = cardOf(aSession({ scopes: ['task:task:read', 'task:task:readonly'] }));
    assert.equal(shows(card, 'en_us').match(/View your tasks/g)?.length, 1);
  });
});

describe('the link card', () => {
  const behaviors = (card: object) => objectsIn(card).filter(({ type }) => type === 'open_url');

  it('opens the link inside the client and leaves every byte of it as Feishu gave it', () => {
    const [open, ...others] = behaviors(cardOf(SESSIONS.link));
    assert.deepEqual(others, []);
    const url = new URL(String(open?.['default_url']));
    assert.equal(`${url.origin}${url.pathname}`, 'https://applink.feishu.cn/client/web_url/open');
    assert.equal(url.searchParams.get('mode'), 'sidebar-semi');
    assert.equal(url.searchParams.get('url'), LINK);
  });

  it('offers the link itself as well, byte by byte, in both languages', () => {
    const card = cardOf(SESSIONS.link);
    for (const language of ['zh_cn', 'en_us'] as const) {
      const targets = [...shows(card, language).matchAll(/\]\(([^)]*)\)/g)].map((match) => match[1]);
      assert.deepEqual(targets, [LINK]);
    }
  });

  it('shows the code to compare and how long the link works', () => {
    const card = cardOf(SESSIONS.link);
    assert.ok(textsIn(card, 'zh_cn').includes('WDJB-MJHT'));
    assert.match(shows(card, 'zh_cn'), /仅限你本人，\*\*4 分钟\*\*内有效，到 11月22日 14:04 \(UTC\+8\) 为止；请勿转发/);
    assert.match(shows(card, 'en_us'), /works for \*\*4 min\*\*, until Nov 22, 14:04 \(UTC\+8\)\. Do not forward/);
  });

  it('never says that no minute is left, nor rounds the end up', () => {
    const card = cardOf(linkSession({ expiresAt: NOW + 59_999 }));
    assert.match(shows(card, 'en_us'), /\*\*1 min\*\*, until Nov 22, 14:00/);
  });

  it('offers a new link instead of an empty button when the record has lost its link', () => {
    const card = cardOf({ ...linkSession(), link: null });
    assert.deepEqual(actionsIn(card), ['authorize', 'decline']);
    assert.deepEqual(behaviors(card), []);
  });

  it('shows the plain request again while the first link is still being made', () => {
    const card = cardOf(aSession({ state: 'authorizing', linkState: 'claimed', linkNumber: 1 }));
    assert.deepEqual(card, cardOf(aSession()));
  });
});

describe('cards of the authorization code grant', () => {
  const AUTHORIZE = 'https://accounts.feishu.cn/open-apis/authen/v1/authorize?scope=a%3Ab&state=e30.x';
  const pagesOf = (session: Session, url = AUTHORIZE): unknown[] =>
    objectsIn(rendererOf(cards, { authorizeUrl: () => url }).render(session, NOW))
      .filter((object) => object['type'] === 'open_url')
      .map((object) => object['default_url']);
  const applink = `https://applink.feishu.cn/client/web_url/open?mode=sidebar-semi&max_width=800&reload=false&url=${encodeURIComponent(AUTHORIZE)}`;

  it('open the page by the Authorize button itself, and tell us of the click', () => {
    for (const screen of ['request', 'link-expired', 'wrong-account'] as const) {
      const session = { ...SESSIONS[screen], link: null };
      assert.deepEqual(pagesOf(session), [applink], screen);
      assert.deepEqual(actionsIn(rendererOf(cards, { authorizeUrl: () => AUTHORIZE }).render(session, NOW)), [
        'authorize',
        'decline',
      ]);
    }
  });

  it('show the link for as long as the session lives, without a code to compare', () => {
    const session = aSession({
      state: 'authorizing',
      linkState: 'live',
      linkNumber: 1,
      link: { grant: 'authorization_code', number: 1, expiresAt: NOW + 86_400_000, received: null },
      expiresAt: NOW + 26 * 3_600_000,
    });
    const card = rendererOf(cards, { authorizeUrl: () => AUTHORIZE }).render(session, NOW);
    const text = shows(card, 'en_us');
    assert.match(text, /works for \*\*26 hours\*\*, until Nov 23, 16:00/);
    assert.match(text, new RegExp(`\\(${AUTHORIZE.replace(/[?.]/g, '\\$&')}\\)`));
    assert.doesNotMatch(text, /Code to compare/);
    assert.match(shows(card, 'zh_cn'), /\*\*26 小时\*\*内有效/);
  });

  it('hold no link once the session has ended, or while a consent is being verified', () => {
    for (const screen of SCREENS) {
      const { state, linkState } = SESSIONS[screen];
      const offers = (state === 'pending' || state === 'authorizing') && linkState !== 'settling';
      assert.equal(pagesOf({ ...SESSIONS[screen], link: null }).length, offers ? 1 : 0, screen);
    }
  });

  it('leave a link that is too long for a full card to the card of the link', () => {
    const long = `${AUTHORIZE}&x=${'y'.repeat(4_000)}`;
    assert.deepEqual(pagesOf(SESSIONS.request, long), []);
    assert.equal(pagesOf({ ...SESSIONS.link, link: null }, long).length, 1);
  });
});

describe('the cards of ends', () => {
  it('have the colour of what happened', () => {
    assert.equal(headerOf(cardOf(SESSIONS.authorized)).template, 'green');
    assert.equal(headerOf(cardOf(SESSIONS.failed)).template, 'red');
    assert.equal(headerOf(cardOf(SESSIONS['missing-scopes'])).template, 'orange');
    for (const screen of ['rejected', 'expired', 'superseded', 'invalidated'] as const) {
      assert.equal(headerOf(cardOf(SESSIONS[screen])).template, 'grey');
    }
  });

  it('tell a failed one what happened, what to do, whom to tell, and support what it needs', () => {
    const card = cardOf(SESSIONS.failed);
    const text = shows(card, 'en_us');
    for (const part of ['no usable answer', 'Wait a few minutes', 'tell your administrator', 'Look at the log.']) {
      assert.ok(text.includes(part), part);
    }
    assert.match(text, /Feishu code: 20050\nFeishu log id: 20251122-log\nSession: as_/);
  });

  it('has words for every failure reason and everyone who can act', () => {
    for (const failureReason of FAILURE_REASONS) {
      for (const who of ['user', 'operator', 'developer'] as const) {
        const session = aSession({ state: 'failed', failureReason, failureDetail: { remedy: '', for: who } });
        const card = cardOf(session);
        assert.equal(checkCard(card, { kind: 'patch', previous: card }), null);
        assert.ok(textsIn(card, 'en_us').every((text) => text !== ''));
      }
    }
  });

  it('prefers the words of the code Feishu gave over those of the reason', () => {
    const failureDetail = { feishu_code: 20010, remedy: '', for: 'operator' } as const;
    const card = cardOf(aSession({ state: 'failed', failureReason: 'app_misconfigured', failureDetail }));
    assert.match(shows(card, 'zh_cn'), /你不在这个应用的可用范围内/);
  });

  it('can be shown for a failure without any detail', () => {
    const card = cardOf(aSession({ state: 'failed', failureReason: null, failureDetail: null }));
    assert.match(shows(card, 'en_us'), /Something went wrong on our side/);
    assert.deepEqual(checkCardRules(card as never), []);
  });

  it('name what was not granted', () => {
    const text = shows(cardOf(SESSIONS['missing-scopes']), 'en_us');
    assert.match(text, /• View wikis/);
    assert.doesNotMatch(text, /View documents/);
  });

  it('count the tries that are left after a wrong account', () => {
    assert.match(shows(cardOf(SESSIONS['wrong-account']), 'en_us'), /Tries left: \*\*2\*\*/);
  });

  it('explain a card whose session is no longer stored, without a button', () => {
    const card = rendererOf(cards).gone();
    assert.deepEqual(checkCardRules(card as never), []);
    assert.equal(checkCard(card, { kind: 'ack', previous: cardOf(aSession()) }), null);
    assert.deepEqual(actionsIn(card), []);
    assert.match(shows(card, 'en_us'), /no longer exists/);
  });
});

describe('withdrawing', () => {
  const grant = { appId: 'cli_1', clientIds: ['reports'], at: NOW };

  it('is offered on the authorized card, asks first, and says what it means', () => {
    const [button] = objectsIn(cardOf(SESSIONS.authorized)).filter((object) => object['tag'] === 'button');
    const confirm = button?.['confirm'] as { title: object; text: object };
    assert.deepEqual(textsIn(confirm.title, 'zh_cn'), ['撤销授权？']);
    assert.match(textsIn(confirm.text, 'zh_cn').join(), /「办公平台」的授权只有一份：周报助手 和其他/);
    assert.match(textsIn(confirm.text, 'en_us').join(), /up to 2 hours, unless Feishu ends them at once/);
  });

  it('is told by a card that names client, app and time, and has no button', () => {
    const card = rendererOf(cards).withdrawn(grant);
    assert.deepEqual(checkCardRules(card as never), []);
    assert.equal(checkCard(card, { kind: 'send' }), null);
    assert.deepEqual(actionsIn(card), []);
    const chinese = shows(card, 'zh_cn');
    for (const part of [
      '已撤销授权',
      '周报助手 不再有权以你的身份',
      '「办公平台」',
      '2 小时',
      '11月22日 14:00 (UTC+8)',
    ]) {
      assert.ok(chinese.includes(part), part);
    }
    assert.match(
      shows(card, 'en_us'),
      /^Authorization withdrawn: Weekly Report\nAuthorization withdrawn\nWeekly Report/,
    );
  });

  it('names every client once, nameless ones as the app, and counts those beyond four', () => {
    const named = (clientIds: readonly string[], name = (id: string) => id) =>
      shows(
        rendererOf(cards, {
          appName: () => 'Docs Bot',
          clientName: (id) => ({ zh_cn: name(id), en_us: name(id) }),
        }).withdrawn({ ...grant, clientIds }),
        'en_us',
      ).split('\n')[0];
    assert.equal(named(['a', 'b']), 'Authorization withdrawn: a, b');
    assert.equal(named(['a', 'b', 'c', 'd', 'e', 'f']), 'Authorization withdrawn: a, b, c, d and 2 more');
    assert.equal(
      named(['a', 'b'], () => 'Docs Bot'),
      'Authorization withdrawn: Docs Bot',
    );
    assert.equal(named([]), 'Authorization withdrawn: Docs Bot');
  });
});

describe('what goes with the cards', () => {
  it('has every toast in both languages, as Feishu wants it', () => {
    for (const name of TOAST_NAMES) {
      const toast = rendererOf(cards).toast(name);
      assert.ok(['info', 'success', 'warning', 'error'].includes(toast.type));
      assert.equal(toast.content, toast.i18n.zh_cn);
      assert.deepEqual(Object.keys(toast.i18n), ['zh_cn', 'en_us']);
    }
  });

  it('names the user in the group notice and lets no name make a mention or a link', () => {
    const name = '<at user_id="all"></at>[x](https://evil.example)';
    const renderer = rendererOf(cards, { clientName: () => ({ zh_cn: name, en_us: name }) });
    const notice = renderer.notice(aSession({ chatId: 'oc_1', reason: 'secret plan' }));
    assert.deepEqual(notice.match(/<[^>]*>/g), ['<at user_id="ou_alice">', '</at>']);
    assert.doesNotMatch(notice, /secret plan|\]\(/);
  });

  it('says times in the zone that is configured, with its offset', () => {
    const timesIn = (timezone: string): string =>
      shows(rendererOf(cards, { timezone }).render(aSession(), NOW), 'en_us');
    assert.match(timesIn('Asia/Kathmandu'), /Nov 23, 11:45 \(UTC\+5:45\)/);
    assert.match(timesIn('UTC'), /Nov 23, 06:00 \(UTC\+0\)/);
    assert.match(timesIn('America/New_York'), /Nov 23, 01:00 \(UTC-5\)/);
  });

  it('writes midnight as 00, not 24', () => {
    const session = aSession({ expiresAt: Date.UTC(2025, 11, 31, 16, 0) });
    assert.match(shows(cardOf(session), 'zh_cn'), /1月1日 00:00/);
  });
});
