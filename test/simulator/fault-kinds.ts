/**
 * The ways Feishu can be made to misbehave, as plain data: also what POST /sim/faults takes. No behaviour.
 * Source: the list at the end of FEISHU.md.
 */
import type { ApiName } from './options.js';

/** What all faults can say about when they fire. */
interface Aim {
  /** How many times it fires; absent = until cleared. */
  times?: number;
  /** How many matches pass untouched first. */
  skip?: number;
  appId?: string;
}

/**
 * `when: 'before'` (default): the call is answered without being carried out. `when: 'after'`: it is carried out and
 * only the answer is lost or changed ("store, then 500"; "consume, then hang up").
 */
interface ApiAim extends Aim {
  on: 'api';
  api: ApiName | '*';
  when?: 'before' | 'after';
  openId?: string;
  messageId?: string;
  grant?: string;
  userCode?: string;
}

/** Held until `release()` or `clear()` of the handle, then goes on as if nothing had been. */
interface Hold {
  kind: 'hold';
}

/** Feishu's own error, worded as the API in question words it. */
export interface CodeFault {
  kind: 'code';
  code: number;
  msg?: string;
  /** RFC 6749 `error`, where the table would give another. */
  error?: string;
  /** HTTP status, where the API would give another. */
  status?: number;
  /** The endpoint's answers differ in having a `data` object. */
  data?: 'empty' | 'null' | 'absent';
  /** For 99991400: seconds in x-ogw-ratelimit-reset. */
  resetSeconds?: number;
}

/** Carried out, then members of the answer are replaced or removed (dotted paths). */
export interface RewriteFault {
  kind: 'rewrite';
  set?: Record<string, unknown>;
  remove?: string[];
}

/** The caller gets `answer` (a number is an HTTP status) now; the call is carried out `ms` later. */
interface LateFault {
  kind: 'late';
  ms: number;
  answer: 'hang' | 'reset' | number;
}

export type ApiFault = ApiAim &
  (
    | { kind: 'hang' }
    | Hold
    | { kind: 'delay'; ms: number }
    | { kind: 'reset' }
    | { kind: 'html'; status?: number }
    | { kind: 'status'; status: number; body?: unknown; headers?: Record<string, string> }
    | CodeFault
    | { kind: 'oauth_error'; error: string; code?: number; status?: number }
    | RewriteFault
    | LateFault
  );

/** Answered with a plain HTTP error and the Handshake-* headers (FEISHU.md §2.2). */
export interface RefuseHandshake {
  kind: 'refuse';
  status: number;
  handshakeStatus?: number;
  authErrorCode?: number;
  msg?: string;
}

/** `half_answer`: RST in the middle of the 101. `accept_then_close` without `code`: RST after `ms`. */
export type HandshakeFault = Aim & { on: 'handshake' } & (
    | RefuseHandshake
    | { kind: 'hang' }
    | { kind: 'delay'; ms: number }
    | { kind: 'reset' }
    | { kind: 'half_answer' }
    | { kind: 'accept_then_close'; ms: number; code?: number }
  );

/**
 * States of connections, in force for as long as they are set; `connectionId` narrows one to one connection.
 * `blackhole`: open, but nothing is read or written. `deaf`: pings are answered, nothing is routed here.
 * `pong_payload: null`: a pong without payload. `pong_delay` with `every: 3`: only each third ping is answered late.
 */
export type SocketFault = Aim & { on: 'socket'; connectionId?: string } & (
    | { kind: 'blackhole' }
    | { kind: 'no_pong' }
    | { kind: 'pong_payload'; payload: string | null }
    | { kind: 'pong_delay'; ms: number; every?: number }
    | { kind: 'deaf' }
  );

/** Applies to the pushes of events and callbacks. */
export type DeliveryFault = Aim & { on: 'delivery' } & (
    | { kind: 'fragment'; parts: number; order?: 'forward' | 'reverse'; gapMs?: number }
    | { kind: 'duplicate'; copies: number }
  );

export type Fault = ApiFault | HandshakeFault | SocketFault | DeliveryFault;
