import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { AuthdError } from '../../src/errors.js';
import { loadCards } from '../../src/feishu/cards/load-cards.js';
import { CARDS_DIR } from './cards-support.js';

/** A copy of the cards that a test may spoil. */
async function cardsFor(context: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'authd-cards-'));
  context.after(() => rm(dir, { recursive: true }));
  await cp(CARDS_DIR, dir, { recursive: true });
  return dir;
}

async function edit(dir: string, file: string, change: (text: string) => string): Promise<void> {
  const path = join(dir, file);
  const before = await readFile(path, 'utf8');
  const after = change(before);
  assert.notEqual(after, before, `the edit of ${file} changed nothing`);
  await writeFile(path, after);
}

/** The message of the refusal. */
async function refusal(dir: string): Promise<string> {
  const error = await loadCards(dir).then(
    () => assert.fail('the cards were taken'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof AuthdError && error.code === 'cards_invalid', String(error));
  return error.message;
}

describe('loading the cards', () => {
  it('takes the cards as they are', async () => {
    const cards = await loadCards(CARDS_DIR);
    assert.ok(cards.scopes.size >= 120);
    assert.equal(cards.templates.request['schema'], '2.0');
  });

  it('refuses a folder that is not there, naming every file', async () => {
    assert.match(await refusal('/nonexistent/cards'), /request\.json: the card cannot be read \(ENOENT\)/);
  });

  it('refuses a file that is not JSON', async (context) => {
    const dir = await cardsFor(context);
    await edit(dir, 'link.json', (text) => text.slice(0, -5));
    assert.match(await refusal(dir), /link\.json: the card is not JSON/);
  });

  it('names file, place and rule of everything that is wrong, at once', async (context) => {
    const dir = await cardsFor(context);
    await edit(dir, 'request.json', (text) => text.replace('primary_filled', 'shiny'));
    await edit(dir, 'expired.json', (text) => text.replace('"grey"', '"pink"'));
    await edit(dir, 'gone.json', (text) => text.replace('"enable_forward": false', '"enable_forward": true'));
    const message = await refusal(dir);
    assert.match(
      message,
      /request\.json: body\.elements\[7\]\.columns\[0\]\.elements\[0\]\.type must be one of default/,
    );
    assert.match(message, /expired\.json: header\.template must be one of/);
    assert.match(message, /gone\.json: config\.enable_forward must be false/);
  });

  it('refuses a mistyped variable', async (context) => {
    const dir = await cardsFor(context);
    await edit(dir, 'request.json', (text) => text.replace('{{deadline}}', '{{dedline}}'));
    assert.match(await refusal(dir), /request\.json: .* uses an unknown variable: \{\{dedline\}\}/);
  });

  it('refuses the link on any other card', async (context) => {
    const dir = await cardsFor(context);
    const button =
      '{"tag":"button","text":{"tag":"plain_text","content":"1"},"behaviors":[{"type":"open_url","default_url":"{{applink}}"}]}';
    await edit(dir, 'authorized.json', (text) => text.replace('"elements": [', `"elements": [${button},`));
    assert.match(await refusal(dir), /authorized\.json: .* \{\{applink\}\}, which has no value on this card/);
  });

  it('refuses any variable on the card that is about no session', async (context) => {
    const dir = await cardsFor(context);
    await edit(dir, 'gone.json', (text) => text.replace('"zh_cn": "', '"zh_cn": "{{client}} '));
    assert.match(await refusal(dir), /gone\.json: .* \{\{client\}\}, which has no value on this card/);
  });

  it('refuses a card without its Decline button', async (context) => {
    const dir = await cardsFor(context);
    await edit(dir, 'request.json', (text) => text.replace('"action": "decline"', '"action": "authorize"'));
    assert.match(await refusal(dir), /request\.json: body must offer the button "decline"/);
  });

  it('refuses a card that grows too big with the longest session', async (context) => {
    const dir = await cardsFor(context);
    await edit(dir, 'request.json', (text) => text.replaceAll('申请方填写', '申请方填写'.repeat(300)));
    assert.match(await refusal(dir), /request\.json: the card has \d+ bytes, at most 30000 are allowed/);
  });

  it('counts the words of scopes into the size of a card', async (context) => {
    const dir = await cardsFor(context);
    await edit(dir, 'scopes.json', (text) => text.replaceAll('查看', '查看'.repeat(60)));
    assert.match(await refusal(dir), /authorized\.json: the card has \d+ bytes/);
  });

  it('refuses a card that breaks a rule only once something empty has been dropped', async (context) => {
    const dir = await cardsFor(context);
    await edit(dir, 'request.json', (text) =>
      text.replace('"header": {\n    "title": {', '"header": {\n    "title": {"$if": "reason",'),
    );
    assert.match(await refusal(dir), /request\.json: header\.title is missing \(once everything empty is dropped\)/);
  });

  it('refuses texts that lack a language, an entry or a known name', async (context) => {
    const dir = await cardsFor(context);
    await edit(dir, 'scopes.json', (text) => text.replace(', "en_us": "View documents"', ''));
    await edit(dir, 'toasts.json', (text) => text.replace('"declined"', '"declinde"'));
    await edit(dir, 'failures.json', (text) => text.replace('"upstream_error"', '"upstream"'));
    await edit(dir, 'notice.json', (text) => text.replace('{{open_id}}', 'all'));
    const message = await refusal(dir);
    assert.match(message, /scopes\.json: "docx:document:readonly"\.en_us is missing/);
    assert.match(message, /toasts\.json: declined is missing/);
    assert.match(message, /toasts\.json: declinde is no attribute/);
    assert.match(message, /failures\.json: reasons\.upstream_error is missing/);
  });

  it('refuses a notice that names nobody or uses what it must not', async (context) => {
    const dir = await cardsFor(context);
    await edit(dir, 'notice.json', (text) => text.replace('{{open_id}}', 'all').replace('{{client}}', '{{reason}}'));
    const message = await refusal(dir);
    assert.match(message, /notice\.json: text must name the user/);
    assert.match(message, /notice\.json: text uses an unknown variable: \{\{reason\}\}/);
  });

  it('refuses messages with unknown names, missing languages, and links where they do not belong', async (context) => {
    const dir = await cardsFor(context);
    const file = join(dir, 'messages.json');
    const messages = JSON.parse(await readFile(file, 'utf8'));
    const refusalOf = async (name: string, change: object): Promise<string> => {
      await writeFile(file, JSON.stringify({ ...messages, [name]: { ...messages[name], ...change } }));
      return await refusal(dir);
    };
    const line = { zh_cn: '一', en_us: 'one' };
    const cases: readonly (readonly [string, object, RegExp])[] = [
      ['request', { lines: undefined }, /messages\.json: request\.lines is missing/],
      ['request', { title: { zh_cn: '一' } }, /messages\.json: request\.title\.en_us is missing/],
      ['requets', { title: line, lines: [line] }, /messages\.json: requets is no attribute/],
      ['request', { lines: [line] }, /request\.lines must have a line without \$if that opens \{\{link\}\}/],
      [
        'rejected',
        { lines: [{ ...line, open: '{{link}}' }] },
        /lines\[0\]\.open uses \{\{link\}\}, which has no value/,
      ],
      ['rejected', { lines: [{ ...line, open: 'lark://x' }] }, /lines\[0\]\.open must be \{\{link\}\} or/],
      ['request', { title: { ...line, zh_cn: '{{link}}' } }, /title\.zh_cn may use \{\{link\}\} only as the whole of/],
      ['expired', { title: { ...line, en_us: '{{reasn}}' } }, /title\.en_us uses an unknown variable: \{\{reasn\}\}/],
      ['expired', { title: { ...line, en_us: '{{tries_left}}' } }, /\{\{tries_left\}\}, which has no value in this/],
      ['expired', { title: { ...line, en_us: '{client}}' } }, /title\.en_us has a broken placeholder/],
      ['expired', { lines: [{ ...line, $if: 'resaon' }] }, /lines\[0\]\.\$if uses an unknown variable/],
      ['expired', { lines: [{ ...line, zh_cn: '长'.repeat(20_000) }] }, /expired has up to \d+ bytes, at most 29500/],
    ];
    for (const [name, change, rule] of cases) assert.match(await refusalOf(name, change), rule);
  });

  it('refuses a card under a name nobody would look for', async (context) => {
    const dir = await cardsFor(context);
    await writeFile(join(dir, 'reqeust.json'), '{}');
    assert.match(await refusal(dir), /reqeust\.json: the card is no name of a card or a text file/);
  });
});
