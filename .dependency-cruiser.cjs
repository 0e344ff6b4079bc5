/**
 * Import directions at run time, read off the built `dist/` (dependency-cruiser has no parser for TypeScript 7).
 * Imports of types are gone there; where even those are forbidden (domain, adapters), biome.json says so a second
 * time with noRestrictedImports.
 *
 *   domain  <-  flow, processors  |  feishu, oauth, store, queue, http, telemetry  <-  app, doctor  <-  main, cli
 */
const ADAPTERS = ['feishu', 'oauth', 'store', 'queue', 'http', 'telemetry'];
const FOR_ALL = '^dist/(domain/|errors\\.js$|config/config\\.js$)';

const adapterRules = ADAPTERS.map((adapter) => ({
  name: `${adapter}-stands-alone`,
  comment: 'An adapter imports itself, the domain and packages; everything else is passed in as a port.',
  severity: 'error',
  from: { path: `^dist/${adapter}/` },
  to: { path: '^dist/', pathNot: [`^dist/${adapter}/`, FOR_ALL] },
}));

module.exports = {
  forbidden: [
    {
      name: 'domain-is-pure',
      comment: 'No packages, no platform but crypto, nothing of ours but errors.ts.',
      severity: 'error',
      from: { path: '^dist/domain/' },
      to: { pathNot: [FOR_ALL, '^(node:)?crypto$'] },
    },
    {
      name: 'flow-sees-ports-only',
      comment: 'flow and processors decide; what they act on is passed in (types of ports may be imported).',
      severity: 'error',
      from: { path: '^dist/(flow|processors)/' },
      to: { path: '^dist/', pathNot: ['^dist/(flow|processors)/', FOR_ALL] },
    },
    ...adapterRules,
    {
      name: 'config-is-read-first',
      comment: 'The configuration is known before anything else exists.',
      severity: 'error',
      from: { path: '^dist/config/' },
      to: { path: '^dist/', pathNot: ['^dist/config/', FOR_ALL] },
    },
    {
      name: 'app-is-the-root',
      comment: 'app.ts wires everything; only main and the command line may know it.',
      severity: 'error',
      from: { path: '^dist/', pathNot: '^dist/(main\\.js$|cli/)' },
      to: { path: '^dist/app\\.js$' },
    },
    {
      name: 'main-and-cli-are-last',
      comment: 'Nothing but main knows the command line, and nothing knows main.',
      severity: 'error',
      from: { path: '^dist/', pathNot: '^dist/(main\\.js$|cli/)' },
      to: { path: '^dist/(main\\.js$|cli/)' },
    },
    {
      name: 'doctor-looks-on',
      comment: 'doctor checks what adapters tell; it takes no part in what the daemon does.',
      severity: 'error',
      from: { path: '^dist/doctor/' },
      to: { path: '^dist/(app/|flow/|processors/|queue/|http/)' },
    },
    {
      name: 'doctor-is-for-the-command-line',
      comment: 'The daemon runs without it.',
      severity: 'error',
      from: { path: '^dist/', pathNot: '^dist/(doctor|cli)/' },
      to: { path: '^dist/doctor/' },
    },
    {
      name: 'no-cycle',
      comment: 'A cycle means that two modules are one.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolves',
      comment: 'Every import must lead to a file or an installed package.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-development-packages',
      comment: 'The daemon runs without devDependencies.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/.*\\.map$' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
