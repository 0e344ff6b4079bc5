/**
 * The wire between one daemon and Redis, cut into commands: a test stops it at a command it names, before Redis sees it
 * or before the daemon hears of it. Reads requests only (RESP arrays of bulk strings, as ioredis writes them); replies
 * pass as bytes. Owns its sockets.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import type { Redis } from 'ioredis';
import type { Script } from '../../src/store/script.js';

/** The parts of a command: its name and its arguments. */
type Command = readonly Buffer[];
export type CommandMatch = (command: Command) => boolean;

/** A command that was stopped on its way; with it everything else on its connection. */
export interface Hold {
  /** Resolves when the command has come; Redis has not seen it. */
  readonly met: Promise<void>;
  /** Lets Redis have it; the daemon does not hear of it. */
  forward(): void;
  /** Lets everything flow again. */
  release(): void;
}

export interface RedisWire {
  readonly url: string;
  /** New connections go to this port of loopback. */
  target(port: number): void;
  /** Ends every open connection. */
  cut(): void;
  /** Stops the next command that matches. */
  hold(matches: CommandMatch): Hold;
  close(): Promise<void>;
}

interface Line {
  readonly near: Socket;
  readonly far: Socket;
  /** Requests that wait: an incomplete command, or everything from a held one on. */
  pending: Buffer;
  stopped: boolean;
  /** Replies that wait; null: they pass. */
  replies: Buffer[] | null;
}

interface Wanted {
  readonly matches: CommandMatch;
  readonly meet: (line: Line) => void;
}

export async function newRedisWire(): Promise<RedisWire> {
  const lines = new Set<Line>();
  const wanted = new Set<Wanted>();
  let targetPort = 0;

  const pump = (line: Line): void => {
    while (!line.stopped) {
      const command = firstCommand(line.pending);
      if (command === null) return;
      const hold = [...wanted].find(({ matches }) => matches(command.parts));
      if (hold !== undefined) {
        wanted.delete(hold);
        line.stopped = true;
        hold.meet(line);
        return;
      }
      send(line, command.length);
    }
  };
  const send = (line: Line, length: number): void => {
    line.far.write(line.pending.subarray(0, length));
    line.pending = line.pending.subarray(length);
  };

  const server = createServer((near) => {
    const far = createConnection({ host: '127.0.0.1', port: targetPort });
    const line: Line = { near, far, pending: Buffer.alloc(0), stopped: false, replies: null };
    lines.add(line);
    near.on('data', (chunk: Buffer) => {
      line.pending = Buffer.concat([line.pending, chunk]);
      pump(line);
    });
    far.on('data', (chunk: Buffer) => {
      if (line.replies === null) near.write(chunk);
      else line.replies.push(chunk);
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.setNoDelay(true);
      one.on('error', () => undefined);
      one.once('close', () => {
        lines.delete(line);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const cut = (): void => {
    for (const { far, near } of [...lines]) {
      near.destroy();
      far.destroy();
    }
  };

  return {
    url: `redis://127.0.0.1:${port}`,
    target(to) {
      targetPort = to;
    },
    cut,
    hold(matches) {
      let held: Line | null = null;
      let isSent = false;
      const met = new Promise<void>((resolve) => {
        const meet = (line: Line): void => {
          held = line;
          resolve();
        };
        wanted.add({ matches, meet });
      });
      const forward = (): void => {
        if (held === null || isSent) return;
        isSent = true;
        held.replies = [];
        send(held, firstCommand(held.pending)?.length ?? 0);
      };
      const release = (): void => {
        forward();
        if (held === null) return;
        const { near, replies } = held;
        held.replies = null;
        held.stopped = false;
        for (const chunk of replies ?? []) near.write(chunk);
        pump(held);
        held = null;
      };
      return { met, forward, release };
    },
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The command a buffer begins with; null: it is not all there yet. */
function firstCommand(buffer: Buffer): { readonly parts: Command; readonly length: number } | null {
  let at = 0;
  const number = (): number | null => {
    const end = buffer.indexOf('\r\n', at);
    if (end === -1) return null;
    const value = Number(buffer.toString('latin1', at + 1, end));
    at = end + 2;
    return value;
  };
  const count = number();
  if (count === null) return null;
  const parts: Buffer[] = [];
  for (let i = 0; i < count; i += 1) {
    const size = number();
    if (size === null || buffer.length < at + size + 2) return null;
    parts.push(buffer.subarray(at, at + size));
    at += size + 2;
  }
  return { parts, length: at };
}

/** Recognises the calls of one of our scripts, and has Redis know it, so that the first call is the one that runs. */
export async function callsOf(script: Script, redis: Redis, of: CommandMatch = () => true): Promise<CommandMatch> {
  const lua = await textOf(script);
  const sha = createHash('sha1').update(lua).digest('hex');
  await redis.script('LOAD', lua);
  return (command) => {
    const [name, text] = command;
    const isCall = /^evalsha$/i.test(name?.toString() ?? '') && text?.toString() === sha;
    return isCall && of(command);
  };
}

/** A script tells its text to a Redis that does not know it. */
async function textOf(script: Script): Promise<string> {
  let lua = '';
  const stranger = {
    evalsha: () => Promise.reject(new Error('NOSCRIPT')),
    eval: (text: string) => {
      lua = text;
      return Promise.resolve(null);
    },
  };
  await script(stranger as unknown as Redis, [], []);
  return lua;
}
