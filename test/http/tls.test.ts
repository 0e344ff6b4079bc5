import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { AuthdError } from '../../src/errors.js';
import { selfSigned } from './self-signed.js';
import { newApi } from './support.js';

describe('TLS', () => {
  const { cert, key } = selfSigned();
  let folder: string;
  const file = (name: string) => join(folder, name);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'authd-tls-'));
    await writeFile(file('cert.pem'), cert);
    await writeFile(file('key.pem'), key);
    await writeFile(file('other-key.pem'), selfSigned().key);
  });
  after(() => rm(folder, { recursive: true }));

  it('serves HTTPS with the certificate and key it was given', async () => {
    const api = await newApi({ tls: { certFile: file('cert.pem'), keyFile: file('key.pem') } });
    assert.match(api.url, /^https:/);
    const request = get(`https://127.0.0.1:${api.port}/healthz`, { ca: cert, agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    assert.equal(response.statusCode, 200);
    await api.close();
  });

  const refused = async (keyName: string): Promise<string> => {
    const building = newApi({ tls: { certFile: file('cert.pem'), keyFile: file(keyName) } });
    const error: unknown = await building.then(
      () => null,
      (reason) => reason,
    );
    assert.ok(error instanceof AuthdError && error.code === 'config_invalid');
    return error.message;
  };

  it('refuses a key that does not fit, and a file that is not there, naming it', async () => {
    assert.match(await refused('other-key.pem'), /other-key\.pem/);
    assert.match(await refused('missing.pem'), /missing\.pem cannot be read: ENOENT/);
  });
});
