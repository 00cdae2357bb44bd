const { default: JestRunner } = require('jest-runner')

// Statistics of the test files from earlier mutants. Stryker uses the same process for many mutants.
const namesOf = new Map()
const durationOf = new Map()
let lastToFail

/**
 * Runs the test files one after the other until one fails, because Jest's own `bail` does not work with Stryker. It
 * starts with the file that detected the last mutant and continues with the fastest. It skips files whose tests do not
 * execute the mutant.
 */
module.exports = class extends JestRunner {
  async runTests(tests, watcher, options) {
    let failed = false
    const off = this.on('test-file-success', ([{ path }, { numFailingTests, perfStats, testResults }]) => {
      failed ||= numFailingTests > 0
      if (numFailingTests > 0) lastToFail = path
      namesOf.set(
        path,
        testResults.map(({ fullName }) => fullName),
      )
      durationOf.set(path, Math.max(durationOf.get(path) ?? 0, perfStats.end - perfStats.start))
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
    const cost = ({ path, duration }) => (path === lastToFail ? -1 : (durationOf.get(path) ?? duration ?? 0))
    return tests
      .filter(({ path }) => !pattern || (namesOf.get(path)?.some((name) => pattern.test(name)) ?? true))
      .sort((a, b) => cost(a) - cost(b))
  }
}
