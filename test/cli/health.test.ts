/** `feishu-authd health` as container and process managers call it: the built binary, by exit code and sentences. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { healthAddress } from '../../src/cli/health.js';
import { MINIMUM } from '../config/load-support.js';
import { selfSigned } from '../http/self-signed.js';
import { freePort } from '../simulator/demo/free-port.js';

const MAIN = resolve(import.meta.dirname, '../../dist/main.js');

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function health(env: Readonly<Record<string, string>>, ...args: string[]): Promise<Ran> {
  const all = { PATH: process.env['PATH'] ?? '', ...MINIMUM, ...env };
  const child = spawn(process.execPath, [MAIN, 'health', ...args], { env: all, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = await once(child, 'close');
  return { code: code as number | null, stdout, stderr };
}

/** Answers each path with the status it is given; the port of the first free one. */
async function serve(t: TestContext, server: Server, port = 0): Promise<string> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return String(typeof address === 'object' ? address?.port : address);
}

const answering = (statuses: Readonly<Record<string, number>>): Server =>
  createServer((request, response) => {
    const status = statuses[request.url ?? ''] ?? 404;
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify({ asked: request.url, status }));
  });

describe('feishu-authd health', { concurrency: 4 }, () => {
  it('0 and the answer when the process turns, whatever /readyz says', async (t) => {
    const port = await serve(t, answering({ '/healthz': 200, '/readyz': 503 }));
    assert.deepEqual(await health({ HTTP_PORT: port }), {
      code: 0,
      stdout: '{"asked":"/healthz","status":200}\n',
      stderr: '',
    });
    const ready = await health({ HTTP_PORT: port }, '--ready');
    assert.deepEqual([ready.code, ready.stdout], [1, '{"asked":"/readyz","status":503}\n']);
    assert.match(ready.stderr, /readyz answered 503/);
  });

  it('4 when nothing listens, and when nothing comes within 3 s', async (t) => {
    const nobody = await health({ HTTP_PORT: String(await freePort()) });
    assert.deepEqual([nobody.code, nobody.stdout], [4, '']);
    assert.match(nobody.stderr, /does not answer \(ECONNREFUSED\)/);
    const port = await serve(
      t,
      createServer(() => undefined),
    );
    const mute = await health({ HTTP_PORT: port });
    assert.equal(mute.code, 4);
    assert.match(mute.stderr, /does not answer \(nothing within 3 s\)/);
  });

  it('asks over TLS where the daemon serves TLS, for whatever name the certificate is', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'authd-health-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const pair = selfSigned();
    await writeFile(join(folder, 'cert.pem'), pair.cert);
    await writeFile(join(folder, 'key.pem'), pair.key, { mode: 0o600 });
    const port = await serve(
      t,
      createTlsServer(pair, (_request, response) => response.end('{}')),
    );
    const tls = { HTTP_TLS_CERT_FILE: join(folder, 'cert.pem'), HTTP_TLS_KEY_FILE: join(folder, 'key.pem') };
    assert.equal((await health({ HTTP_HOST: '0.0.0.0', HTTP_PORT: port, ...tls })).code, 0);
    assert.equal((await health({ HTTP_PORT: port })).code, 4, 'without TLS');
  });

  it('--wait repeats until the answer is 200, and no longer than told', async (t) => {
    const port = String(await freePort());
    const asked = health({ HTTP_PORT: port }, '--wait', '20');
    await sleep(600);
    await serve(t, answering({ '/healthz': 200 }), Number(port));
    assert.equal((await asked).code, 0);
    const startedAt = performance.now();
    assert.equal((await health({ HTTP_PORT: String(await freePort()) }, '--wait', '1')).code, 4);
    assert.ok(performance.now() - startedAt < 15_000);
  });

  it('2 for a configuration or a use that is wrong, in plain words', async () => {
    const wrong = await health({ HTTP_PORT: '80x' });
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /HTTP_PORT "80x" is not a whole number/);
    const unknown = await health({ HTTP_PORT: '0' });
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /HTTP_PORT is 0: only the daemon itself knows/);
    assert.equal((await health({}, '--wait', '1h')).code, 2);
  });

  it('goes where the daemon listens', () => {
    const at = (host: string, port: number, metricsPort: number | null = null): string =>
      healthAddress({ http: { host, port, tls: null, allowPlaintext: true }, metricsPort }, '/healthz').href;
    assert.equal(at('127.0.0.1', 9780), 'http://127.0.0.1:9780/healthz');
    assert.equal(at('0.0.0.0', 9780), 'http://127.0.0.1:9780/healthz');
    assert.equal(at('::', 9780), 'http://[::1]:9780/healthz');
    assert.equal(at('fd00::1', 80), 'http://[fd00::1]/healthz');
    assert.equal(at('authd.intranet', 9780, 9781), 'http://authd.intranet:9781/healthz');
    assert.equal(at('127.0.0.1', 9780, 0), 'http://127.0.0.1:9780/healthz');
  });
});
