/** The property tests at full length, with another seed each time unless PROPERTIES_SEED names one. */
module.exports = {
  ...require('./jest.config'),
  roots: ['<rootDir>/test/properties'],
  globalSetup: '<rootDir>/test/properties/setup.js',
  globalTeardown: '<rootDir>/test/properties/teardown.js',
}
