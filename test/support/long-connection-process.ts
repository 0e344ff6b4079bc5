/**
 * Run as a process of its own (fork): connects, waits for one reconnection and one rotation, stops, and then has nothing
 * left to do. Tells its parent `connected` and `stopped`. Arguments: app id, app secret, base URL.
 */
import { newLongConnection } from './new-long-connection.js';

const [appId = '', appSecret = '', baseUrl = ''] = process.argv.slice(2);
const one = newLongConnection({ app: { appId, appSecret, brand: 'feishu' }, baseUrl, timings: { rotateAfterMs: 150 } });
one.connection.start();
await one.connected();
process.send?.('connected');
await one.until(({ reconnects, rotations }) => reconnects >= 1 && rotations >= 1);
await one.stop();
process.send?.('stopped');
process.disconnect?.();
