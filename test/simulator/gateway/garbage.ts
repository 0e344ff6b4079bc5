/**
 * Bytes a hostile or broken gateway might send; a client must drop each and go on (FAILURES A-malformed-frame-crash).
 */
import { randomBytes } from 'node:crypto';
import { CONTROL, DATA, encodeFrame, type Frame } from './frame.js';

const HUGE_BYTES = 5 * 1024 * 1024;

const frame = (method: number, headers: Record<string, string>, payload?: string): Uint8Array => {
  const plain: Frame = {
    SeqID: '1',
    LogID: '1',
    service: 1,
    method,
    headers: Object.entries(headers).map(([key, value]) => ({ key, value })),
    ...(payload === undefined ? {} : { payload: Buffer.from(payload) }),
  };
  return encodeFrame(plain);
};

const data = (headers: Record<string, string>, payload?: string): Uint8Array =>
  frame(DATA, { type: 'event', message_id: `garbage-${randomBytes(4).toString('hex')}`, ...headers }, payload);

const WHOLE = { sum: '1', seq: '0' };

export const GARBAGE = {
  random_bytes: () => randomBytes(64),
  text: () => 'not a frame',
  empty: () => Buffer.alloc(0),
  /** Only field 3: the required SeqID and LogID are missing. */
  no_required_fields: () => Buffer.from([0x18, 0x01]),
  no_headers: () => frame(DATA, {}, '{}'),
  no_type: () => frame(DATA, { message_id: 'garbage', ...WHOLE }, '{}'),
  unknown_method: () => frame(7, { type: 'event', message_id: 'garbage', ...WHOLE }, '{}'),
  bad_json: () => data(WHOLE, '{"schema":"2.0","hea'),
  null_payload: () => data(WHOLE, 'null'),
  no_fragment_meta: () => data({}, '{}'),
  bad_fragment_meta: () => data({ sum: '-1', seq: '9' }, '{}'),
  incomplete_fragments: () => data({ sum: '3', seq: '1' }, '{"schema":'),
  huge: () => data(WHOLE, JSON.stringify({ filler: 'x'.repeat(HUGE_BYTES) })),
  bad_pong: () => frame(CONTROL, { type: 'pong' }, '{"PingInterval":'),
  null_pong: () => frame(CONTROL, { type: 'pong' }, 'null'),
  empty_pong: () => frame(CONTROL, { type: 'pong' }, '{}'),
  server_ping: () => frame(CONTROL, { type: 'ping' }),
} as const satisfies Record<string, () => Uint8Array | string>;

export type GarbageKind = keyof typeof GARBAGE;
