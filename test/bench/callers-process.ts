/**
 * Many callers who read tokens over kept connections, in a process of their own, on bare sockets: what they cost must be
 * small against what they measure. Options: CallersOptions. Orders: CallersOrder, answered with CallersResult.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { CallersOptions, CallersOrder, CallersResult } from './callers.js';
import { childOptions, takeOrders } from './child-orders.js';
import { getRequest, readAnswer, type WireAnswer } from './http-wire.js';

const options = childOptions() as CallersOptions;
const sockets = await Promise.all(
  options.ports.flatMap((port) => Array.from({ length: options.connectionsEach }, () => open(port))),
);

takeOrders((order) => carryOut(order as CallersOrder));

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket;
}

async function carryOut({ durationMs, mostCalls, openIds }: CallersOrder): Promise<CallersResult> {
  const requests = openIds.map((openId, i) =>
    getRequest(`/v1/users/${openId}/token`, options.secrets[i % options.secrets.length] ?? ''),
  );
  const latenciesMs: number[] = [];
  const statuses: Record<string, number> = {};
  const tokens = new Set<string>();
  const before = process.cpuUsage();
  const begin = performance.now();
  let asked = 0;
  await Promise.all(
    sockets.map(async (socket) => {
      do {
        const request = requests[asked % requests.length] as Buffer;
        asked += 1;
        const sentAt = performance.now();
        const { body, status } = await ask(socket, request);
        latenciesMs.push(performance.now() - sentAt);
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (durationMs === 0 && status === 200) tokens.add(tokenIn(body));
      } while (performance.now() - begin < durationMs && asked < (mostCalls ?? Number.POSITIVE_INFINITY));
    }),
  );
  const tookMs = performance.now() - begin;
  const { system, user } = process.cpuUsage(before);
  return { latenciesMs, statuses, tokens: [...tokens], tookMs, cpuMs: (user + system) / 1000 };
}

function ask(socket: Socket, request: Buffer): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    let received: Buffer | null = null;
    const lost = (): void => reject(new Error('a connection was closed'));
    const arrived = (chunk: Buffer): void => {
      received = received === null ? chunk : Buffer.concat([received, chunk]);
      const answer = readAnswer(received);
      if (answer === null) return;
      socket.off('data', arrived).off('close', lost);
      resolve(answer);
    };
    socket.on('data', arrived).on('close', lost);
    socket.write(request);
  });
}

const tokenIn = (body: Buffer): string =>
  String((JSON.parse(body.toString()) as Readonly<Record<string, unknown>>)['access_token']);
