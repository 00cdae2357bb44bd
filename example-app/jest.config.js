/** @type {import('jest').Config} */
module.exports = {
  displayName: 'example-app',
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  // Tests wait for events and not for time, so only a hang reaches this limit, on a machine of any load.
  testTimeout: 120_000,
  // These need Chromium or Redis: `npm run test:browser` and `npm run test:processes`.
  testPathIgnorePatterns: ['\\.(browser|processes)\\.test\\.ts$'],
  // Before any module that keeps a reference to a clock.
  setupFiles: ['<rootDir>/test/support/clock.ts'],
  transform: { '\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }] },
}
