/**
 * Runs the simulator as a process of its own. Options come as one JSON argument (the fields of SimulatorOptions plus
 * `apps` and `users` to begin with); the address goes to standard output as one JSON line. Ends on SIGTERM or SIGINT.
 */
import type { NewApp, NewUser } from './directory.js';
import { type SimulatorOptions, startSimulator } from './index.js';

interface Arguments extends SimulatorOptions {
  apps?: NewApp[];
  users?: NewUser[];
}

const { apps = [], users = [], ...options } = JSON.parse(process.argv[2] ?? '{}') as Arguments;
const simulator = await startSimulator(options);
const ready = {
  url: simulator.baseUrl,
  apps: apps
    .map((app) => simulator.addApp(app))
    .map(({ appId, appSecret, name }) => ({ app_id: appId, app_secret: appSecret, name })),
  users: users.map((user) => simulator.addUser(user)),
};
process.stdout.write(
  `${JSON.stringify({ ...ready, users: ready.users.map(({ userId, name, openIds }) => ({ user_id: userId, name, open_ids: openIds })) })}\n`,
);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    simulator.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}
