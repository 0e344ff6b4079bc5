/**
 * GET /sim/events: the event stream over SSE, in the few event names the chat page knows.
 */
import type { ServerResponse } from 'node:http';
import type { EventStream, SimEvent, SimEventType } from '../event-stream.js';

/** Stream event -> SSE event. What is not here is not sent. */
const SSE_NAMES: Partial<Record<SimEventType, string>> = {
  message: 'message',
  updated: 'updated',
  recalled: 'updated',
  click: 'click',
  'click.settled': 'settled',
  toast: 'toast',
  device_code: 'device_code',
  consent: 'consent',
  denied: 'denied',
  token: 'token',
  call: 'call',
  'connection.opened': 'connection',
  'connection.closed': 'connection',
};

/** Streams until the reader goes away or the listener closes. */
export function streamEvents(events: EventStream, response: ServerResponse): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    connection: 'keep-alive',
  });
  response.write(': open\n\n');
  const stop = events.on('*', (event) => {
    const name = SSE_NAMES[event.type];
    if (name !== undefined && !response.destroyed) response.write(format(name, event));
  });
  response.once('close', stop);
}

function format(name: string, event: SimEvent): string {
  const data = JSON.stringify({ type: event.type, at: event.at, ...event.data });
  return `id: ${event.seq}\nevent: ${name}\ndata: ${data}\n\n`;
}
