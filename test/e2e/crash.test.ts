/**
 * kill -9 at each step of the flow (ARCHITECTURE §2), then a restart: no session is lost, no second card is sent, the
 * card gets to its state and the token can be read. Steps are met by what Feishu sees of them.
 */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { AuthGrant } from '../../src/config/config.js';
import type { SimEvent } from '../simulator/event-stream.js';
import { authorizeByCard } from '../support/person.js';
import { newScene } from '../support/scene.js';
import { WAY } from '../support/ways.js';

type Step = readonly [name: string, isHere: (event: SimEvent) => boolean];

const call = (type: 'call' | 'call.arrived', api: string) => (event: SimEvent) =>
  event.type === type && event.data['api'] === api;

/** Where the grants differ. */
const STEPS_OF: Readonly<Record<AuthGrant, readonly Step[]>> = {
  device_code: [
    ['when the device code is asked for', call('call.arrived', 'device_authorization')],
    ['when the device code was given', call('call', 'device_authorization')],
  ],
  authorization_code: [
    ["when she has consented and Feishu's page redirects her", (event) => event.type === 'consent'],
    ['when the code was exchanged', call('call', 'token')],
  ],
};

const STEPS: readonly Step[] = [
  ['when the card arrives at Feishu', call('call.arrived', 'message.send')],
  ['when Feishu has taken the card', (event) => event.type === 'message'],
  ['when the click leaves Feishu', (event) => event.type === 'click'],
  ...STEPS_OF[WAY.grant],
  ['when the ack has arrived', (event) => event.type === 'ack'],
  ['when consent is asked about', call('call.arrived', 'token')],
  ['when Feishu has given the tokens', (event) => event.type === 'token'],
  ['when user_info is asked', call('call.arrived', 'user_info')],
  ['when user_info has answered', call('call', 'user_info')],
  ['when the last card arrives at Feishu', call('call.arrived', 'message.patch')],
];

async function killAt(t: TestContext, [, isHere]: Step): Promise<void> {
  const scene = await newScene(t);
  const { openId, sim } = scene;
  const victim = scene.daemon;
  const killed = new Promise<void>((resolve) => {
    const off = sim.on('*', (event) => {
      if (!isHere(event)) return;
      off();
      victim.signal('SIGKILL');
      resolve();
    });
  });
  const asked = await victim.call('POST', '/v1/sessions', { open_id: openId, scopes: ['contact:user:read'] });
  const sessionId = String(asked.body.session_id);
  const card = () => sim.messagesTo(openId).find((message) => message.kind === 'card');
  // She does what the card offers until the daemon is dead.
  const person = (async () => {
    const message = await sim.until(card);
    await authorizeByCard(scene, message.messageId, { timeoutMs: 15_000, patient: true });
  })().catch(() => undefined);
  const late = sim.waitFor(() => false, 20_000);
  await Promise.race([killed, late]);
  late.catch(() => undefined);
  await victim.exited();
  await scene.use(await victim.restart());
  await scene.daemon.readiness(200);
  await person;

  const message = await sim.until(card, 20_000);
  await authorizeByCard(scene, message.messageId);
  const session = await scene.session(sessionId);
  assert.equal(session.state, 'completed');
  assert.equal(sim.messagesTo(openId).length, 1, 'one card');
  assert.equal((await scene.daemon.call('GET', `/v1/users/${openId}/token`)).status, 200);
}

describe('kill -9 and a restart lose nothing', { concurrency: 3 }, () => {
  for (const step of STEPS) it(step[0], async (t) => await killAt(t, step));
});
