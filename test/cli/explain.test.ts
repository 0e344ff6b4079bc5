/** `explain` knows every code of Feishu we know of and all of ours, in two languages, without a daemon. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TRANSLATIONS } from '../../src/cli/explain/chinese/translations.js';
import { PLACES } from '../../src/cli/explain/meaning.js';
import { SOURCES } from '../../src/cli/explain/sources.js';
import { WORDS } from '../../src/cli/explain/words.js';
import { explain, languageOf } from '../../src/cli/explain.js';
import { FAILURE_REASONS } from '../../src/domain/session.js';
import { ERROR_TABLE } from '../../src/errors.js';
import { cli } from '../support/cli.js';

/** Every code of FEISHU.md, by its section. */
const FEISHU_CODES = {
  endpoint: '1 403 514 10003 10014 1000040343 1000040350 1000040351',
  ack: '200 500',
  close: '1001 1005 1006',
  sdk: '7100 7101 7102 7103 7104',
  client: '200340 200345 200346 200347 200341 200342 200343 200080 200530 200671 200672 200673 200830 300000',
  tenantToken: '10003 10012 10013 10014 10015 99991400',
  callbackUpdate: '10002 11311 100000 100030 200000 200310 200320 300020 300030 300040 300090',
  ephemeral: '18051',
  cardkit: '200220 200740 200750 200770 200810 200860 300301 300302 300303 300305 300307 300311 300317',
  messages:
    '230001 230002 230006 230009 230026 230011 231003 230110 230013 230017 230018 230019 230020 230022 230028 230025 ' +
    '230027 230029 230031 230034 230035 230036 230038 230049 230050 230071 230072 230111 230053 230054 230055 230075 ' +
    '230099 232009 99992351 99992361',
  cards: '100290 11310 200380 200381 200550 200570 200621 200732 200737 200861 200914 200915 300220 300230 300240',
  consent: '20001 20009 20010 20027 20029 20048 20066 20069 access_denied',
  token:
    '20001 20002 20003 20004 20008 20009 20010 20024 20026 20036 20037 20048 20049 20050 20063 20064 20065 20066 20067 ' +
    '20068 20069 20070 20071 20072 20073 20074 21000 21001 99991400 429',
  device: 'authorization_pending slow_down access_denied expired_token invalid_grant 20094 20095',
  userInfo: '20001 20005 20008 20021 20022 20023 20050 99991668 99991677 99991671',
  revoke: 'invalid_token',
  generic:
    '99991400 99991401 99991403 99991543 99991661 99991662 99991673 99991663 99991664 99991665 99991668 99991669 ' +
    '99991671 99991672 99991676 99991677 99991679 99992402 99992351 99992361 11232 502 504',
  apaas: '2320001 2320002 2320003 2320004 2320005 2320006',
} as const;

const HAS_CHINESE = /\p{Script=Han}/u;

describe('explain', () => {
  for (const [section, codes] of Object.entries(FEISHU_CODES)) {
    it(`knows the codes of Feishu about: ${section}`, () => {
      for (const code of codes.split(' ')) {
        const english = explain(code, 'en');
        const chinese = explain(code, 'zh');
        assert.ok(english.length > 0, `${code} is not known`);
        assert.deepEqual(
          english.map(({ place }) => place),
          chinese.map(({ place }) => place),
        );
      }
    });
  }

  it('knows the codes of the API, of a refused start, and the reasons of failed sessions', () => {
    for (const code of [...Object.keys(ERROR_TABLE), ...FAILURE_REASONS]) {
      const [first] = explain(code, 'en');
      assert.ok(first, `${code} is not known`);
      assert.ok(['api', 'start', 'failure_reason'].includes(first.place), code);
    }
    assert.deepEqual(
      explain('internal_error', 'en').map(({ place }) => place),
      ['api', 'failure_reason'],
    );
  });

  it('says cause and remedy of every code in English and in Chinese, in all places', () => {
    for (const place of PLACES) {
      const english = SOURCES[place];
      const chinese = TRANSLATIONS[place];
      assert.ok(Object.keys(english).length > 0, place);
      assert.deepEqual(Object.keys(chinese).sort(), Object.keys(english).sort(), place);
      for (const [code, entry] of Object.entries(english)) {
        const texts = [entry.cause, entry.remedy];
        assert.ok(
          texts.every((text) => text.length > 3 && !/undefined|\$\{/.test(text)),
          `${place} ${code}`,
        );
        const [cause, remedy] = chinese[code] ?? [];
        assert.match(cause ?? '', HAS_CHINESE, `${place} ${code}`);
        assert.match(remedy ?? '', HAS_CHINESE, `${place} ${code}`);
      }
      assert.notEqual(WORDS.en.places[place], '');
      assert.notEqual(WORDS.zh.places[place], '');
    }
  });

  it('gives every meaning of a code that is met in several places', () => {
    const places = explain('99991668', 'en').map(({ place }) => place);
    assert.deepEqual(places, ['user_info', 'user_token', 'any_api']);
  });

  it('takes no name of the language itself for a code', () => {
    for (const code of ['toString', '__proto__', 'constructor', '', '0', '020026', '20026.0']) {
      assert.deepEqual(explain(code, 'en'), [], code);
    }
  });

  it('takes the language from the locale as POSIX does', () => {
    assert.equal(languageOf({}), 'en');
    assert.equal(languageOf({ LANG: 'zh_CN.UTF-8' }), 'zh');
    assert.equal(languageOf({ LANG: 'zh' }), 'zh');
    assert.equal(languageOf({ LANG: 'C.UTF-8' }), 'en');
    assert.equal(languageOf({ LANG: 'zh_CN.UTF-8', LC_ALL: 'en_US.UTF-8' }), 'en');
    assert.equal(languageOf({ LANG: 'en_US.UTF-8', LC_MESSAGES: 'zh_TW.UTF-8' }), 'zh');
    assert.equal(languageOf({ LANG: 'zh_CN.UTF-8', LC_ALL: '' }), 'zh');
  });
});

describe('feishu-authd explain', { concurrency: 2 }, () => {
  it('tells a code to people, in English unless the locale is Chinese', async () => {
    const english = await cli(['explain', '20026']);
    assert.deepEqual(english, {
      code: 0,
      signal: null,
      stdout: [
        '20026',
        'where        token endpoint, device authorization and consent page',
        'cause        The refresh token is invalid',
        'remedy       Ask the user to authorize again.',
        'who can act  the user',
        '',
      ].join('\n'),
      stderr: '',
    });
    const chinese = ['20026', '出现在    token 接口、设备授权和授权页', '原因      refresh_token 无效'].join('\n');
    for (const ended of [
      await cli(['explain', '20026'], { LANG: 'zh_CN.UTF-8' }),
      await cli(['explain', '--lang', 'zh', '20026']),
    ]) {
      assert.ok(ended.stdout.startsWith(chinese), ended.stdout);
    }
  });

  it('tells it to machines', async () => {
    const { code, stderr, stdout } = await cli(['explain', 'code_expired', '--json']);
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(JSON.parse(stdout), {
      code: 'code_expired',
      meanings: [
        {
          place: 'failure_reason',
          where: 'failed session, `failure_reason`',
          cause: 'The authorization code was not used in time',
          remedy:
            'Ask again. The daemon uses a code at once: if it happens often, its workers or the way to Feishu stood still for minutes.',
          for: 'user',
        },
      ],
    });
  });

  it('says that it does not know a code, with exit code 2', async () => {
    const { code, stderr, stdout } = await cli(['explain', '123456']);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /"123456" is not a code that feishu-authd knows/);
  });
});
