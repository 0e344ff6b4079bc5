import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ALICE, newApi, secretOf } from './support.js';

describe('closing the server', () => {
  it('answers what is in hand and closes kept-alive connections with it', async () => {
    const api = await newApi();
    let letGo = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      api.world.fault = () => {
        resolve();
        return new Promise((answer) => {
          letGo = answer;
        });
      };
    });
    const agent = new Agent({ keepAlive: true });
    const headers = { authorization: `Bearer ${secretOf('boss')}` };
    const request = get(`${api.url}/v1/users/${ALICE}`, { agent, headers });
    const answered = once(request, 'response') as Promise<[IncomingMessage]>;
    await asked;
    const before = performance.now();
    const closed = api.close();
    while (api.app.server.listening) await setImmediate();
    letGo();
    const [response] = await answered;
    response.resume();
    assert.deepEqual([response.statusCode, response.headers.connection], [200, 'close']);
    await closed;
    assert.ok(performance.now() - before < 3_000);
    agent.destroy();
  });

  it('still serves a request that was on its way', async () => {
    const api = await newApi();
    const socket = connect(api.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('GET /healthz HTTP/1.1\r\n');
    assert.equal((await api.call('GET', '/healthz')).status, 200);
    const closed = api.close();
    while (api.app.server.listening) await setImmediate();
    socket.write('Host: x\r\n\r\n');
    const [response] = (await once(socket, 'data')) as [Buffer];
    assert.match(response.toString(), /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(response.toString(), /connection: close/i);
    await closed;
  });

  it('does not wait for ever for a client that never finishes its request', async () => {
    const api = await newApi({ limits: { handlerTimeoutMs: 100 } });
    const slow = connect(api.port, '127.0.0.1');
    slow.on('error', () => undefined);
    await once(slow, 'connect');
    slow.write('POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n');
    // The server has read it once a later connection has been served.
    assert.equal((await api.call('GET', '/healthz')).status, 200);
    const before = performance.now();
    const gone = once(slow, 'close');
    await api.close();
    await gone;
    assert.ok(performance.now() - before < 2_000);
  });
});
