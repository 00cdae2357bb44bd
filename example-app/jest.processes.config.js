/** @type {import('jest').Config} */
module.exports = {
  ...require('./jest.config.js'),
  testMatch: ['**/*.processes.test.ts'],
  testPathIgnorePatterns: [],
  // Processes have a clock of their own.
  setupFiles: [],
  // Only a process that hangs takes this long.
  testTimeout: 120_000,
}
