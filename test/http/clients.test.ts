import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { AuthdError } from '../../src/errors.js';
import { createClientRegistry } from '../../src/http/clients.js';
import { newClient, secretOf } from './support.js';

const find = (registry: ReturnType<typeof createClientRegistry>, secret: string) =>
  registry.authenticate(Buffer.from(secret))?.id;

describe('the client registry', () => {
  it('finds the client a secret belongs to, among many and with several secrets each', () => {
    const second = createHash('sha256').update('the-second-secret').digest('hex');
    const first = newClient('first');
    const registry = createClientRegistry([
      { ...first, secretSha256: [...first.secretSha256, second] },
      newClient('other'),
    ]);
    assert.equal(find(registry, secretOf('first')), 'first');
    assert.equal(find(registry, 'the-second-secret'), 'first');
    assert.equal(find(registry, secretOf('other')), 'other');
  });

  it('lets nobody in without clients, nor with an empty secret', () => {
    assert.equal(find(createClientRegistry([]), ''), undefined);
    assert.equal(find(createClientRegistry([]), secretOf('boss')), undefined);
    assert.equal(find(createClientRegistry([newClient('boss')]), ''), undefined);
    assert.equal(find(createClientRegistry([newClient('boss', { secretSha256: [] })]), secretOf('boss')), undefined);
  });

  it('refuses anything but the whole secret: parts, longer ones, its digest', () => {
    const registry = createClientRegistry([newClient('boss')]);
    const secret = secretOf('boss');
    const digest = createHash('sha256').update(secret).digest('hex');
    const near = [secret.slice(1), secret.slice(0, -1), `${secret}x`, ` ${secret}`, secret.toUpperCase(), digest];
    for (const wrong of [...near, 'ÿ', '密码', '\0']) assert.equal(find(registry, wrong), undefined, wrong);
  });

  it('says which client is misconfigured instead of failing at each call', () => {
    const build = () => createClientRegistry([newClient('boss', { secretSha256: ['abc'] })]);
    assert.throws(build, (error) => error instanceof AuthdError && error.code === 'config_invalid');
  });
});
