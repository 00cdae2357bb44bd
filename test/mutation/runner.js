const { statSync } = require('node:fs')
const { default: JestRunner } = require('jest-runner')

// From earlier mutants: Stryker uses the same process for many mutants.
const namesOf = new Map()
let lastToFail

/**
 * Runs the test files one after the other until one fails, because Jest's own `bail` does not work with Stryker. It
 * starts with the file that detected the last mutant and continues with the smallest, which is often the fastest. It skips
 * files whose tests do not execute the mutant.
 */
module.exports = class extends JestRunner {
  async runTests(tests, watcher, options) {
    let failed = false
    const off = this.on('test-file-success', ([{ path }, { numFailingTests, testResults }]) => {
      failed ||= numFailingTests > 0
      if (numFailingTests > 0) lastToFail = path
      namesOf.set(
        path,
        testResults.map(({ fullName }) => fullName),
      )
    })
    try {
      for (const test of this.inOrder(tests)) {
        if (failed) return
        await super.runTests([test], watcher, { ...options, serial: true })
      }
    } finally {
      off()
    }
  }

  inOrder(tests) {
    const { testNamePattern } = this._globalConfig
    const pattern = testNamePattern && new RegExp(testNamePattern, 'i')
    const cost = ({ path }) => (path === lastToFail ? -1 : statSync(path).size)
    return tests
      .filter(({ path }) => !pattern || (namesOf.get(path)?.some((name) => pattern.test(name)) ?? true))
      .sort((a, b) => cost(a) - cost(b))
  }
}
