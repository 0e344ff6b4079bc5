import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import protobuf from 'protobufjs';
import { DATA, decodeFrame, encodeFrame, type Frame } from './frame.js';

// The schema again, by protobufjs: an independent witness that the hand-written codec speaks protobuf.
const { Field, Type } = protobuf;
const header = new Type('Header')
  .add(new Field('key', 1, 'string', 'required'))
  .add(new Field('value', 2, 'string', 'required'));
const witness = new Type('Frame')
  .add(header)
  .add(new Field('SeqID', 1, 'uint64', 'required'))
  .add(new Field('LogID', 2, 'uint64', 'required'))
  .add(new Field('service', 3, 'int32', 'required'))
  .add(new Field('method', 4, 'int32', 'required'))
  .add(new Field('headers', 5, 'Header', 'repeated'))
  .add(new Field('payloadEncoding', 6, 'string'))
  .add(new Field('payloadType', 7, 'string'))
  .add(new Field('payload', 8, 'bytes'))
  .add(new Field('LogIDNew', 9, 'string'));

const frame: Frame = {
  SeqID: '18446744073709551615',
  LogID: '9007199254740993',
  service: -7,
  method: DATA,
  headers: [
    { key: 'type', value: 'event' },
    { key: 'message_id', value: '授权✓' },
    { key: 'empty', value: '' },
  ],
  payloadEncoding: 'utf8',
  payloadType: 'json',
  payload: Buffer.from('{"a":"王"}'),
  LogIDNew: 'log',
};

describe('the frame codec', () => {
  it('writes what protobufjs reads, 64-bit numbers included', () => {
    const read = witness.toObject(witness.decode(encodeFrame(frame)), { longs: String });
    assert.deepEqual(read, { ...frame, payload: Buffer.from(frame.payload ?? []) });
  });

  it('reads what protobufjs writes', () => {
    const bytes = witness.encode(witness.fromObject(frame)).finish();
    assert.deepEqual(decodeFrame(bytes), frame);
  });

  it('refuses truncated frames, missing required fields and foreign wire types', () => {
    const bytes = encodeFrame(frame);
    assert.throws(() => decodeFrame(bytes.subarray(0, bytes.length - 1)), /ends inside/);
    assert.throws(() => decodeFrame(Buffer.from([0x18, 0x01])), /field 1 is required/);
    assert.throws(() => decodeFrame(Buffer.from([0x0d, 0, 0, 0, 0])), /wire type 5/);
    assert.throws(() => decodeFrame(Buffer.from('not a frame')));
  });
});
