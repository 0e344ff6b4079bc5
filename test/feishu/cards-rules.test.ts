import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { checkCardRules } from '../../src/feishu/cards/card-rules.js';
import type { Json } from '../../src/feishu/cards/json.js';
import { loadCards } from '../../src/feishu/cards/load-cards.js';
import { checkScreenRules } from '../../src/feishu/cards/screen-rules.js';
import { checkCard } from '../simulator/card-rules.js';
import { aSession, CARDS_DIR, NOW, rendererOf } from './cards-support.js';

type Draft = { [key: string]: Draft } & Draft[] & string;

let request: Json;
before(async () => {
  request = rendererOf(await loadCards(CARDS_DIR)).render(aSession(), NOW);
});

/** The rules a request card breaks after this change. */
function broken(change: (card: Draft) => void): string[] {
  const card = structuredClone(request) as unknown as Draft;
  change(card);
  return checkCardRules(card as unknown as Json).map(({ path, rule }) => `${path} ${rule}`.trim());
}

const set = (holder: unknown, key: string, value: unknown): void => {
  (holder as Record<string, unknown>)[key] = value;
};
const elementsOf = (card: Draft): Draft[] => card['body']?.['elements'] as Draft[];
const buttonsOf = (card: Draft): Draft[] => elementsOf(card).at(-1)?.['columns'] as Draft[];
const buttonOf = (card: Draft): Draft => buttonsOf(card)[0]?.['elements']?.[0] as Draft;
const unchanged = (): void => undefined;
const text = (content: string) => ({ tag: 'plain_text', content });

