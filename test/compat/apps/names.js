const assert = require('node:assert/strict')
const { createRequire } = require('node:module')
const {
  ACCOUNT_TOKEN_HEADER,
  ElasticPathError,
  PasswordlessOtpStrategy,
  Strategy,
  otpWebhook,
} = require('passport-elasticpath-otp')
const { ElasticPathSimulator } = require('passport-elasticpath-otp/testing')

const given = {
  ACCOUNT_TOKEN_HEADER,
  ElasticPathError,
  PasswordlessOtpStrategy,
  Strategy,
  otpWebhook,
  ElasticPathSimulator,
}
for (const [name, value] of Object.entries(given)) assert.notEqual(value, undefined, name)

// `require` and `import` give the same names and values. Internal modules cannot be imported.
const required = createRequire(process.argv[1])
const { ElasticPathSimulator: simulator, ...noMore } = required('passport-elasticpath-otp/testing')
assert.deepEqual({ ...required('passport-elasticpath-otp'), ElasticPathSimulator: simulator }, given)
assert.deepEqual(noMore, {})
assert.equal(Strategy, PasswordlessOtpStrategy)
assert.throws(() => required('passport-elasticpath-otp/dist/strategy.js'), {
  code: 'ERR_PACKAGE_PATH_NOT_EXPORTED',
})
