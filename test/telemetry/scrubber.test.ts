import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { createScrubber } from '../../src/telemetry/scrubber.js';
import { leakOf } from './log-support.js';

const SECRET = 'w7Yq+2vT5/wX7zB3=dF6&gH9jK1mP4rS0uVcA8e"N\\qZ';

/** The same noise in every run. */
const noise = (seed: number, length: number): string =>
  createHash('sha512').update(String(seed)).digest('base64').repeat(20).slice(0, length);

function scrubbing(...secrets: string[]) {
  const scrubber = createScrubber();
  for (const secret of secrets) scrubber.add(secret);
  return scrubber;
}

describe('scrubber', () => {
  it('takes out every part of a secret of 8 characters and more, wherever it stands', () => {
    const scrubber = scrubbing(SECRET);
    for (let start = 0; start < SECRET.length; start++) {
      for (let end = start + 8; end <= SECRET.length; end++) {
        const part = SECRET.slice(start, end);
        for (const text of [part, `#${part}`, `${part}#`, `## ${part} ##`, `${part}#${part}`]) {
          assert.equal(leakOf(part, scrubber.scrub(text)), undefined, text);
        }
      }
    }
  });

  it('leaves what surrounds a secret, and shorter likeness', () => {
    const scrubber = scrubbing(SECRET);
    assert.equal(scrubber.scrub(`before ${SECRET} after`), 'before [secret] after');
    assert.equal(scrubber.scrub(`<${SECRET}${SECRET}>`), '<[secret][secret]>');
    assert.equal(scrubber.scrub(SECRET.slice(3, 10)), SECRET.slice(3, 10));
    assert.equal(scrubber.scrub('nothing to hide'), 'nothing to hide');
    assert.equal(scrubber.scrub(''), '');
  });

  it('finds a secret in URL encoding, hex and base64 at any alignment', () => {
    const scrubber = scrubbing(SECRET);
    const forms = [
      encodeURIComponent(SECRET),
      Buffer.from(SECRET).toString('hex'),
      Buffer.from(SECRET).toString('hex').toUpperCase(),
    ];
    for (const prefix of ['', 'a', 'cli:', 'user:', 'x:y:z']) {
      const encoded = Buffer.from(`${prefix}${SECRET}:more`);
      forms.push(encoded.toString('base64'), encoded.toString('base64url'));
    }
    for (const form of forms) {
      const inside = form.slice(10, -10);
      assert.equal(leakOf(inside, scrubber.scrub(`"${form}"`)), undefined, form);
    }
  });

  it('keeps a line of JSON a line of JSON', () => {
    const scrubber = scrubbing(SECRET, 'abcdefgh\\ijklmnop"qrstuvwxyz');
    for (let seed = 0; seed < 300; seed++) {
      const start = seed % 20;
      const values = [
        SECRET.slice(start),
        `${noise(seed, 9)}\\${SECRET}"\n`,
        'abcdefgh\\ijklmnop"qrstuvwxyz'.slice(start % 12, 24),
      ];
      const line = JSON.stringify({ text: values.join('\\'), list: values });
      const clean = scrubber.scrub(line);
      assert.doesNotThrow(() => JSON.parse(clean), clean);
      assert.equal(leakOf(JSON.stringify(SECRET).slice(1, -1), clean), undefined);
    }
  });

  it('never leaves half an escape', () => {
    const cases: [secret: string, text: string][] = [
      ['abcdefgh\\', 'abcdefgh"x'],
      ['nabcdefgh', '\nabcdefgh'],
      ['abcdefgh\\', 'abcdefgh\u0001'],
    ];
    for (const [secret, text] of cases) {
      const clean = scrubbing(secret).scrub(JSON.stringify([text]));
      assert.doesNotThrow(() => JSON.parse(clean), clean);
      assert.match(clean, /\[secret\]/);
    }
  });

  it('finds a secret that JSON has to escape all over', () => {
    const secret = 'ab"cd"ef\\gh"ij"kl';
    assert.equal(scrubbing(secret).scrub(JSON.stringify({ a: secret })), '{"a":"[secret]"}');
  });

  it('knows long tokens without their encodings', () => {
    const token = noise(7, 1300);
    const scrubber = scrubbing(token);
    assert.equal(scrubber.scrub(`<${token.slice(600)}>`), '<[secret]>');
  });

  it('ignores what is too short to be a secret, and takes short ones as a whole', () => {
    const scrubber = scrubbing('info', 'hunter2');
    assert.equal(scrubber.scrub('info: hunter2, hunter'), 'info: [secret], hunter');
  });

  it('forgets the oldest beyond its capacity, and nothing of the others', () => {
    const scrubber = createScrubber({ capacity: 2 });
    const secrets = [1, 2, 3].map((seed) => noise(seed, 30));
    for (const secret of secrets) scrubber.add(secret);
    assert.deepEqual(
      secrets.map((secret) => scrubber.scrub(secret)),
      [secrets[0], '[secret]', '[secret]'],
    );
    scrubber.add(secrets[2] ?? '');
    const alike = createScrubber({ capacity: 1 });
    for (const secret of ['x1-common-part-of-both', 'x2-common-part-of-both']) alike.add(secret);
    assert.equal(alike.scrub('common-part'), '[secret]');
    assert.equal(scrubber.scrub(secrets[1] ?? ''), '[secret]');
  });
});
