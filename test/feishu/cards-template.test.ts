import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { escapeMarkdown, markdownLinkTarget } from '../../src/feishu/cards/escape.js';
import { fillTemplate } from '../../src/feishu/cards/template.js';
import { checkTemplate } from '../../src/feishu/cards/template-check.js';
import { NO_VARIABLES, VARIABLES, type Variables } from '../../src/feishu/cards/variables.js';
import { LINK } from './cards-support.js';

const variables = (values: Partial<Variables>): Variables => ({ ...NO_VARIABLES, ...values });
const everything = new Set(Object.keys(VARIABLES));
const rulesOf = (
  template: Parameters<typeof checkTemplate>[0],
  available: ReadonlySet<string> = everything,
): string[] => checkTemplate(template, available).map(({ path, rule }) => `${path} ${rule}`);

describe('filling a template', () => {
  it('takes each language from its own key and the default from Chinese', () => {
    const template = { tag: 'plain_text', i18n_content: { zh_cn: '{{client}} 申请', en_us: '{{client}} asks' } };
    const filled = fillTemplate(template, variables({ client: { zh_cn: '周报', en_us: 'Reports' } }));
    assert.deepEqual(filled, {
      tag: 'plain_text',
      i18n_content: { zh_cn: '周报 申请', en_us: 'Reports asks' },
      content: '周报 申请',
    });
  });

  it('drops an element whose $if variable is empty, and keeps it without the $if otherwise', () => {
    const template = { elements: [{ tag: 'hr', $if: 'reason' }, { tag: 'hr' }] };
    assert.deepEqual(fillTemplate(template, variables({})), { elements: [{ tag: 'hr' }] });
    assert.deepEqual(fillTemplate(template, variables({ reason: 'x' })), { elements: [{ tag: 'hr' }, { tag: 'hr' }] });
  });

  it('escapes in markdown and lark_md but not in plain text', () => {
    const fill = (tag: string) => fillTemplate({ tag, content: '{{reason}}' }, variables({ reason: '<b>' }))['content'];
    assert.equal(fill('markdown'), '&#60;b&#62;');
    assert.equal(fill('lark_md'), '&#60;b&#62;');
    assert.equal(fill('plain_text'), '<b>');
  });

  it('does not read a value as a template again', () => {
    const filled = fillTemplate(
      { tag: 'plain_text', content: '{{reason}}' },
      variables({ reason: '{{link}}', link: LINK }),
    );
    assert.equal(filled['content'], '{{link}}');
  });

  it('leaves dollar signs of a value alone', () => {
    assert.equal(fillTemplate({ content: '{{app}}' }, variables({ app: "$& $1 $'" }))['content'], "$& $1 $'");
  });

  it('puts addresses byte by byte into address fields and markdown link targets', () => {
    const template = { tag: 'markdown', content: '[open]({{link}})', default_url: '{{link}}' };
    const filled = fillTemplate(template, variables({ link: LINK }));
    assert.equal(filled['default_url'], LINK);
    assert.equal(filled['content'], `[open](${LINK})`);
  });

  it('does not change the template', () => {
    const template = { elements: [{ tag: 'plain_text', content: '{{app}}', $if: 'app' }] };
    const before = structuredClone(template);
    fillTemplate(template, variables({ app: 'x' }));
    assert.deepEqual(template, before);
  });
});

describe('escaping for markdown', () => {
  it('leaves no character from which a link, mention, style, tag, emoji or address could be made', () => {
    const hostile = '[x](https://e.example) <at id=all></at> **b** ~~s~~ `c` ![i](k) :OK: www.e.example a@e.example';
    const escaped = escapeMarkdown(hostile).replace(/&#\d+;/g, '');
    assert.doesNotMatch(escaped, /[<>[\]()*_~`!:@.#|\\$&]/);
  });

  it('makes no list, heading or rule of a line', () => {
    assert.equal(escapeMarkdown('- a\n+ b\n1. c\n# d\n=== e'), '&#45; a\n&#43; b\n&#49;&#46; c\n&#35; d\n&#61;== e');
  });

  it('keeps ordinary words, hyphens and numbers readable', () => {
    assert.equal(escapeMarkdown('项目 A-1，共 20 个'), '项目 A-1，共 20 个');
  });

  it('lets nothing end a link target too early', () => {
    assert.equal(markdownLinkTarget('https://a.example/(x)?y=1 2'), 'https://a.example/%28x%29?y=1%202');
    assert.equal(markdownLinkTarget(LINK), LINK);
  });
});

describe('judging a template', () => {
  it('finds unknown, broken and unavailable placeholders', () => {
    assert.deepEqual(rulesOf({ content: '{{nobody}}' }), ['content uses an unknown variable: {{nobody}}']);
    assert.match(rulesOf({ content: '{{app}' }).join(), /broken placeholder/);
    assert.match(rulesOf({ content: '{{ app }}' }).join(), /unknown variable/);
    assert.deepEqual(rulesOf({ content: '{{app}}' }, new Set()), [
      'content uses {{app}}, which has no value on this card',
    ]);
    assert.match(rulesOf({ content: '{{constructor}}' }).join(), /unknown variable/);
  });

  it('finds a $if that names nothing', () => {
    assert.deepEqual(rulesOf({ elements: [{ tag: 'hr', $if: 'reeson' }] }), [
      'elements[0].$if uses an unknown variable: {{reeson}}',
    ]);
    assert.deepEqual(rulesOf({ elements: [{ tag: 'hr', $if: true }] }).length, 1);
  });

  it('finds words in one language, a missing language, and a default that says something else', () => {
    assert.equal(rulesOf({ content: 'Hello' }).length, 1);
    assert.equal(rulesOf({ content: '{{deadline}}' }).length, 1);
    assert.deepEqual(rulesOf({ content: '{{reason}}' }), []);
    assert.deepEqual(rulesOf({ i18n_content: { zh_cn: '你好' } }), [' lacks the language en_us']);
    assert.equal(rulesOf({ content: '再见', i18n_content: { zh_cn: '你好', en_us: 'Hello' } }).length, 1);
  });

  it('lets only addresses be addresses, and only whole ones', () => {
    assert.deepEqual(rulesOf({ default_url: '{{applink}}' }), []);
    assert.equal(rulesOf({ default_url: '{{reason}}' }).length, 1);
    assert.equal(rulesOf({ default_url: 'https://track.example/?to={{link}}' }).length, 1);
    assert.deepEqual(rulesOf({ tag: 'markdown', content: '[·]({{link}})' }), []);
    assert.match(rulesOf({ tag: 'markdown', content: '[·]({{reason}})' }).join(), /must be \{\{link\}\} or/);
    assert.match(rulesOf({ tag: 'markdown', content: '[·]({{link}}&x=1)' }).join(), /must be \{\{link\}\} or/);
    assert.equal(rulesOf({ tag: 'plain_text', content: '{{link}}' }).length, 1);
  });

  it('finds a variable where none belongs', () => {
    assert.deepEqual(rulesOf({ header: { template: '{{app}}' } }), ['header.template is no place for a variable']);
    assert.deepEqual(rulesOf({ value: { action: '{{app}}', session_id: '{{session_id}}' } }), [
      'value.action is no place for a variable',
    ]);
  });
});
