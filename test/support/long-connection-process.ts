/**
 * Run as a process of its own: connects, waits for one reconnection and one rotation, stops, says so on standard
 * output, and then has nothing left to do. Arguments: app id, app secret, base URL.
 */
import { newLongConnection } from './new-long-connection.js';

const [appId = '', appSecret = '', baseUrl = ''] = process.argv.slice(2);
const one = newLongConnection({ app: { appId, appSecret, brand: 'feishu' }, baseUrl, timings: { rotateAfterMs: 150 } });
one.connection.start();
await one.until(({ reconnects, rotations }) => reconnects >= 1 && rotations >= 1);
await one.stop();
process.stdout.write('stopped\n');
