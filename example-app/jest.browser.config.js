/** @type {import('jest').Config} */
module.exports = {
  ...require('./jest.config.js'),
  testMatch: ['**/*.browser.test.ts'],
  testPathIgnorePatterns: [],
  // Only a page that hangs takes this long.
  testTimeout: 120_000,
  maxWorkers: 2,
}
