/**
 * A bare WebSocket client of the gateway, for what the SDK hides: every frame as it came, and acks as a test likes them.
 */
import { WebSocket } from 'ws';
import type { App } from '../directory.js';
import { CONTROL, DATA, decodeFrame, encodeFrame, type Frame } from '../gateway/frame.js';
import type { Simulator } from '../simulator.js';
import { ask } from './scene.js';

export interface RawClient {
  socket: WebSocket;
  frames: Frame[];
  /** The next frame that arrives, or one that has and was not taken yet. */
  next(): Promise<Frame>;
  ping(): void;
  /** Acks a data frame with `payload`, by default as a handler that returned nothing. */
  ack(frame: Frame, payload?: Record<string, unknown> | string): void;
}

/** A fresh connection URL, as the endpoint gives it. */
export async function connectionUrl(simulator: Simulator, app: App): Promise<string> {
  const credentials = { AppID: app.appId, AppSecret: app.appSecret };
  const answer = await ask(simulator, 'POST', '/callback/ws/endpoint', credentials);
  return String((answer.body['data'] as Record<string, unknown> | undefined)?.['URL']);
}

export async function connectRaw(simulator: Simulator, app: App): Promise<RawClient> {
  return openRaw(await connectionUrl(simulator, app));
}

/** Resolves once the connection is open; rejects with the HTTP answer when it is refused. */
export function openRaw(url: string): Promise<RawClient> {
  const frames: Frame[] = [];
  const waiting: ((frame: Frame) => void)[] = [];
  let taken = 0;
  const socket = new WebSocket(url);
  socket.on('message', (data) => {
    const frame = decodeFrame(data as Buffer);
    frames.push(frame);
    const waiter = waiting.shift();
    if (waiter) {
      taken += 1;
      waiter(frame);
    }
  });
  const client: RawClient = {
    socket,
    frames,
    next: () => {
      const ready = frames[taken];
      if (ready) {
        taken += 1;
        return Promise.resolve(ready);
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
    ping: () =>
      socket.send(
        encodeFrame({ SeqID: '0', LogID: '0', service: 1, method: CONTROL, headers: [{ key: 'type', value: 'ping' }] }),
      ),
    ack: (frame, payload = { code: 200 }) => {
      const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
      socket.send(encodeFrame({ ...frame, method: DATA, payload: Buffer.from(text) }));
    },
  };
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(client));
    socket.once('unexpected-response', (_request, response) => {
      reject(Object.assign(new Error(`HTTP ${response.statusCode}`), { headers: response.headers }));
      socket.terminate();
    });
    socket.once('error', reject);
  });
}
