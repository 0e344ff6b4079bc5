import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_NESTING } from './card-rules/walk.js';
import { checkCard, MAX_CARD_BYTES } from './card-rules.js';

type Json = Record<string, unknown>;

const plain = (content: string): Json => ({
  tag: 'plain_text',
  content,
  i18n_content: { zh_cn: content, en_us: content },
});
const markdown = (content: string): Json => ({ tag: 'markdown', content });
const button = (more: Json = {}): Json => ({
  tag: 'button',
  text: plain('授权'),
  type: 'primary',
  behaviors: [{ type: 'callback', value: { action: 'authorize', session_id: 's1' } }],
  ...more,
});
const cardOf = (elements: unknown[], more: Json = {}): Json => ({
  schema: '2.0',
  config: { update_multi: true, enable_forward: false, locales: ['zh_cn', 'en_us'], summary: { content: 'x' } },
  header: {
    title: plain('报表服务 申请'),
    template: 'blue',
    text_tag_list: [{ tag: 'text_tag', text: plain('待处理'), color: 'blue' }],
  },
  body: { elements },
  ...more,
});
const sent = (elements: unknown[], more?: Json) => checkCard(cardOf(elements, more), { kind: 'send' });
const nested = (levels: number): Json =>
  levels === 0 ? markdown('deep') : { tag: 'column_set', columns: [{ tag: 'column', elements: [nested(levels - 1)] }] };

describe('what Feishu takes', () => {
  it('takes an authorization card with columns, a panel, both behaviors and a confirmation', () => {
    const full = sent([
      markdown("**用途** <font color='grey'>未经核实</font> <at id=ou_1></at>"),
      { tag: 'div', text: { ...plain('a'), text_size: 'notation', text_color: 'grey' } },
      { tag: 'hr', margin: '4px 0px 4px 0px' },
      {
        tag: 'collapsible_panel',
        expanded: false,
        header: {
          title: plain('权限'),
          icon: { tag: 'standard_icon', token: 'down_outlined' },
          icon_expanded_angle: -180,
        },
        border: { color: 'grey', corner_radius: '5px' },
        elements: [markdown('- a\n- b')],
      },
      {
        tag: 'column_set',
        flex_mode: 'flow',
        columns: [
          {
            tag: 'column',
            width: 'auto',
            elements: [
              button({
                element_id: 'open_1',
                behaviors: [
                  { type: 'open_url', default_url: 'https://applink.feishu.cn/client/web_url/open?url=x' },
                  { type: 'callback', value: { action: 'agreed' } },
                ],
              }),
            ],
          },
          {
            tag: 'column',
            width: 'weighted',
            weight: 1,
            elements: [button({ confirm: { title: plain('拒绝？'), text: plain('…') } })],
          },
        ],
      },
    ]);
    assert.equal(full, null);
  });

  it(`takes ${MAX_NESTING} levels of containers and 200 elements`, () => {
    assert.equal(sent([nested(MAX_NESTING)]), null);
    // The header has a title and a tag with a text in it: three elements.
    assert.equal(sent(Array.from({ length: 197 }, () => markdown('x'))), null);
  });

  it('takes a 1.0 card with attributes it does not know', () => {
    assert.equal(checkCard({ config: { wide_screen_mode: true }, elements: [], whatever: 1 }, { kind: 'send' }), null);
  });
});

