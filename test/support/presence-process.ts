/**
 * Run as a process of its own (fork): tells of itself again and again until it is killed, or leaves in order when its
 * parent lets go of it. Says `told` to its parent at once. Arguments: Redis' URL, process id, ms between two notes.
 */
import { newPresence } from './presence.js';

const [url = '', processId = '', everyMs = ''] = process.argv.slice(2);
const { presence, processes, close } = await newPresence({ url, processId, everyMs: Number(everyMs) });
presence.start();
process.once('disconnect', async () => {
  await presence.stop();
  close();
});
await processes.tell(await presence.note());
process.send?.('told');
