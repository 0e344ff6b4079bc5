/** Faults of refreshes and grants. */
import { grant, refreshNow } from '../../../support/grants.js';
import { newPerson } from '../../../support/steps.js';
import type { Scenario } from '../scenario.js';

const REFRESH = { on: 'api', api: 'token', grant: 'refresh_token' } as const;

export const someFail: Scenario = {
  name: 'some-refreshes-fail',
  alerts: ['RefreshFailing'],
  fault: 'Feishu answers every second refresh with 20050 (try again)',
  healing: 'it refreshes again',
  alone: true,
  async make({ scene }) {
    await grant(scene);
    return async () => {
      await refreshNow(scene);
    };
  },
  async meanwhile({ scene }) {
    const fault = scene.sim.faults.add({ ...REFRESH, kind: 'code', code: 20050 });
    await refreshNow(scene);
    fault.clear();
    await refreshNow(scene);
  },
};

export const allRefused: Scenario = {
  name: 'refresh-refused',
  alerts: ['RefreshBroken', 'GrantSuspended'],
  fault: 'Feishu answers every refresh with 20002 (wrong app secret); a client wants to see now',
  healing: 'the secret is right again, one token was refreshed',
  async make({ scene }) {
    const fault = scene.sim.faults.add({ ...REFRESH, kind: 'code', code: 20002 });
    return async () => {
      fault.clear();
      await refreshNow(scene);
    };
  },
  async meanwhile({ scene }) {
    await refreshNow(scene);
  },
};

export const expiring: Scenario = {
  name: 'expiring',
  alerts: ['GrantsExpiring'],
  fault: 'a third of the grants came with a refresh token that lives for an hour',
  healing: 'it was renewed, for 7 days',
  async make({ scene }) {
    for (const name of ['Wu Yan', 'Zhou Jing']) await grant(scene, { person: newPerson(scene, name) });
    const short = newPerson(scene, 'Zheng Hao');
    await grant(scene, { person: short, set: { refresh_token_expires_in: 3_600 } });
    return async () => {
      await refreshNow(scene, short.openId);
    };
  },
};
