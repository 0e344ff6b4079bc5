/**
 * The protobuf frame of the long connection (package pbbp2, proto2), written out by hand: the SDK switches 64-bit
 * integers off in protobufjs for its whole process, and the simulator often shares a process with it. Pure encoding;
 * what the headers mean is decided elsewhere. Source: FEISHU.md §2.3, protobuf.dev/programming-guides/encoding.
 */

export interface FrameHeader {
  key: string;
  value: string;
}

/** method 0 = control (ping, pong), 1 = data. SeqID and LogID are decimal text: they exceed JavaScript's integers. */
export interface Frame {
  SeqID: string;
  LogID: string;
  service: number;
  method: number;
  headers: FrameHeader[];
  payloadEncoding?: string;
  payloadType?: string;
  payload?: Uint8Array;
  LogIDNew?: string;
}

export const CONTROL = 0;
export const DATA = 1;

const VARINT = 0;
const LENGTH_DELIMITED = 2;

export function encodeFrame(frame: Frame): Uint8Array {
  return Buffer.concat([
    varintField(1, BigInt(frame.SeqID)),
    varintField(2, BigInt(frame.LogID)),
    varintField(3, BigInt(frame.service)),
    varintField(4, BigInt(frame.method)),
    ...frame.headers.map(({ key, value }) =>
      bytesField(5, Buffer.concat([bytesField(1, Buffer.from(key)), bytesField(2, Buffer.from(value))])),
    ),
    ...optionalText(6, frame.payloadEncoding),
    ...optionalText(7, frame.payloadType),
    ...(frame.payload === undefined ? [] : [bytesField(8, frame.payload)]),
    ...optionalText(9, frame.LogIDNew),
  ]);
}

/** Throws when the bytes are no frame or a required field is missing. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const fields = readFields(bytes);
  const [payloadEncoding, payloadType, LogIDNew] = [6, 7, 9].map((number) =>
    lastBytes(fields, number)?.toString('utf8'),
  );
  const payload = lastBytes(fields, 8);
  return {
    SeqID: String(requiredInteger(fields, 1)),
    LogID: String(requiredInteger(fields, 2)),
    service: Number(BigInt.asIntN(32, requiredInteger(fields, 3))),
    method: Number(BigInt.asIntN(32, requiredInteger(fields, 4))),
    headers: fields.filter((field) => field.number === 5).map((field) => readHeader(field.value)),
    ...(payloadEncoding === undefined ? {} : { payloadEncoding }),
    ...(payloadType === undefined ? {} : { payloadType }),
    ...(payload === undefined ? {} : { payload }),
    ...(LogIDNew === undefined ? {} : { LogIDNew }),
  };
}

export function headerOf(frame: Frame, key: string): string | undefined {
  return frame.headers.find((header) => header.key === key)?.value;
}

interface Field {
  number: number;
  value: bigint | Buffer;
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

const tag = (number: number, wireType: number): Buffer => varint(BigInt((number << 3) | wireType));

const varintField = (number: number, value: bigint): Buffer => Buffer.concat([tag(number, VARINT), varint(value)]);

const bytesField = (number: number, value: Uint8Array): Buffer =>
  Buffer.concat([tag(number, LENGTH_DELIMITED), varint(BigInt(value.length)), value]);

const optionalText = (number: number, value: string | undefined): Buffer[] =>
  value === undefined ? [] : [bytesField(number, Buffer.from(value))];

function readFields(bytes: Uint8Array): Field[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields: Field[] = [];
  let offset = 0;
  const readVarint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = buffer[offset];
      if (byte === undefined) throw new Error('the frame ends inside a number');
      offset += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Error('a number of the frame is too long');
  };
  while (offset < buffer.length) {
    const key = Number(readVarint());
    const [number, wireType] = [key >>> 3, key & 7];
    if (wireType === VARINT) {
      fields.push({ number, value: readVarint() });
      continue;
    }
    if (wireType !== LENGTH_DELIMITED) throw new Error(`wire type ${wireType} does not occur in frames`);
    const end = Number(readVarint()) + offset;
    if (end > buffer.length) throw new Error('the frame ends inside a field');
    fields.push({ number, value: buffer.subarray(offset, end) });
    offset = end;
  }
  return fields;
}

function requiredInteger(fields: Field[], number: number): bigint {
  const value = fields.findLast((field) => field.number === number)?.value;
  if (typeof value !== 'bigint') throw new Error(`field ${number} is required`);
  return value;
}

function lastBytes(fields: Field[], number: number): Buffer | undefined {
  const value = fields.findLast((field) => field.number === number)?.value;
  if (typeof value === 'bigint') throw new Error(`field ${number} is not text or bytes`);
  return value;
}

function readHeader(value: bigint | Buffer): FrameHeader {
  if (typeof value === 'bigint') throw new Error('a header is not a message');
  const fields = readFields(value);
  const [key, text] = [lastBytes(fields, 1), lastBytes(fields, 2)];
  if (!key || !text) throw new Error('a header lacks key or value');
  return { key: key.toString('utf8'), value: text.toString('utf8') };
}
