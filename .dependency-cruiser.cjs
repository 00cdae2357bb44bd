// The picture in CONTRIBUTING.md: what each part of lib may import, besides itself.
const BOTTOM =
  '(context|diagnostics|errors|json|options|plain-text|token|ttl-map|uniform-time|user|warnings)[.]ts'
const MAY_IMPORT = {
  [BOTTOM]: [],
  'commerce/': [BOTTOM],
  'limits/': [BOTTOM],
  'codes/': ['limits/', 'commerce/', BOTTOM],
  'sign-in/': ['codes/', 'limits/', 'commerce/', BOTTOM],
  'services[.]ts': ['sign-in/', 'codes/', 'commerce/', BOTTOM],
  'accounts[.]ts': ['commerce/', BOTTOM],
  'calls/': ['services[.]ts', 'commerce/', BOTTOM],
  'express/': ['services[.]ts', 'accounts[.]ts', 'sign-in/', 'codes/', BOTTOM],
  '(strategy|index)[.]ts': ['express/', 'accounts[.]ts', 'calls/', 'services[.]ts', 'sign-in/', BOTTOM],
  'testing/': [],
  'cli/': ['testing/'],
}

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...Object.entries(MAY_IMPORT).map(([part, others]) => ({
      name: `imports-of ${part}`,
      comment: 'A file imports only what is below it in the picture of CONTRIBUTING.md.',
      severity: 'error',
      from: { path: `^lib/${part}` },
      to: { path: '^lib/', pathNot: `^lib/(${[part, ...others].join('|')})` },
    })),
    {
      name: 'no-circular',
      comment: 'Two files that import each other cannot be read one after the other. Types count too.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', 'dist'] },
    tsConfig: { fileName: 'tsconfig.base.json' },
    tsPreCompilationDeps: true, // imports of types
  },
}
