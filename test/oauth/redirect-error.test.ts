/** What the `error` of a redirect tells her and the operator: nothing that holds at the token endpoint only. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explainRedirectError } from '../../src/oauth/redirect-error.js';
import { ERROR_NAMES } from '../../src/oauth/token-codes.js';

/** RFC 6749 §4.1.2.1, without `access_denied`, which is an outcome. */
const NAMES = [
  'invalid_request',
  'unauthorized_client',
  'unsupported_response_type',
  'invalid_scope',
  'server_error',
  'temporarily_unavailable',
];

describe('an error at the redirect URI', () => {
  for (const name of ['server_error', 'temporarily_unavailable']) {
    it(`${name}: the user opens the link once more, because nobody else tries again`, () => {
      const { for: who, remedy } = explainRedirectError(name);
      assert.equal(who, 'user');
      assert.match(remedy, /open the link .*once more/i);
    });
  }

  it('never promises another try, and asks for no code or log id, which a redirect does not have', () => {
    for (const name of [...NAMES, ...Object.keys(ERROR_NAMES), 'nobody_knows', 'constructor']) {
      assert.doesNotMatch(explainRedirectError(name).remedy, /tried again|log id|nothing to do/i, name);
    }
  });

  it("is the developers' to mend when our request was wrong, and the operator's when the app's settings are", () => {
    const who = (name: string): string => explainRedirectError(name).for;
    assert.deepEqual(NAMES.slice(0, 4).map(who), ['developer', 'operator', 'developer', 'operator']);
    assert.equal(who('nobody_knows'), 'operator');
  });
});
