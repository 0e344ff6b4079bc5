/** The load generator reads answers as they come over the wire, in pieces of any size. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { getRequest, readAnswer } from './http-wire.js';

const ANSWER = Buffer.from('HTTP/1.1 429 Too Many Requests\r\nContent-Length: 4\r\nretry-after: 1\r\n\r\nbody');

describe('an answer on the wire', () => {
  it('is none until its last byte is there', () => {
    for (let length = 0; length < ANSWER.length; length += 1) {
      assert.equal(readAnswer(ANSWER.subarray(0, length)), null, `${length} bytes`);
    }
    assert.deepEqual(readAnswer(ANSWER), { status: 429, body: Buffer.from('body') });
  });

  it('may have no body', () => {
    const empty = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    assert.deepEqual(readAnswer(empty), { status: 200, body: Buffer.alloc(0) });
  });

  it('is refused without a length, and with more behind it than was asked for', () => {
    assert.throws(() => readAnswer(Buffer.from('HTTP/1.1 200 OK\r\n\r\n')), /without a length: HTTP\/1.1 200 OK/);
    assert.throws(() => readAnswer(Buffer.concat([ANSWER, Buffer.from('H')])), /more came/);
  });

  it('answers a request that names path and secret', () => {
    const request = String(getRequest('/v1/users/ou_1/token', 'the-secret'));
    assert.match(
      request,
      /^GET \/v1\/users\/ou_1\/token HTTP\/1\.1\r\n(.+\r\n)*authorization: Bearer the-secret\r\n\r\n$/,
    );
  });
});
