/**
 * Runs every test from a fresh clone: packages, redis-server, build, then the files. `npm test -- store queue` runs only
 * files whose path contains one of the words. Afterwards nothing that a test started may be left running. The last line
 * holds the counts. CI_REQUIRE_BROWSER=1 makes a missing browser, and any skipped test, a failure.
 */
import { relative } from 'node:path';
import { build } from './build.mjs';
import { runTests, testFilesIn } from './node-tests.mjs';
import { exitWith } from './run-typescript.mjs';
import { SetupError, setup } from './setup.mjs';

await exitWith(async () => {
  const words = process.argv.slice(2);
  const files = testFilesIn('test').filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
  if (files.length === 0) throw new SetupError('No test file matches.');
  const machine = await setup({ redis: true, chromium: true });
  if (machine.chromiumMissing) console.error(`Browser tests will be skipped: ${machine.chromiumMissing}`);
  if (!(await build())) throw new SetupError('The build failed: no test was run.');

  console.log(`Running ${files.length} files (${files.map((file) => relative('test', file)).join(', ')})`);
  const { counts, left, ok, seconds } = await runTests(files, { machine });
  const everythingRequired = process.env.CI_REQUIRE_BROWSER === '1';
  const tooLittle = everythingRequired && (counts.skipped > 0 || machine.chromiumMissing !== null);
  if (tooLittle) console.error('Skipped tests and a missing browser are failures here (CI_REQUIRE_BROWSER=1).');
  const totals = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  console.log(`${totals.join(', ')}, processes left ${left}, ${seconds} s`);
  return ok && !tooLittle ? 0 : 1;
});