describe('what Feishu refuses', () => {
  const refused: readonly [string, unknown[], Json, number][] = [
    [
      'an attribute that is unknown',
      [markdown('x')],
      { config: { update_multi: true, wide_screen_mode: true } },
      200621,
    ],
    ['an attribute that is unknown on a component', [{ ...button(), colour: 'red' }], {}, 200621],
    ['a tag of 1.0', [{ tag: 'action', actions: [] }], {}, 200861],
    ['a column outside of a column_set', [{ tag: 'column', elements: [] }], {}, 200861],
    ['a bare text as an element', [plain('x')], {}, 200861],
    ['an element without a tag', [{ content: 'x' }], {}, 200621],
    ['more than 200 elements', Array.from({ length: 198 }, () => markdown('x')), {}, 11310],
    ['six levels of containers', [nested(MAX_NESTING + 1)], {}, 200621],
    ['update_multi false', [markdown('x')], { config: { update_multi: false } }, 300302],
    ['a header without a title', [markdown('x')], { header: { template: 'red' } }, 200621],
    ['a header colour that does not exist', [], { header: { title: plain('x'), template: 'pink' } }, 200621],
    [
      'four text tags',
      [],
      {
        header: {
          title: plain('x'),
          text_tag_list: Array.from({ length: 4 }, () => ({ tag: 'text_tag', text: plain('x') })),
        },
      },
      200621,
    ],
    ['an element_id that starts with a digit', [{ ...markdown('x'), element_id: '1a' }], {}, 200621],
    ['an element_id that is too long', [{ ...markdown('x'), element_id: 'a'.repeat(21) }], {}, 200621],
    [
      'an element_id that is there twice',
      [
        { ...markdown('x'), element_id: 'a' },
        { ...markdown('y'), element_id: 'a' },
      ],
      {},
      300301,
    ],
    [
      'two callbacks on a button',
      [
        button({
          behaviors: [
            { type: 'callback', value: {} },
            { type: 'callback', value: {} },
          ],
        }),
      ],
      {},
      200621,
    ],
    ['a callback whose value is a string', [button({ behaviors: [{ type: 'callback', value: 'x' }] })], {}, 200671],
    ['a callback without a value', [button({ behaviors: [{ type: 'callback' }] })], {}, 200671],
    ['an open_url without an address', [button({ behaviors: [{ type: 'open_url' }] })], {}, 200621],
    [
      'an open_url that is no address',
      [button({ behaviors: [{ type: 'open_url', default_url: 'javascript:alert(1)' }] })],
      {},
      200621,
    ],
    ['a button text in markdown', [button({ text: { tag: 'lark_md', content: 'x' } })], {}, 200861],
    ['a confirmation without a title', [button({ confirm: { text: plain('x') } })], {}, 200621],
    ['a confirmation whose title is no plain_text', [button({ confirm: { title: '撤销？' } })], {}, 200621],
    [
      'a confirmation with buttons of its own',
      [button({ confirm: { title: plain('x'), ok_text: plain('y') } })],
      {},
      200621,
    ],
    [
      'a confirmation of something that is not pressed',
      [{ tag: 'markdown', content: 'x', confirm: { title: plain('x') } }],
      {},
      200621,
    ],
    ['a button type that does not exist', [button({ type: 'link' })], {}, 200621],
    ['a language that does not exist', [{ tag: 'markdown', content: 'x', i18n_content: { 'zh-CN': 'x' } }], {}, 200621],
    ['i18n_elements', [markdown('x')], { i18n_elements: {} }, 200621],
    ['an image key that is none', [{ tag: 'img', img_key: 'https://x/y.png', alt: plain('x') }], {}, 200570],
    ['a mention of nobody', [markdown('<at id=></at>')], {}, 100290],
    ['a nameless button in a form', [{ tag: 'form', name: 'f', elements: [button()] }], {}, 200530],
    ['a card with nothing in it', [], { header: undefined }, 300307],
  ];
  for (const [what, elements, more, subCode] of refused) {
    it(`refuses ${what} with ${subCode}`, () => {
      const card = JSON.parse(JSON.stringify(cardOf(elements, more)));
      const refusal = checkCard(card, { kind: 'send' });
      assert.equal(refusal?.subCode, subCode, JSON.stringify(refusal));
      assert.equal(refusal?.code, 230099);
      assert.match(refusal?.message ?? '', new RegExp(`ext=ErrCode: ${subCode}; `));
    });
  }

  it('names the place as Feishu does', () => {
    const refusal = sent([markdown('x'), { ...button(), colour: 'red' }]);
    assert.match(refusal?.message ?? '', /property: colour, path: ROOT -> body -> elements -> \[1\]\(tag: button\)/);
  });

  it('refuses a card over 30 KB with 230025, as an ack with 200673', () => {
    const card = cardOf([markdown('汉'.repeat(MAX_CARD_BYTES / 3))]);
    assert.equal(checkCard(card, { kind: 'send' })?.code, 230025);
    assert.equal(checkCard(card, { kind: 'patch', previous: cardOf([markdown('x')]) })?.code, 230025);
    assert.equal(checkCard(card, { kind: 'ack' })?.code, 200673);
  });

  it('refuses what is no object', () => {
    for (const card of [null, 'x', [], 3, undefined]) {
      assert.equal(checkCard(card, { kind: 'send' })?.subCode, 200621);
      assert.equal(checkCard(card, { kind: 'ack' })?.code, 200673);
    }
  });
});

describe('what an update may change', () => {
  const two = cardOf([markdown('x')]);
  const one = { config: { update_multi: true }, elements: [] };

  it('shows 200830 when a 2.0 card is answered with a 1.0 card', () => {
    assert.equal(checkCard(one, { kind: 'ack', previous: two })?.code, 200830);
  });

  it('shows 200673 when a 1.0 card is answered with a 2.0 card or the new card is broken', () => {
    assert.equal(checkCard(two, { kind: 'ack', previous: one })?.code, 200673);
    assert.equal(checkCard(cardOf([{ tag: 'note' }]), { kind: 'ack', previous: two })?.code, 200673);
  });

  it('refuses a PATCH that changes the schema', () => {
    const refusal = checkCard(one, { kind: 'patch', previous: two });
    assert.deepEqual([refusal?.code, refusal?.subCode], [230099, 200830]);
  });

  it('takes a 1.0 PATCH only when both cards are shared', () => {
    assert.equal(checkCard(one, { kind: 'patch', previous: one }), null);
    assert.equal(checkCard({ elements: [] }, { kind: 'patch', previous: one })?.code, 230001);
    assert.equal(checkCard(one, { kind: 'patch', previous: { elements: [] } })?.code, 230001);
  });

  it('takes a good card as patch and ack', () => {
    assert.equal(checkCard(two, { kind: 'patch', previous: two }), null);
    assert.equal(checkCard(two, { kind: 'ack', previous: two }), null);
  });
});
