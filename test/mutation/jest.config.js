const base = require('../../jest.config.js')

/**
 * For Stryker: without the tests of documents and of the package as installed, and without the large ones, of
 * frameworks, the vendor's clients, arbitrary input and the matrix of faults, which each survivor would have to sit
 * through. A mutant is done for with the first test that fails: in a file that is the environment's part, over all files
 * the runner's.
 *
 * @type {import('jest').Config}
 */
module.exports = {
  ...base,
  rootDir: '../..',
  testEnvironment: require.resolve('./environment.js'),
  runner: require.resolve('./runner.js'),
  // Room for a busy machine: a test that is merely slow must not look like one that found a mutant.
  testTimeout: 10_000,
  testPathIgnorePatterns: [
    '/(package|readme|docs|workflows|frameworks)\\.test',
    '/vendor-',
    '/properties/',
    '/faults/',
  ],
}
