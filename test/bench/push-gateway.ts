/**
 * A gateway that only pushes: its own WebSocket server, frames made once and stamped with a number, no bookkeeping but
 * the time each number left. The simulator's own gateway spends more on a click than a client does and would be what is
 * measured. Clients are led here by the simulator's endpoint, whose answer is rewritten. Sources: FEISHU.md §2.3 to §2.5.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { judgeCallbackAck, readAck } from '../simulator/gateway/ack.js';
import { CONTROL, DATA, decodeFrame, encodeFrame } from '../simulator/gateway/frame.js';
import type { Simulator } from '../simulator/simulator.js';
import type { BenchContext } from './benchmark.js';
import { atRate } from './pace.js';

/** Either so many clicks on the way at any moment, or so many a second whatever comes back. */
export type Load = { readonly durationMs: number } & ({ readonly inFlight: number } | { readonly perSecond: number });

export interface LoadResult {
  readonly acksPerSecond: number;
  /** From push to ack, milliseconds, one per click. */
  readonly latenciesMs: Float64Array;
}

export interface PushGateway {
  /** Resolves with the first ping of that app's client. */
  connected(appId: string): Promise<void>;
  /** `envelope` holds STAMP where each click's own number goes. Rejects when an ack is missing or not acceptable. */
  push(appId: string, envelope: string, load: Load): Promise<LoadResult>;
}

/** Stands in header `message_id` and in the payload; its digits are replaced for each click. */
export const STAMP = 'bench-000000000000';
const STAMP_PREFIX = Buffer.from('bench-');
const DIGITS = STAMP.length - STAMP_PREFIX.length;
const SERVICE = 1;
const PONG_SETTINGS = { PingInterval: 90, ReconnectInterval: 90, ReconnectNonce: 25, ReconnectCount: -1 };
const CONNECT_LIMIT_MS = 30_000;
/** Every so many-th ack is read as strictly as Feishu's client reads it, the others for their code. */
const STRICT_EVERY = 500;
const CODE_200 = Buffer.from('"code":200');

export async function startPushGateway(
  context: BenchContext,
  sim: Simulator,
  appIds: readonly string[],
): Promise<PushGateway> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients = new Map<string, WebSocket>();
  let onAck: (ack: Buffer) => void = () => undefined;
  context.after(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });

  for (const appId of appIds) {
    const url = `ws://127.0.0.1:${port}/?fpid=493&app_id=${appId}&service_id=${SERVICE}`;
    sim.faults.add({ on: 'api', api: 'endpoint', kind: 'rewrite', appId, set: { 'data.URL': url } });
  }
  server.on('connection', (socket, request) => {
    const appId = new URL(request.url ?? '/', 'ws://gateway').searchParams.get('app_id') ?? '';
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      if (data.includes(STAMP_PREFIX)) return onAck(data);
      if (decodeFrame(data).method === CONTROL) {
        socket.send(pong());
        clients.set(appId, socket);
        server.emit('pinged');
      }
    });
  });

  return {
    async connected(appId) {
      const signal = AbortSignal.timeout(CONNECT_LIMIT_MS);
      while (!clients.has(appId)) await once(server, 'pinged', { signal });
    },

    push(appId, envelope, load) {
      const socket = clients.get(appId);
      if (socket === undefined) throw new Error(`${appId} is not connected`);
      return run(socket, envelope, load, (listener) => {
        onAck = listener;
      });
    },
  };
}

/** How long acks may still come when the time is over. */
const LAST_ACK_MS = 5_000;

function run(
  socket: WebSocket,
  envelope: string,
  load: Load,
  listen: (onAck: (ack: Buffer) => void) => void,
): Promise<LoadResult> {
  const stamped = stamper(envelope);
  const sentAt: number[] = [];
  const latencies: number[] = [];
  const least = 'perSecond' in load ? Math.round((load.perSecond * load.durationMs) / 1000) : 1;
  const begin = performance.now();
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      const seconds = (performance.now() - begin) / 1000;
      resolve({ acksPerSecond: latencies.length / seconds, latenciesMs: Float64Array.from(latencies) });
    };
    const timer = setTimeout(
      () => reject(new Error(`${sentAt.length - latencies.length} clicks were not acked`)),
      load.durationMs + LAST_ACK_MS,
    );
    const send = (): void => {
      sentAt.push(performance.now());
      socket.send(stamped(sentAt.length - 1));
    };
    listen((ack) => {
      const now = performance.now();
      const at = ack.indexOf(STAMP_PREFIX) + STAMP_PREFIX.length;
      latencies.push(now - (sentAt[Number(ack.toString('latin1', at, at + DIGITS))] ?? Number.NaN));
      const problem = whatIsWrong(ack, latencies.length % STRICT_EVERY === 1);
      if (problem !== null) {
        clearTimeout(timer);
        reject(new Error(`an ack that no client would accept: ${problem}`));
      } else if (now - begin < load.durationMs && 'inFlight' in load) send();
      else if (latencies.length === sentAt.length && sentAt.length >= least) end();
    });
    if ('inFlight' in load) for (let i = 0; i < load.inFlight; i += 1) send();
    else void atRate(load.perSecond, least, async () => send());
  });
}

function whatIsWrong(ack: Buffer, strict: boolean): string | null {
  if (!ack.includes(CODE_200)) return 'its code is not 200';
  if (!strict) return null;
  const answer = judgeCallbackAck(readAck(decodeFrame(ack).payload));
  return answer.reason ?? (answer.toast === undefined ? 'it carries no toast' : null);
}

/** The frame of one click; a copy with the number written in per call. */
function stamper(envelope: string): (number: number) => Buffer {
  const frame = encodeFrame({
    SeqID: '1',
    LogID: '1',
    service: SERVICE,
    method: DATA,
    headers: [
      { key: 'type', value: 'event' },
      { key: 'message_id', value: STAMP },
      { key: 'sum', value: '1' },
      { key: 'seq', value: '0' },
      { key: 'trace_id', value: 'trace' },
      { key: 'timestamp', value: String(Date.now()) },
      { key: 'instance_id', value: 'bench' },
    ],
    payload: Buffer.from(envelope),
    LogIDNew: 'log',
  });
  const template = Buffer.from(frame);
  const places: number[] = [];
  for (let at = template.indexOf(STAMP); at !== -1; at = template.indexOf(STAMP, at + 1)) {
    places.push(at + STAMP_PREFIX.length);
  }
  return (number) => {
    const copy = Buffer.from(template);
    const digits = String(number).padStart(DIGITS, '0');
    for (const place of places) copy.write(digits, place, 'latin1');
    return copy;
  };
}

const pong = (): Uint8Array =>
  encodeFrame({
    SeqID: '0',
    LogID: '0',
    service: SERVICE,
    method: CONTROL,
    headers: [{ key: 'type', value: 'pong' }],
    payload: Buffer.from(JSON.stringify(PONG_SETTINGS)),
  });
