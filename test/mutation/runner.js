const { default: JestRunner } = require('jest-runner')

// What this process knows of the test files from the mutants before: Stryker keeps a process for many of them.
const namesOf = new Map()
const durationOf = new Map()
let lastToFail

/**
 * Runs the files one after the other until one fails, which Jest's own `bail` does not do under Stryker: first the one
 * that found the last mutant, then the quick ones; those without a test that reaches the mutant are left out.
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
