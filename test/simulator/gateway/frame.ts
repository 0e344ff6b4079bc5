/**
 * The protobuf frame of the long connection (package pbbp2, proto2), described by reflection. Pure encoding; what the
 * headers mean is decided elsewhere. Source: FEISHU.md §2.3.
 */
import protobuf from 'protobufjs';

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

const { Field, Type } = protobuf;

const headerType = new Type('Header')
  .add(new Field('key', 1, 'string', 'required'))
  .add(new Field('value', 2, 'string', 'required'));

const frameType = new Type('Frame')
  .add(headerType)
  .add(new Field('SeqID', 1, 'uint64', 'required'))
  .add(new Field('LogID', 2, 'uint64', 'required'))
  .add(new Field('service', 3, 'int32', 'required'))
  .add(new Field('method', 4, 'int32', 'required'))
  .add(new Field('headers', 5, 'Header', 'repeated'))
  .add(new Field('payloadEncoding', 6, 'string', 'optional'))
  .add(new Field('payloadType', 7, 'string', 'optional'))
  .add(new Field('payload', 8, 'bytes', 'optional'))
  .add(new Field('LogIDNew', 9, 'string', 'optional'));

export function encodeFrame(frame: Frame): Uint8Array {
  return frameType.encode(frameType.fromObject(frame)).finish();
}

/** Throws when the bytes are no frame. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const plain = frameType.toObject(frameType.decode(bytes), { longs: String, arrays: true });
  return plain as Frame;
}

export function headerOf(frame: Frame, key: string): string | undefined {
  return frame.headers.find((header) => header.key === key)?.value;
}
