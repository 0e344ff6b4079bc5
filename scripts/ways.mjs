/**
 * `npm run ways [-- word …]`: the whole-daemon tests by each grant and each way of receiving clicks, one way after
 * another, the table at the end. Words that name a grant or a way of clicks choose ways, all others choose files.
 * `npm test` runs the same files by the default way.
 */
import { basename } from 'node:path';
import { build } from './build.mjs';
import { runTests, testFilesIn } from './node-tests.mjs';
import { exitWith } from './run-typescript.mjs';
import { SetupError, setup } from './setup.mjs';

const GRANTS = ['device_code', 'authorization_code'];
const CLICKS = ['long_connection', 'http'];
const ALL_WAYS = CLICKS.flatMap((clicks) => GRANTS.map((grant) => ({ grant, clicks })));

/** Of test/e2e, the files that are not run by every way: by which they are, and why. */
const NOT_BY_EVERY_WAY = new Map([
  ...[
    ['device-grant', 'answers to device codes and polls, "I have agreed" between polls'],
    ['device-links', 'device codes die before their session; other links do not'],
    ['device-acks', 'clicks wait while Feishu makes a device code; other links need no answer of Feishu'],
  ].map(([name, why]) => [name, { by: ({ grant }) => grant === 'device_code', why }]),
  ['long-connection', { by: ({ clicks }) => clicks === 'long_connection', why: 'frames and connections' }],
  ...[
    ['main-job', 'runs by all four ways each time'],
    ['code-grant', 'names its way: codes and pages of the authorization code grant'],
    ['changed-links', 'names its way: settings of the authorization code grant are changed'],
    ['code-grant-browser', 'names its way: those pages in a browser'],
    ['redirect-attacks', 'names its way: attacks on the redirect URI'],
    ['http-callbacks', 'names its way: what only callbacks by HTTP have'],
    ['message-link', 'names its ways: CARD=link'],
    ['status-page', 'a page in a browser, of a fleet with a long connection'],
    ['browser', 'pages of the simulator'],
    ['consent-page', 'pages of the simulator'],
    ['demo', 'npm run demo has one way'],
    ['demo-page', 'npm run demo has one way'],
    ['pm2', 'a story with processes and clicks of its own'],
  ].map(([name, why]) => [name, { by: () => false, why }]),
]);

const nameOf = (file) => basename(file, '.test.ts');
const titleOf = ({ clicks, grant }) => `${grant}, clicks by ${clicks}`;

function choose(words) {
  const named = (names) => names.filter((name) => words.includes(name));
  const grants = named(GRANTS);
  const clicks = named(CLICKS);
  const others = words.filter((word) => !GRANTS.includes(word) && !CLICKS.includes(word));
  const files = testFilesIn('test/e2e');
  for (const name of NOT_BY_EVERY_WAY.keys()) {
    if (!files.some((file) => nameOf(file) === name)) throw new SetupError(`scripts/ways.mjs: there is no ${name}.`);
  }
  return ALL_WAYS.filter(
    (way) =>
      (grants.length === 0 || grants.includes(way.grant)) && (clicks.length === 0 || clicks.includes(way.clicks)),
  )
    .map((way) => ({
      way,
      files: files.filter(
        (file) =>
          (NOT_BY_EVERY_WAY.get(nameOf(file))?.by(way) ?? true) &&
          (others.length === 0 || others.some((word) => nameOf(file).includes(word))),
      ),
    }))
    .filter(({ files: chosen }) => chosen.length > 0);
}

function renderTable(rows) {
  const line = (title, cells) =>
    `| ${title.padEnd(44)} | ${cells.map((cell) => String(cell).padStart(7)).join(' | ')} |`;
  const head = line('way', ['files', 'tests', 'pass', 'fail', 'seconds']);
  const rule = head.replace(/[^|]/g, '-');
  return [head, rule, ...rows.map(({ cells, way }) => line(titleOf(way), cells))].join('\n');
}

await exitWith(async () => {
  const chosen = choose(process.argv.slice(2));
  if (chosen.length === 0) throw new SetupError('No file of the common ones matches.');
  const machine = await setup({ redis: true });
  if (!(await build())) throw new SetupError('The build failed: no test was run.');

  const rows = [];
  let ok = true;
  for (const { files, way } of chosen) {
    console.log(`\n${titleOf(way)}: ${files.map(nameOf).join(', ')}`);
    const run = await runTests(files, { machine, env: { E2E_GRANT: way.grant, E2E_CLICKS: way.clicks } });
    const { cancelled, fail, pass, tests } = run.counts;
    ok &&= run.ok && pass === tests;
    rows.push({ way, cells: [files.length, tests, pass, fail + cancelled, run.seconds] });
    if (run.signal !== null) break;
  }
  console.log(`\n${renderTable(rows)}`);
  console.log('\nNot by every way:');
  for (const [name, { why }] of NOT_BY_EVERY_WAY) console.log(`  ${name.padEnd(20)} ${why}`);
  if (rows.length < chosen.length) console.log(`Cut short: ${rows.length} of ${chosen.length} ways were run.`);
  return ok && rows.length === chosen.length ? 0 : 1;
});
