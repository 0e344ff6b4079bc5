/** Faults of the long connection: deaf, cut, refused, unstable. */
import { setTimeout as sleep } from 'node:timers/promises';
import { crowd } from '../../../support/crowd.js';
import { newPerson } from '../../../support/steps.js';
import type { Scenario } from '../scenario.js';
import type { Stage } from '../stage.js';

function pushEvents({ scene: { app, sim } }: Stage, count: number): void {
  for (let i = 0; i < count; i += 1) {
    sim.pushEvent(app.appId, sim.envelope(app.appId, 'im.message.receive_v1', { message: { message_id: `om_${i}` } }));
  }
}

async function somebodyClicks({ scene }: Stage): Promise<void> {
  const person = newPerson(scene, 'Zhang Wei');
  await person.click(await person.ask(), 'decline');
}

export const silent: Scenario = {
  name: 'silent',
  alerts: ['NoClicks', 'CardsExpireUnanswered'],
  fault: 'Feishu delivers nothing on any connection, pings are answered; 25 users are asked and their cards expire',
  healing: 'Feishu delivers again, a user clicks',
  alone: true,
  async make(stage) {
    const deaf = stage.scene.sim.faults.add({ on: 'socket', kind: 'deaf' });
    await crowd(stage.scene, 25, { ttl_seconds: 10 });
    return async () => {
      deaf.clear();
      await somebodyClicks(stage);
    };
  },
};

export const deaf: Scenario = {
  name: 'deaf',
  alerts: ['LongConnectionDeaf'],
  fault: 'the connection of the second gateway gets nothing while the first one gets 60 events',
  healing: 'it is routed to again',
  async make(stage) {
    const fault = stage.scene.sim.faults.add({ on: 'socket', kind: 'deaf', connectionId: stage.spareConnectionId });
    // The first event of a type makes its series; those after it are an increase.
    pushEvents(stage, 1);
    await sleep(5_000);
    pushEvents(stage, 60);
    return () => {
      fault.clear();
      pushEvents(stage, 40);
      return Promise.resolve();
    };
  },
};

export const cutOne: Scenario = {
  name: 'cut-one',
  alerts: ['LongConnectionPartlyDown'],
  fault: 'the connection of the second gateway was cut and every new handshake is reset',
  healing: 'handshakes work again',
  alone: true,
  make({ scene, spareConnectionId }) {
    const refused = scene.sim.faults.add({ on: 'handshake', kind: 'reset' });
    for (const socket of scene.sim.sockets(scene.app.appId)) if (socket.id === spareConnectionId) socket.terminate();
    return Promise.resolve(() => {
      refused.clear();
      return Promise.resolve();
    });
  },
};

export const cutAll: Scenario = {
  name: 'cut-all',
  alerts: ['LongConnectionDown'],
  fault: 'all connections were cut and every new handshake is reset',
  healing: 'handshakes work again',
  alone: true,
  make({ scene }) {
    const refused = scene.sim.faults.add({ on: 'handshake', kind: 'reset' });
    for (const socket of scene.sim.sockets(scene.app.appId)) socket.terminate();
    return Promise.resolve(() => {
      refused.clear();
      return Promise.resolve();
    });
  },
};

export const unstable: Scenario = {
  name: 'unstable',
  alerts: ['LongConnectionUnstable'],
  fault: 'each connection is cut as soon as it is up',
  healing: 'connections stay up',
  make: () => Promise.resolve(() => Promise.resolve()),
  async meanwhile({ scene }) {
    for (const socket of scene.sim.sockets(scene.app.appId)) socket.terminate();
    await sleep(1_500);
  },
};
