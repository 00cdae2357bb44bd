// At the end of `npm test`, lists the tests that it does not run, and the commands that run them.
const PROOFS = {
  'test:faults': 'every fault at every call to Elastic Path',
  'test:properties': 'arbitrary input',
  'test:realtime': 'sockets and processes on the real clock',
  'test:browser': 'the example app in Chromium',
  'test:processes': 'the example app in several processes, with Redis',
  'test:simulator': 'what the simulator returns',
  'test:cli': 'the command line, in process and as installed',
  'test:compat':
    "Elastic Path's clients and descriptions, other frameworks, and other versions of Node and packages",
  'test:soak': 'a million sign-ins',
  'test:mutation': 'whether a test notices each change to lib',
  'test:stress': 'npm test ten times while all cores are busy',
  'check:package': 'the contents of the package',
  'check:api': 'the public API',
  'check:docs': 'the generated reference',
}

const commands = Object.keys(PROOFS).map((script) => `npm run ${script}`)
const width = Math.max(...commands.map(({ length }) => length))
console.log('\nnpm test does not run these tests:')
for (const [i, proof] of Object.values(PROOFS).entries())
  console.log(`  ${commands[i].padEnd(width)}  ${proof}`)
