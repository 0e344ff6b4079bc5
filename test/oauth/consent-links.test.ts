/** Links of the authorization code grant: what stands in them, and which states are believed. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { createConsentLinks } from '../../src/oauth/consent-links.js';
import { aSession } from '../feishu/cards-support.js';

const APP = { accountsBaseUrl: 'https://accounts.feishu.cn' };
const REDIRECT_URI = 'https://authd.example:8443/callback/?from=feishu';
const k1 = { id: 'k1', key: randomBytes(32) };
const k2 = { id: 'k2', key: randomBytes(32) };
const linksOf = (...keys: { id: string; key: Buffer }[]) => createConsentLinks({ keys, redirectUri: REDIRECT_URI });
const session = aSession({ sessionId: `as_0123456789abcdef_${'a'.repeat(32)}` });
const queryOf = (url: string): URLSearchParams => new URL(url).searchParams;
const stateOf = (url: string): string => queryOf(url).get('state') ?? '';
const fieldsOf = (state: string) => JSON.parse(Buffer.from(state.split('.')[0] ?? '', 'base64url').toString('utf8'));

describe('a consent link', () => {
  const links = linksOf(k1);
  const url = links.urlFor(session, APP);

  it('asks for everything the authorization request needs, and for the page to be shown', () => {
    const query = Object.fromEntries(queryOf(url));
    assert.equal(
      new URL(url).origin + new URL(url).pathname,
      'https://accounts.feishu.cn/open-apis/authen/v1/authorize',
    );
    const { code_challenge, state, ...rest } = query;
    assert.deepEqual(rest, {
      client_id: session.appId,
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      scope: 'offline_access docx:document:readonly wiki:wiki:readonly',
      code_challenge_method: 'S256',
      prompt: 'consent',
    });
    const { codeVerifier } = links.open(state ?? '') ?? { codeVerifier: '' };
    assert.match(codeVerifier, /^[A-Za-z0-9_-]{43}$/);
    assert.equal(code_challenge, createHash('sha256').update(codeVerifier).digest('base64url'));
  });

  it('names app, session, time, redirect URI and a nonce in its state, and nothing secret', () => {
    const { nonce, ...fields } = fieldsOf(stateOf(url));
    assert.match(nonce, /^[A-Za-z0-9_-]{22}$/);
    assert.deepEqual(fields, {
      app_id: session.appId,
      timestamp: session.createdAt / 1000,
      redirect_uri: REDIRECT_URI,
      session_id: session.sessionId,
      link_number: 1,
    });
    assert.ok(!url.includes(links.open(stateOf(url))?.codeVerifier ?? 'none'));
  });

  it('is the same for every process that has the key, and another one for every session and link', () => {
    assert.equal(linksOf(k1, k2).urlFor(session, APP), url);
    const others = [
      links.urlFor({ ...session, sessionId: `as_0123456789abcdef_${'b'.repeat(32)}` }, APP),
      links.urlFor({ ...session, linkState: 'wrong_account', linkNumber: 1 }, APP),
      linksOf(k2).urlFor(session, APP),
    ];
    const parts = [url, ...others].map((one) => [fieldsOf(stateOf(one)).nonce, queryOf(one).get('code_challenge')]);
    assert.equal(new Set(parts.flat()).size, 8);
  });

  it('stays the one of the first card when she asks for it, and changes when it is used up', () => {
    for (const linkState of ['claimed', 'live', 'settling'] as const) {
      assert.equal(links.urlFor({ ...session, linkState, linkNumber: 1 }, APP), url, linkState);
    }
    for (const linkState of ['dead', 'wrong_account'] as const) {
      const next = links.urlFor({ ...session, linkState, linkNumber: 1 }, APP);
      assert.equal(fieldsOf(stateOf(next)).link_number, 2, linkState);
    }
  });
});

describe('a state', () => {
  const links = linksOf(k1);
  const state = stateOf(links.urlFor(session, APP));
  const [payload = '', signature = ''] = state.split('.');
  const encode = (fields: object): string => Buffer.from(JSON.stringify(fields)).toString('base64url');

  it('says which session, link and redirect URI it is of', () => {
    const opened = links.open(state);
    assert.deepEqual(
      [opened?.sessionId, opened?.linkNumber, opened?.redirectUri],
      [session.sessionId, 1, REDIRECT_URI],
    );
  });

  it('is believed for as long as its key is in the ring', () => {
    const former = stateOf(linksOf(k2).urlFor(session, APP));
    assert.equal(linksOf(k1).open(former), null);
    assert.equal(linksOf(k1, k2).open(former)?.codeVerifier, linksOf(k2).open(former)?.codeVerifier);
  });

  it('is not believed once anything of it was touched', () => {
    const spare = signature.slice(0, -1) + String.fromCharCode(signature.charCodeAt(42) + 1);
    const forged = [
      '',
      '.',
      payload,
      `${payload}.`,
      `.${signature}`,
      `${payload}.${signature}x`,
      `${payload}.${signature.slice(1)}`,
      `${payload}=.${signature}`,
      ` ${state}`,
      `${state}\n`,
      `${payload}.${spare}`,
      `${payload}.${'A'.repeat(43)}`,
      `${encode({ ...fieldsOf(state), link_number: 2 })}.${signature}`,
      `${encode({ ...fieldsOf(state), session_id: `as_0123456789abcdef_${'b'.repeat(32)}` })}.${signature}`,
      `${encode({ ...fieldsOf(state), redirect_uri: 'https://evil.example/' })}.${signature}`,
      stateOf(linksOf(k2).urlFor(session, APP)),
      `${'A'.repeat(5_000)}.${signature}`,
    ];
    for (const one of forged) assert.equal(links.open(one), null, one.slice(0, 80));
  });

  it('is not believed with any one character changed', () => {
    for (let i = 0; i < state.length; i += 1) {
      const other = state[i] === 'A' ? 'B' : 'A';
      assert.equal(links.open(state.slice(0, i) + other + state.slice(i + 1)), null, `character ${i}`);
    }
  });

  it('is not believed when it names a session of another app, although it is signed', () => {
    const crossed = stateOf(links.urlFor({ ...session, appId: 'cli_ffffffffffffffff' }, APP));
    assert.equal(links.open(crossed), null);
  });
});
