const assert = require('node:assert/strict')
const { once } = require('node:events')
const { createServer } = require('node:http')
const { connect } = require('node:net')
const { ADA, withShop } = require('./journey')

/** A proxy for outgoing connections. */
async function openProxy() {
  let tunnels = 0
  const proxy = createServer().on('connect', (request, inward, head) => {
    tunnels++
    const { hostname, port } = new URL(`http://${request.url}`)
    const outward = connect(port, hostname, () => {
      inward.write('HTTP/1.1 200 Connection established\r\n\r\n')
      outward.write(head)
      outward.pipe(inward).pipe(outward)
    })
    for (const [one, other] of [
      [inward, outward],
      [outward, inward],
    ]) {
      one.on('error', () => other.destroy())
    }
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return {
    url: `http://127.0.0.1:${proxy.address().port}`,
    count: () => tunnels,
    close: () => proxy.close(),
  }
}

/** Tests a sign-in, a wrong code and an outage with a dispatcher of the app. */
async function signInThrough(undici) {
  const proxy = await openProxy()
  const dispatcher = new undici.ProxyAgent({ uri: proxy.url, proxyTunnel: true })
  await withShop({ options: { dispatcher } }, async ({ simulator, browser }) => {
    const ada = browser()
    const signIn = (otp) => ada.post('/api/login', { username: ADA, otp })
    assert.equal((await signIn('wrong1')).status, 401, 'a wrong code')
    simulator.fault('exchange', 'reset')
    assert.equal((await signIn('wrong1')).status, 502, 'a connection that breaks')
    assert.equal((await signIn(simulator.issueCode(ADA))).status, 200, 'the right code')
    assert.equal((await ada.post('/accounts/switch', { account_id: 'ropes' })).location, '/', 'a switch')
    assert.ok(proxy.count() > 0, 'all of it through the proxy')
  })
  await dispatcher.close()
  proxy.close()
}

async function signInThroughAll(versions) {
  for (const version of versions) await signInThrough(require(`undici-${version}`))
}

// A run that ends early without an error fails, too.
process.exitCode = 1
void signInThroughAll(process.argv.slice(2)).then(() => {
  process.exitCode = 0
})
