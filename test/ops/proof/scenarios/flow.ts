/** Faults of clicks, cards and jobs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { crowd } from '../../../support/crowd.js';
import { newPerson } from '../../../support/steps.js';
import type { Scenario } from '../scenario.js';
import type { Stage } from '../stage.js';

async function askAndAuthorize({ scene }: Stage): Promise<void> {
  const person = newPerson(scene, 'Wang Fang');
  await person.click(await person.ask(), 'authorize');
}

async function askOnly({ scene }: Stage): Promise<void> {
  await scene.daemon.call('POST', '/v1/sessions', { open_id: newPerson(scene, 'Sun Li').openId });
}

export const slowOAuth: Scenario = {
  name: 'slow-oauth',
  alerts: ['AcksSlow'],
  fault: 'device authorization takes 3 s; users click Authorize',
  healing: 'it is quick again',
  make({ scene }) {
    const slow = scene.sim.faults.add({ on: 'api', api: 'device_authorization', kind: 'delay', ms: 3_000 });
    return Promise.resolve(() => {
      slow.clear();
      return Promise.resolve();
    });
  },
  meanwhile: askAndAuthorize,
};

export const stalled: Scenario = {
  name: 'stalled',
  alerts: ['AcksLate'],
  fault: 'both gateways get no CPU for 3.5 s (SIGSTOP) while 6 clicks wait for their links, as on a machine that swaps',
  healing: 'they run on (SIGCONT)',
  alone: true,
  async make({ scene, spare }) {
    const slow = scene.sim.faults.add({ on: 'api', api: 'device_authorization', kind: 'delay', ms: 2_000 });
    const members = await crowd(scene, 6);
    const click = async (member: (typeof members)[number]) =>
      await scene.click(member.messageId, 'authorize', member.sessionId, { user: member.user });
    const clicks = Promise.all(members.map(click));
    await sleep(250);
    for (const one of [scene.daemon, spare]) one.signal('SIGSTOP');
    await sleep(3_500);
    for (const one of [scene.daemon, spare]) one.signal('SIGCONT');
    await clicks;
    return () => {
      slow.clear();
      return Promise.resolve();
    };
  },
};

export const cardsRefused: Scenario = {
  name: 'cards-refused',
  alerts: ['CardUpdatesFailing', 'CardsNotDelivered'],
  fault: 'Feishu refuses every send (230006, the app has no bot) and every PATCH (230027, no permission)',
  healing: 'it takes them again, a user is asked',
  async make(stage) {
    const { scene } = stage;
    const before = await newPerson(scene, 'Chen Jie').ask();
    const faults = [
      scene.sim.faults.add({ on: 'api', api: 'message.send', kind: 'code', code: 230006 }),
      scene.sim.faults.add({ on: 'api', api: 'message.patch', kind: 'code', code: 230027 }),
    ];
    await scene.daemon.call('POST', `/v1/sessions/${before.sessionId}/invalidate`);
    return async () => {
      for (const fault of faults) fault.clear();
      await newPerson(scene, 'Zhao Min').ask();
    };
  },
  async meanwhile(stage) {
    await askOnly(stage);
    // Slowly: a flood would still wait in line when the fault is healed.
    await sleep(300);
  },
};

export const noWorker: Scenario = {
  name: 'no-worker',
  alerts: ['ProcessDown', 'JobsLate', 'JobsStuck'],
  fault: 'the only worker was stopped; users are asked',
  healing: 'it was started again',
  alone: true,
  async make(stage) {
    await stage.stop('worker');
    for (let i = 0; i < 5; i += 1) await askOnly(stage);
    return () => stage.restart('worker');
  },
};

export const flood: Scenario = {
  name: 'flood',
  alerts: ['BudgetUsedUp'],
  fault: 'a client asked 850 users at once',
  healing: 'it stopped; a minute later the budget was free again',
  alone: true,
  async make({ scene }) {
    await crowd(scene, 850);
    return () => Promise.resolve();
  },
};

export const allDown: Scenario = {
  name: 'all-down',
  alerts: ['Down'],
  fault: 'all three processes were killed (SIGKILL)',
  healing: 'all were started again',
  alone: true,
  async make(stage) {
    const parts = ['gateway', 'spare', 'worker'] as const;
    for (const part of parts) await stage.stop(part, 'SIGKILL');
    return async () => {
      for (const part of parts) await stage.restart(part);
    };
  },
};
