const { TestEnvironment } = require('jest-environment-node')

/** Skips the remaining tests of a file after one of them has failed. */
module.exports = class extends TestEnvironment {
  failed = false

  handleTestEvent(event) {
    if (event.name === 'test_done' && event.test.errors.length > 0) this.failed = true
    if (event.name === 'test_start' && this.failed) event.test.mode = 'skip'
  }
}