describe('the rules for cards', () => {
  it('find nothing in a good card', () => {
    assert.deepEqual(broken(unchanged), []);
  });

  const cases: readonly [name: string, change: (card: Draft) => void, expected: RegExp][] = [
    ['another schema', (card) => set(card, 'schema', '1.0'), /^schema must be "2.0"/],
    ['a missing schema', (card) => Reflect.deleteProperty(card, 'schema'), /^schema is missing/],
    [
      'a card that is not shared',
      (card) => set(card['config'], 'update_multi', false),
      /^config.update_multi must be true/,
    ],
    ['forwarding', (card) => set(card['config'], 'enable_forward', true), /^config.enable_forward must be false/],
    ['a 1.0 attribute', (card) => set(card['config'], 'wide_screen_mode', true), /wide_screen_mode is no attribute/],
    ['global languages of 1.0', (card) => set(card, 'i18n_elements', {}), /^i18n_elements is no attribute/],
    ['an unknown header colour', (card) => set(card['header'], 'template', 'pink'), /^header.template must be one of/],
    [
      'a missing language',
      (card) => Reflect.deleteProperty(card['header']?.['title']?.['i18n_content'] ?? {}, 'en_us'),
      /en_us is missing/,
    ],
    [
      'an empty text',
      (card) => set(card['header']?.['title'], 'content', ''),
      /^header.title.content must be a string/,
    ],
    [
      'a 1.0 button row',
      (card) => card['body']?.['elements']?.push({ tag: 'action', actions: [] } as never),
      /"action" is no component/,
    ],
    [
      'a component without a tag',
      (card) => card['body']?.['elements']?.push({} as never),
      /must be a component with a tag/,
    ],
    ['no elements', (card) => set(card['body'], 'elements', []), /^body.elements must have at least 1/],
    ['an unknown button type', (card) => set(buttonOf(card), 'type', 'huge'), /\.type must be one of default/],
    ['a button of 1.0 with its own value', (card) => set(buttonOf(card), 'value', {}), /\.value is no attribute/],
    ['a button that does nothing', (card) => set(buttonOf(card), 'behaviors', []), /behaviors must have at least 1/],
    [
      'a callback value that is a text',
      (card) => set(buttonOf(card)['behaviors']?.[0], 'value', 'x'),
      /\.value must be an object/,
    ],
    [
      'an action nobody knows',
      (card) => set(buttonOf(card)['behaviors']?.[0]?.['value'], 'action', 'pay'),
      /\.action must be one of/,
    ],
    [
      'more in a callback value',
      (card) => set(buttonOf(card)['behaviors']?.[0]?.['value'], 'open_id', 'x'),
      /\.open_id is no attribute/,
    ],
    [
      'two callbacks on a button',
      (card) => buttonOf(card)['behaviors']?.push(buttonOf(card)['behaviors']?.[0] as never),
      /not two of a kind/,
    ],
    [
      'an address without TLS',
      (card) => set(buttonOf(card), 'behaviors', [{ type: 'open_url', default_url: 'http://a.example' }]),
      /must be an https address/,
    ],
    [
      'an address that runs code',
      (card) => set(buttonOf(card), 'behaviors', [{ type: 'open_url', default_url: 'javascript:x' }]),
      /must be an https address/,
    ],
    [
      'a repeated element_id',
      (card) => card['body']?.['elements']?.push(...([1, 2].map(() => ({ tag: 'hr', element_id: 'a' })) as never[])),
      /element_id "a" more than once/,
    ],
    [
      'a bad element_id',
      (card) => card['body']?.['elements']?.push({ tag: 'hr', element_id: '1a' } as never),
      /element_id must be a letter/,
    ],
    [
      'too many components',
      (card) => card['body']?.['elements']?.push(...(Array.from({ length: 200 }, () => ({ tag: 'hr' })) as never[])),
      /components, at most 200/,
    ],
    [
      'too many bytes',
      (card) => card['body']?.['elements']?.push({ tag: 'div', text: text('x'.repeat(30_000)) } as never),
      /bytes, at most 30000/,
    ],
    [
      'too deep nesting',
      (card) => card['body']?.['elements']?.push(nested(6) as never),
      /nests 6 containers, at most 5/,
    ],
  ];
  for (const [name, change, expected] of cases) {
    it(`find ${name}`, () => {
      assert.match(broken(change).join('\n'), expected);
    });
  }

  it('allow five nested containers, and a page of this machine', () => {
    assert.deepEqual(
      broken((card) => card['body']?.['elements']?.push(nested(5) as never)),
      [],
    );
    const local = [{ type: 'open_url', default_url: 'http://127.0.0.1:8080/x' }];
    assert.deepEqual(
      broken((card) => set(buttonOf(card), 'behaviors', local)),
      [],
    );
  });

  it('name every problem, not only the first', () => {
    const found = broken((card) => {
      set(card, 'schema', '1.0');
      set(card['header'], 'template', 'pink');
    });
    assert.equal(found.length, 2);
  });

  it('agree with the simulator wherever that refuses', () => {
    for (const [name, change] of cases) {
      const card = structuredClone(request) as unknown as Draft;
      change(card);
      if (checkCard(card, { kind: 'send' }) !== null) assert.notDeepEqual(broken(change), [], name);
    }
  });
});

describe('the rules for screens', () => {
  const rules = (name: Parameters<typeof checkScreenRules>[0], change: (card: Draft) => void = unchanged): string => {
    const card = structuredClone(request) as unknown as Draft;
    change(card);
    return checkScreenRules(name, card as never)
      .map(({ rule }) => rule)
      .join('\n');
  };
  const open = { type: 'open_url', default_url: 'https://a.example' };

  it('miss a button that must be there', () => {
    assert.match(
      rules('request', (card) => buttonsOf(card).pop()),
      /must offer the button "decline"/,
    );
  });

  it('refuse a button that must not be there', () => {
    assert.match(rules('expired'), /must not offer "authorize"/);
    assert.match(rules('superseded'), /must not offer "decline"/);
  });

  it('refuse a page on a card without a link, and want one on the link card', () => {
    assert.match(
      rules('authorized', (card) => set(buttonOf(card), 'behaviors', [open])),
      /must not open a page/,
    );
    assert.match(rules('link'), /must offer a button that opens/);
  });
});

function nested(levels: number): object {
  const inside = levels === 1 ? { tag: 'hr' } : nested(levels - 1);
  return { tag: 'collapsible_panel', header: { title: text('1') }, elements: [inside] };
}
